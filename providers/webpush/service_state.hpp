#pragma once

#include "engine/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tocsin::webpush {

/// Whether a push service takes anything at this moment, as one thread sees it. Holds no clock.
///
/// A service that turns requests away is left alone for as long as it says, then asked with two requests at a
/// time until one is taken. One that cannot be reached, or does not answer, gets nothing until it can be: who
/// waits for it would hold up what goes elsewhere.
class service_state {
public:
    /// From so many refusals without an acceptance between them on, they are about the service and not about
    /// single devices.
    static constexpr std::uint32_t refusals_to_pause = 10;
    static constexpr std::size_t probes = 2;
    /// One that is broken for so long, and takes nothing meanwhile, is so for everybody: few devices may ask.
    static constexpr std::chrono::milliseconds trouble_to_believe{3'000};
    /// Requests on their way before the first answer that speaks for our credential: if that is wrong, more
    /// would only be more refusals.
    static constexpr std::size_t most_unproven = 16;
    /// From so many refusals of the credential without anything else between them on, what waits goes back.
    static constexpr std::uint32_t denials_to_believe = 3;
    /// Without any answer for this long no more is sent.
    static constexpr std::chrono::milliseconds patience{2'000};

    /// How long to wait before something is sent; zero: now.
    [[nodiscard]] std::chrono::milliseconds wait(time_point now) const noexcept {
        return now < until_ ? std::chrono::ceil<std::chrono::milliseconds>(until_ - now)
                            : std::chrono::milliseconds::zero();
    }
    /// How many requests may be on their way.
    [[nodiscard]] std::size_t most_in_flight() const noexcept {
        if (probing_) {
            return probes;
        }
        return proven_ ? SIZE_MAX : most_unproven;
    }
    /// It has turned everything away of late: what it refuses now is no matter of the push.
    [[nodiscard]] bool probing() const noexcept { return probing_; }
    [[nodiscard]] bool reachable() const noexcept { return reachable_; }

    void accepted() noexcept {
        refusals_ = 0;
        pauses_ = 0;
        denials_ = 0;
        probing_ = false;
        proven_ = true;
    }
    /// It does not accept our credential. True if that has to be believed.
    bool denied() noexcept {
        if (++denials_ < denials_to_believe) {
            return false;
        }
        proven_ = false;
        return true;
    }
    /// It wants to be asked less, or is `broken`, which no single device brings about for long. True if it is
    /// left alone from now on.
    bool refused(
        time_point now, std::optional<std::chrono::milliseconds> told, bool broken = false) noexcept {
        refused_since_ = refusals_ == 0 ? now : refused_since_;
        ++refusals_;
        longest_told_ = std::max(longest_told_, told.value_or(std::chrono::milliseconds::zero()));
        const bool believed = refusals_ >= refusals_to_pause || probing_ ||
                              (broken && now - refused_since_ >= trouble_to_believe);
        if (now < until_ || !believed) {
            return false;
        }
        until_ = now + std::max(longest_told_, backoff());
        longest_told_ = {};
        refusals_ = 0;
        probing_ = true;
        return true;
    }
    /// A connection could not be opened, or nothing is answered on those that there are.
    void lost(time_point now) noexcept {
        reachable_ = false;
        until_ = std::max(until_, now + backoff());
    }
    /// There is a connection.
    void found(time_point now) noexcept {
        if (!reachable_) {
            reachable_ = true;
            until_ = std::min(until_, now);
        }
    }

private:
    /// 1, 2, 4 … 30 s.
    [[nodiscard]] std::chrono::milliseconds backoff() noexcept {
        pauses_ = std::min(pauses_ + 1, 6U);
        return std::min(std::chrono::milliseconds(500) * (1U << pauses_), std::chrono::milliseconds(30'000));
    }

    time_point until_{};
    time_point refused_since_{};
    std::chrono::milliseconds longest_told_{};
    std::uint32_t refusals_ = 0;
    std::uint32_t pauses_ = 0;
    std::uint32_t denials_ = 0;
    bool probing_ = false;
    bool proven_ = false;
    bool reachable_ = true;
};

}  // namespace tocsin::webpush
