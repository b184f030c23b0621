#pragma once

#include "engine/core/clock.hpp"
#include "engine/plan/event_state.hpp"
#include "engine/plan/report.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// Whether an event is over: judged from what Redis says of it, without asking.

namespace tocsin {

/// What is to be done with an event that seems to have nothing left to do.
enum class event_end : std::uint8_t {
    result,     ///< Its result is published.
    had_ended,  ///< Another engine was first.
    give_up,    ///< Retries were in what was put aside: they have failed, and that is counted first.
    not_there,  ///< Redis has no ledger of it.
};
[[nodiscard]] inline event_end judge_end(const event_report& report) {
    if (report.state == event_state::none) {
        return event_end::not_there;
    }
    if (!is_live(report.state)) {
        return event_end::had_ended;
    }
    const bool some_aside = report.reasons.contains("engine:PoisonShard");
    return some_aside && report.ended() < report.targeted ? event_end::give_up : event_end::result;
}

/// What is wrong with an event that stands among the running ones while its ledger says `scheduled`: an older
/// copy of the ledger was brought back.
inline constexpr std::string_view not_begun = "it runs, and its ledger says that it has not begun";

/// What became of an event that Redis did not seem to know, when it is looked for again.
enum class absence : std::uint8_t {
    none,       ///< It is there, and on the list of running events.
    unlisted,   ///< It is there, and not on the list.
    ended,      ///< By another engine.
    uncertain,  ///< Too short to tell.
    forgotten,  ///< Redis has no ledger of it; perhaps it still has its entry.
    damaged,    ///< Where its ledger should be stands something else.
};
/// `found` is its state; none: there is something else. `missing_for` counts from when it was missed first.
[[nodiscard]] inline absence judge_absence(
    std::optional<event_state> found, bool listed, duration missing_for) noexcept {
    constexpr auto certain_after = std::chrono::seconds(5);
    if (!found) {
        return absence::damaged;
    }
    if (is_live(*found)) {
        return listed ? absence::none : absence::unlisted;
    }
    if (*found != event_state::none) {
        return absence::ended;
    }
    return missing_for < certain_after ? absence::uncertain : absence::forgotten;
}

}  // namespace tocsin
