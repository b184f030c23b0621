#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

/// Where an event stands, as its ledger, its result and the admin API have it.
enum class event_state : std::uint8_t {
    none,        ///< There is no such event, or nothing is left of it.
    scheduled,   ///< It waits for its send_at.
    running,     ///< It has shards, or will have.
    cancelling,  ///< It is to end; what is on its way is still counted.
    // How it ended:
    finished,
    cancelled,
    expired,  ///< Some of its devices were not reached in time.
    failed,
    unknown,  ///< A word that nobody has written here.
};

inline constexpr std::array<std::string_view, 9> event_state_names{
    "", "scheduled", "running", "cancelling", "finished", "cancelled", "expired", "failed", "unknown"};
static_assert(event_state_names.size() == static_cast<std::size_t>(event_state::unknown) + 1);

[[nodiscard]] constexpr std::string_view to_string(event_state which) noexcept {
    return event_state_names[static_cast<std::size_t>(which)];
}
[[nodiscard]] constexpr event_state parse_event_state(std::string_view word) noexcept {
    const auto* const found = std::ranges::find(event_state_names, word);
    return found == event_state_names.end() ? event_state::unknown
                                            : static_cast<event_state>(found - event_state_names.begin());
}

/// Its shards are worked on.
[[nodiscard]] constexpr bool is_live(event_state which) noexcept {
    return which == event_state::running || which == event_state::cancelling;
}
/// It has not ended.
[[nodiscard]] constexpr bool is_open(event_state which) noexcept {
    return is_live(which) || which == event_state::scheduled;
}

}  // namespace tocsin
