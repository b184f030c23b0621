#pragma once

#include "engine/core/clock.hpp"

#include <chrono>

namespace tocsin {

/// When something was signed, by both clocks. What is signed says the time of day; if somebody sets that
/// (late NTP, a machine that slept, an operator), it says a time that never was, and has to be signed anew.
/// Whoever keeps a signature asks once every clock_look_interval, and before it is renewed for another
/// reason.
struct signing_moment {
    time_point at{};          ///< By the clock that never jumps.
    wall_time time_of_day{};  ///< What the signature says.

    [[nodiscard]] static signing_moment now(const time_source& time) noexcept {
        return {time.now(), time.wall_now()};
    }
};

/// How often a holder of a signature looks whether the clock was set: what a provider refuses meanwhile is
/// little, and reading the time of day costs nothing at this pace.
inline constexpr std::chrono::seconds clock_look_interval{1};

/// How far the time of day was set since `when`: ahead if positive. Slewing (NTP's 1.8 s an hour) stays below
/// what clock_was_set() takes notice of.
[[nodiscard]] inline std::chrono::milliseconds clock_step(
    const signing_moment& when, time_point now, wall_time time_of_day) noexcept {
    return time_of_day - when.time_of_day -
           std::chrono::duration_cast<std::chrono::milliseconds>(now - when.at);
}

[[nodiscard]] inline bool clock_was_set(
    const signing_moment& when, time_point now, wall_time time_of_day) noexcept {
    return std::chrono::abs(clock_step(when, now, time_of_day)) >= std::chrono::seconds(10);
}

}  // namespace tocsin
