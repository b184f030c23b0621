#pragma once

#include "engine/core/clock.hpp"

namespace tocsin::testing {

/// Time that moves only when a test says so.
class manual_time final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return now_; }
    [[nodiscard]] wall_time wall_now() const noexcept override { return wall_; }
    void advance(duration by) noexcept {
        now_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    }

private:
    // Not the epoch: code that treats time_point{} as "never" must not pass by luck.
    time_point now_ = time_point{} + std::chrono::hours(1);
    wall_time wall_ = wall_time(std::chrono::milliseconds(1'795'000'000'000));  // November 2026.
};

}  // namespace tocsin::testing
