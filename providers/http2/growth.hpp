#pragma once

#include "engine/core/clock.hpp"

#include <cstddef>

namespace tocsin::http2 {

/// What a pool knows when it asks how many connections it can use.
struct demand {
    std::size_t known = 0;  ///< Requests that its clients could send within work_horizon.
    bool urgent = false;
    std::size_t streams_of_one = 100;  ///< What a connection carries at once.
    duration round_trip{};             ///< Measured; zero: nobody was answered yet.
};

/// Fewer connections would need longer than this for what is known, more would hardly be noticed.
inline constexpr duration work_horizon = std::chrono::milliseconds(100);

/// How many connections what is known to be waiting can use: as many as carry it within work_horizon, if
/// the provider is quick enough for that, and no more than one thread can feed. At least one.
[[nodiscard]] std::size_t connections_for(const demand& what) noexcept;

}  // namespace tocsin::http2
