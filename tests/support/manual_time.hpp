#pragma once

#include "engine/core/clock.hpp"

#include <map>
#include <unordered_map>

namespace tocsin::testing {

/// Time that moves only when a test says so. Wakes engine/runtime/timer.hpp, not Asio's own timers.
class manual_time final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return now_; }
    [[nodiscard]] wall_time wall_now() const noexcept override { return wall_; }

    /// Must not be called from inside of a timer's waking.
    void advance(duration by) {
        now_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
        while (!asleep_.empty() && asleep_.begin()->first <= now_) {
            sleeper& who = *asleep_.begin()->second;
            forget(who);
            who.wake();
        }
    }
    /// Somebody has set the clock of this computer.
    void set_wall(wall_time to) noexcept { wall_ = to; }
    /// When the next timer is due; time_point::max(): none waits.
    [[nodiscard]] time_point next_waking() const noexcept {
        return asleep_.empty() ? time_point::max() : asleep_.begin()->first;
    }

    [[nodiscard]] bool wakes(sleeper& who, time_point when) const override {
        where_.emplace(&who, asleep_.emplace(when, &who));
        return true;
    }
    void forget(sleeper& who) const noexcept override {
        if (const auto found = where_.find(&who); found != where_.end()) {
            asleep_.erase(found->second);
            where_.erase(found);
        }
    }

private:
    // Not the epoch: code that treats time_point{} as "never" must not pass by luck.
    time_point now_ = time_point{} + std::chrono::hours(1);
    wall_time wall_ = wall_time(std::chrono::milliseconds(1'795'000'000'000));  // November 2026.

    // Waiting is no change of the time.
    using sleepers = std::multimap<time_point, sleeper*>;
    mutable sleepers asleep_;
    mutable std::unordered_map<const sleeper*, sleepers::iterator> where_;
};

}  // namespace tocsin::testing
