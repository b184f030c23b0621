#include "tools/simulator/latency.hpp"

#include "tools/simulator/chance.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tocsin::sim {
namespace {

constexpr double z_of_99th_percentile = 2.3263478740408408;

duration from_milliseconds(double ms) noexcept {
    // An hour bounds what the far tail of a careless distribution can do.
    const double bounded = std::clamp(ms, 0.0, 3'600'000.0);
    return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>(bounded));
}

/// A standard normal number (Box and Muller).
double normal(std::uint64_t bits) noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - unit(bits)));
    return radius * std::cos(2.0 * std::numbers::pi * unit(scramble(bits)));
}

}  // namespace

duration latency::sample(std::uint64_t bits) const noexcept {
    switch (kind) {
        case shape::none: return duration::zero();
        case shape::fixed: return from_milliseconds(first);
        case shape::uniform: return from_milliseconds(first + (second - first) * unit(bits));
        case shape::lognormal: {
            const double sigma = std::log(second / first) / z_of_99th_percentile;
            return from_milliseconds(first * std::exp(sigma * normal(bits)));
        }
    }
    return duration::zero();
}

}  // namespace tocsin::sim
