#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tocsin::redis {

/// Which master of a cluster has which slots, as far as we have heard.
class slot_map {
public:
    slot_map();

    /// Reads the answer to CLUSTER SLOTS. `asked` is the node that gave it, for a node that does not
    /// know its own address.
    ///
    /// Error: redis_errc::unexpected_reply.
    [[nodiscard]] static result<slot_map> parse(const reply& answer, const endpoint& asked);

    /// The master of a slot, as an index of masters(); nothing if no node serves it.
    [[nodiscard]] std::optional<std::size_t> owner(std::uint16_t slot) const noexcept;
    /// A node said that this slot is another's now.
    void move(std::uint16_t slot, const endpoint& to);

    /// Indexes stay as they are until the map is replaced.
    [[nodiscard]] const std::vector<endpoint>& masters() const noexcept { return masters_; }
    [[nodiscard]] bool empty() const noexcept { return masters_.empty(); }

private:
    static constexpr std::uint16_t nobody = 0xFFFF;

    [[nodiscard]] std::uint16_t index_of(const endpoint& node);

    std::vector<endpoint> masters_;
    std::vector<std::uint16_t> owners_;
};

/// What a node says of a command that is another's.
struct redirection {
    bool ask = false;  ///< For this one command; else for good.
    std::uint16_t slot = 0;
    endpoint to;
};

/// Reads "MOVED 3999 host:port" and "ASK …"; nothing for any other error reply. `asked` is the node
/// that gave it, which may leave its own host out.
[[nodiscard]] std::optional<redirection> parse_redirection(std::string_view error, const endpoint& asked);

}  // namespace tocsin::redis
