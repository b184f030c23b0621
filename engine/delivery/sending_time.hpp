#pragma once

#include <chrono>
#include <cstdint>

namespace tocsin {

/// How long `devices` pushes take through one target at `rate` a second, which must not be 0.
///
/// A quota that was idle starts at `gentle` pushes a second and has the whole rate after `ramp_up` of use;
/// a `ramp_up` of 0, as for critical events, has it at once.
[[nodiscard]] std::chrono::duration<double> sending_time(
    std::uint64_t devices, double rate, double gentle, std::chrono::duration<double> ramp_up) noexcept;

/// What one thread of the engine sends a second where nothing else is the limit, for plans: the lower end of
/// what docs/explanation/performance.md measures.
constexpr double planned_thread_rate = 100'000;

}  // namespace tocsin
