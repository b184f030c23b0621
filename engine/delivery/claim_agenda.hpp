#pragma once

#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/plan/shard.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace tocsin {

/// Which target of which event is asked for shards next: the most urgent first, and among equals the one that
/// has waited longest. A turn costs as much as is due and has room, however many events rest. Does no I/O.
class claim_agenda {
public:
    struct place {
        std::string event;
        target which;
        priority urgency{};
    };
    /// What the threads can take of a place.
    enum class room : std::uint8_t {
        some,
        none_for_it,  ///< It has enough; others of its target and priority may have less.
        none,         ///< Nor of any other of its target and priority.
    };
    using room_for = std::function<room(const place&)>;

    /// To be asked at `due`, which is not in the past; replaces what was said of the place before.
    void ask(const place& who, time_point due);

    /// From now on next() gives what is due at `now`, each place once.
    void begin_turn(time_point now) noexcept;
    /// Takes out the next place of this turn that there is room for. The others stay.
    [[nodiscard]] std::optional<place> next(const room_for& look);

private:
    // Due then, and in the order in which they were asked for.
    using moment = std::pair<time_point, std::uint64_t>;
    using queue = std::map<moment, std::string>;
    using queue_key = std::pair<priority, target>;

    [[nodiscard]] std::optional<place> next_of(const queue_key& key, const room_for& look);
    void take_out(const std::string& event, const target& which);
    /// Changes a queue, and what is known of when its first is due.
    void change(const queue_key& key, const std::function<void(queue&)>& how);

    std::map<queue_key, queue> queues_;
    std::set<std::tuple<priority, time_point, target>> firsts_;  ///< Of the queues: when the first is due.
    std::map<std::pair<std::string, target>, std::pair<priority, moment>> places_;
    time_point turn_began_ = time_point::min();
    std::uint64_t first_of_next_turn_ = 0;
    std::uint64_t asked_ = 0;
};

}  // namespace tocsin
