#pragma once

#include "tests/support/redis_server.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// A real Redis Cluster of three masters, each with a third of the slots, and as many replicas of the
/// first as wanted; ready when the constructor returns, which takes some seconds.
class redis_cluster {
public:
    static constexpr std::size_t masters = 3;

    /// `options` are for each node.
    explicit redis_cluster(std::size_t replicas = 0, const redis_server_options& options = {});

    /// redis+cluster:// or rediss+cluster://, with the nodes from number `first` on.
    [[nodiscard]] std::string url(std::size_t first = 0) const;
    [[nodiscard]] redis_server& node(std::size_t number) { return *nodes_[number]; }
    [[nodiscard]] const redis_server& node(std::size_t number) const { return *nodes_[number]; }
    [[nodiscard]] std::string id(std::size_t number) const;
    /// The number of the master that had `slot` in the beginning.
    [[nodiscard]] static std::size_t owner(std::uint16_t slot) noexcept;

    /// Opens the migration of a slot: MIGRATING at one node, IMPORTING at the other.
    void begin_migration(std::uint16_t slot, std::size_t from, std::size_t to) const;
    /// Moves a key that is in a slot being migrated.
    void move_key(const std::string& key, std::size_t from, std::size_t to) const;
    /// Gives the slot to `to`, and tells all masters.
    void end_migration(std::uint16_t slot, std::size_t to) const;

    /// How often one of the nodes has sent clients elsewhere: "MOVED" or "ASK".
    [[nodiscard]] std::size_t errors(std::string_view kind) const;

private:
    void wait_until_all_say(std::string_view line) const;

    redis_server_options options_;
    std::vector<std::unique_ptr<redis_server>> nodes_;
};

}  // namespace tocsin::testing
