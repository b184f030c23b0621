#pragma once

#include "engine/core/clock.hpp"

#include <cstdint>

namespace tocsin::sim {

/// How long a provider takes to answer.
struct latency {
    enum class shape : std::uint8_t {
        none,       ///< At once.
        fixed,      ///< `first` ms.
        uniform,    ///< Between `first` and `second` ms.
        lognormal,  ///< Median `first` ms, 99th percentile `second` ms.
    };
    shape kind = shape::none;
    double first = 0;   ///< Milliseconds.
    double second = 0;  ///< Milliseconds.

    /// The delay that 64 random bits stand for.
    [[nodiscard]] duration sample(std::uint64_t bits) const noexcept;

    friend bool operator==(const latency&, const latency&) = default;
};

}  // namespace tocsin::sim
