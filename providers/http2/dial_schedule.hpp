#pragma once

#include "engine/core/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace tocsin::http2 {

/// When the next connection to a host may be opened. Holds no clock and opens nothing.
///
/// Providers take frequent connecting for an attack (Apple says so) and one refused certificate
/// must not become a loop: the first connection may be opened at once, the next ones 50 to 200 ms
/// apart, and after failures in a row no sooner than a random part of 1, 2, 4 … 60 s. A connection
/// that ended within 10 s without a single answer counts as a failure, for a peer that accepts
/// everybody and closes at once is no better than one that refuses.
class dial_schedule {
public:
    explicit dial_schedule(std::uint64_t random_seed) : random_(random_seed) {}

    /// No dial before this.
    [[nodiscard]] time_point earliest() const noexcept { return earliest_; }

    /// A shortage must last this long before one more connection is opened: a small event needs none, and
    /// a large one must not wait for its connections.
    [[nodiscard]] static std::chrono::milliseconds growth_delay(std::size_t connections) noexcept;

    void dialled(time_point now);
    /// The dial did not get as far as the peer's SETTINGS.
    void failed(time_point now);
    /// An answer came: the peer works with us.
    void answered() noexcept { failures_ = 0; }
    /// A connection that had been ready has ended.
    void ended(time_point now, duration lived, bool ever_answered);
    /// The peer asked for calm (ENHANCE_YOUR_CALM).
    void calm_down(time_point now);

    [[nodiscard]] std::uint32_t failures_in_a_row() const noexcept { return failures_; }

private:
    void not_before(time_point when) noexcept;

    time_point earliest_{};
    std::uint32_t failures_ = 0;
    std::mt19937_64 random_;
};

}  // namespace tocsin::http2
