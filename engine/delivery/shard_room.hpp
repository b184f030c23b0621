#pragma once

#include "engine/event/publish_event.hpp"
#include "engine/plan/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// The shards that an engine's threads have, and how much more of which kind they have room for. Does no I/O.
class shard_room {
public:
    using kind = std::pair<target, priority>;  ///< Each has room of its own.

    /// `pages_in_flight` of each kind are what a thread can work on.
    shard_room(std::size_t threads, std::size_t pages_in_flight)
        : pages_in_flight_(pages_in_flight), shards_of_thread_(threads) {}

    /// Which thread gets the shard: thread_for(). Nothing if one of them has it already.
    [[nodiscard]] std::optional<std::size_t> hand_out(
        const shard_ticket& what, priority urgency, std::uint32_t pages);
    /// False if no thread had it.
    bool left(const shard_ticket& what);

    /// Which thread the next shard of that kind goes to: the one that has fewest pages of it. Of several, the
    /// target's own thread, which has connections open, unless it is much busier than another. Targets are
    /// shared out evenly when they are first asked for.
    [[nodiscard]] std::size_t thread_for(const kind& of);
    /// How many pages of an event, of this kind, to claim.
    [[nodiscard]] std::uint32_t pages_to_claim(const std::string& event, const kind& of) const;
    /// There are pages to claim of no event of this kind.
    [[nodiscard]] bool is_full(const kind& of) const { return pages_lacking(of, 4 * pages_in_flight_) == 0; }
    /// Shards of an event that the threads have.
    [[nodiscard]] std::size_t held(const std::string& event, const target& which) const;

private:
    struct held_shard {
        std::size_t thread;
        std::uint32_t pages;
        priority urgency;
    };
    /// By entry, of one event and target.
    using held_shards = std::map<std::string, held_shard, std::less<>>;

    [[nodiscard]] std::uint32_t pages_lacking(const kind& of, std::size_t pages_of_a_thread) const;
    [[nodiscard]] std::uint32_t pages_held(const std::string& event, const target& which) const;
    [[nodiscard]] std::size_t own_thread(const target& which);

    std::size_t pages_in_flight_;
    std::map<std::pair<std::string, target>, held_shards> held_;
    std::map<kind, std::vector<std::uint32_t>> outstanding_;  ///< Its pages, by thread.
    std::vector<std::uint32_t> shards_of_thread_;             ///< Of all kinds together.
    std::map<target, std::size_t> own_threads_;
};

}  // namespace tocsin
