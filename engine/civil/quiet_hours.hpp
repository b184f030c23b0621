#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "engine/ops/settings.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The hours of the night, by the clock of each territory, in which nobody is woken for what can wait.
class quiet_hours {
public:
    /// None at all.
    quiet_hours() = default;
    /// As configured, which the configuration's own check has found sound. Refuses what that cannot know: a
    /// system without time zones.
    [[nodiscard]] static parsed<quiet_hours> make(const quiet_hours_settings& how);

    /// Whether `event` waits for their end at all: never a critical one, nor one that says so; else both
    /// lists must hold it, and an empty list holds everything.
    [[nodiscard]] bool hold(const publish_event& event) const noexcept;

    /// When the quiet hours that `now` lies in end, in a zone of the IANA database; empty if it lies in none.
    ///
    /// They last from `from` to just before `to`, as clocks there show it. An end that the clocks leap over
    /// is the moment at which they leap; of one that they show twice, the next after `now` counts.
    [[nodiscard]] std::optional<wall_time> end(std::string_view zone, wall_time now) const;

    /// Over how long that which waited leaves, so that not all of it does in one second.
    [[nodiscard]] std::chrono::milliseconds spread() const noexcept { return spread_; }

private:
    bool any_ = false;
    std::chrono::minutes from_{0};
    std::chrono::minutes to_{0};
    std::vector<std::string> categories_;
    std::vector<priority> priorities_;
    std::chrono::milliseconds spread_{0};
};

}  // namespace tocsin
