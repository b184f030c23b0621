#pragma once

#include <chrono>

namespace tocsin {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

/// The time of day, in milliseconds since 1970 (UTC): what Redis, providers and results speak.
using wall_clock = std::chrono::system_clock;
using wall_time = std::chrono::time_point<wall_clock, std::chrono::milliseconds>;

/// Somebody who waits for an instant (engine/runtime/timer.hpp).
class sleeper {
public:
    virtual void wake() noexcept = 0;

protected:
    ~sleeper() = default;
};

/// Where a component that cannot take `now` as an argument reads the time from.
class time_source {
public:
    virtual ~time_source() = default;
    /// For intervals and deadlines: never goes back.
    [[nodiscard]] virtual time_point now() const noexcept = 0;
    /// For expiries and timestamps: what the rest of the world calls the time.
    [[nodiscard]] virtual wall_time wall_now() const noexcept = 0;

    /// A clock that does not run with the steady clock, as one that a test moves, wakes those who wait
    /// itself: `who`, once, when its now() has reached `when`. False: it does run with the steady clock,
    /// and timers of the operating system do.
    [[nodiscard]] virtual bool wakes(sleeper& /*who*/, time_point /*when*/) const { return false; }
    /// `who` waits no longer, if it did.
    virtual void forget(sleeper& /*who*/) const noexcept {}
};

class system_time_source final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] wall_time wall_now() const noexcept override {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::now());
    }
};

}  // namespace tocsin
