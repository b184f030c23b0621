#pragma once

#include "engine/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace tocsin::auth {

/// When to ask for the next access token. Holds no clock and does no I/O.
class oauth_schedule {
public:
    /// Due at once. `random_seed` keeps many engines from asking in step.
    oauth_schedule(time_point now, std::uint64_t random_seed);

    [[nodiscard]] time_point due() const noexcept { return due_; }

    /// A token of `lifetime` came: the next is due five to six minutes before its end, or at half
    /// its life if it is that short.
    void succeeded(time_point now, std::chrono::seconds lifetime);
    /// The endpoint could not be reached or is in trouble: 1, 2, 4 … 60 s with full jitter, and never
    /// before `retry_after`.
    void failed(time_point now, std::optional<std::chrono::milliseconds> retry_after);
    /// The account was refused: every few minutes, because clocks are corrected and accounts restored
    /// without our hearing of it.
    void refused(time_point now);
    /// What was told before was told to a wrong clock: due at once, but not sooner than a second after the
    /// last attempt failed.
    void clock_was_set(time_point now);
    /// The token there is has died early.
    void hurry(time_point now) noexcept;

private:
    std::minstd_rand random_;
    time_point due_;
    std::uint32_t failures_ = 0;
};

}  // namespace tocsin::auth
