#pragma once

#include <chrono>

namespace tocsin {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

/// The time of day, in milliseconds since 1970 (UTC): what Redis, providers and results speak.
using wall_clock = std::chrono::system_clock;
using wall_time = std::chrono::time_point<wall_clock, std::chrono::milliseconds>;

/// Where a component that cannot take `now` as an argument reads the time from.
class time_source {
public:
    virtual ~time_source() = default;
    /// For intervals and deadlines: never goes back.
    [[nodiscard]] virtual time_point now() const noexcept = 0;
    /// For expiries and timestamps: what the rest of the world calls the time.
    [[nodiscard]] virtual wall_time wall_now() const noexcept = 0;
};

class system_time_source final : public time_source {
public:
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] wall_time wall_now() const noexcept override {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::now());
    }
};

}  // namespace tocsin
