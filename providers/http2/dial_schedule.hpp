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
/// apart, and after failures in a row no sooner than 1, 2, 4, 8 and then 16 s after the one before, less a
/// random part of up to half. So an outage costs the provider some five dials a minute, and its end is
/// noticed within seconds. For work that is known, `burst` of them may be opened together once in a while,
/// as long as none has failed.
///
/// Only proof ends a row of failures: an answer that shows that the peer works with us. A peer that accepts
/// everybody and then sends them away, or answers everybody that it is in trouble, is no better than one that
/// refuses. What was dialled before a failure was known fails together with it, and counts once.
class dial_schedule {
public:
    explicit dial_schedule(std::uint64_t random_seed, std::size_t burst = 1)
        : burst_(burst), left_(burst), random_(random_seed) {}

    /// No dial before this, unless there may be many.
    [[nodiscard]] time_point earliest() const noexcept { return earliest_; }
    /// The same for what is urgent: it waits for no failure, as long as this is not done all the time.
    [[nodiscard]] time_point earliest_urgent() const noexcept;
    /// One more for known work may be opened now, without any distance.
    [[nodiscard]] bool may_open_many(time_point now) const noexcept {
        return failures_ == 0 && now >= held_off_ && left_at(now) != 0;
    }

    /// A shortage must last this long before one more connection is opened: a small event needs none, and
    /// a large one must not wait for its connections.
    [[nodiscard]] static std::chrono::milliseconds growth_delay(std::size_t connections) noexcept;

    void dialled(time_point now);
    /// What was dialled then has come to nothing: no connection, or one that ended or was sent away without
    /// proof.
    void failed(time_point now, time_point dialled_at);
    void proven() noexcept;
    /// The peer asked for calm (ENHANCE_YOUR_CALM).
    void calm_down(time_point now);

    [[nodiscard]] std::uint32_t failures_in_a_row() const noexcept { return failures_; }

private:
    void space(time_point now);
    void not_before(time_point when) noexcept;
    [[nodiscard]] std::chrono::milliseconds backoff_after(std::uint32_t failures);
    [[nodiscard]] std::size_t left_at(time_point now) const noexcept;

    time_point earliest_{};
    time_point spaced_{};  ///< The ordinary distance.
    time_point calm_{};    ///< The peer's word.
    time_point dialled_at_{};
    time_point urgent_paid_{};  ///< When what urgency has dialled before its time is made up for.
    time_point held_off_{};     ///< The part of it that failures and the peer's word have laid down.
    time_point failed_at_{};
    time_point counted_at_{};  ///< When left_ was right.
    std::size_t burst_;
    std::size_t left_;
    std::uint32_t failures_ = 0;
    std::mt19937_64 random_;
};

}  // namespace tocsin::http2
