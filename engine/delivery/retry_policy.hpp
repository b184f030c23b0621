#pragma once

#include "engine/core/backoff.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace tocsin {

/// How many retries are in proportion to what is sent: each first try earns a fifth of one, and time a
/// few. An outage spends it at once; from then on retries wait, so that what the provider has to bear
/// shrinks instead of growing. Holds no clock.
class retry_budget {
public:
    void first_try() noexcept { credit_ = std::min(most, credit_ + per_push); }
    void time_passed(std::chrono::duration<double> how_much) noexcept {
        credit_ = std::max(credit_, std::min(least, credit_ + per_second * how_much.count()));
    }
    [[nodiscard]] bool affordable() const noexcept { return credit_ >= 1; }
    /// Of one that was affordable.
    void spend() noexcept { credit_ -= 1; }

private:
    static constexpr double per_push = 0.2;
    static constexpr double per_second = 10;
    static constexpr double least = 200;
    static constexpr double most = 20'000;
    double credit_ = least;
};

/// When a push that failed for a while is tried again.
struct retry_policy {
    std::chrono::milliseconds floor{1'000};
    std::chrono::milliseconds cap{600'000};

    /// `tries`: how many have failed so far, at least 1. `asked_for`: how long the provider wants to be
    /// left alone. `affordable`: what the budget said.
    template <std::uniform_random_bit_generator Rng>
    [[nodiscard]] std::chrono::milliseconds delay(
        std::uint32_t tries, std::optional<std::chrono::milliseconds> asked_for, bool affordable,
        Rng& random) const {
        // A tenth on top, spread: thousands were told the same and would return at the same instant.
        const std::chrono::milliseconds wanted =
            asked_for ? *asked_for + up_to(*asked_for / 10 + std::chrono::milliseconds(1), random)
                      : floor + backoff_delay({floor, cap}, tries - 1, random);
        return affordable ? wanted : std::max(wanted, over_budget) + up_to(over_budget, random);
    }

private:
    static constexpr std::chrono::milliseconds over_budget{30'000};

    template <std::uniform_random_bit_generator Rng>
    static std::chrono::milliseconds up_to(std::chrono::milliseconds most, Rng& random) {
        return std::chrono::milliseconds(
            std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
    }
};

}  // namespace tocsin
