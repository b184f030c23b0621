#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/platform/platform_traits.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace tocsin {

/// What an operator may set, and what the contract sets.
struct event_limits {
    document_limits document;
    std::chrono::milliseconds default_ttl = std::chrono::hours(4);

    static constexpr std::size_t max_id = 128;
    static constexpr std::size_t max_selectors = 1000;
    static constexpr std::size_t max_apps = 1000;
    static constexpr std::size_t max_reached_by = 100;
    /// The longest time for which a provider keeps anything.
    static constexpr std::chrono::seconds max_ttl = std::chrono::hours(24 * 28);
    static constexpr std::chrono::seconds max_delay = std::chrono::hours(24 * 30);
};

/// Reads a publish event (docs/reference/events.md).
///
/// `entry_id` is the id of the stream entry that holds it: the event's id if it names none, and the
/// time from which its ttl counts if it names no `send_at`, so that an entry which is read late does
/// not live longer for it. Where there is no entry, pass an empty one: the document must then name
/// its id, and `now` is the time. An event that has expired already is an event, and no refusal.
[[nodiscard]] parsed<publish_event> parse_event(
    platform_set platforms, std::string_view json, std::string_view entry_id, const event_limits& limits,
    wall_time now);

}  // namespace tocsin
