#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>

namespace tocsin {

/// How far our time of day is ahead of that of a peer who wrote `date` (an HTTP-date) into an answer. Nothing
/// if that cannot be told: there is no date in it, or the answer took so long that it says too little about
/// when the peer read its clock.
[[nodiscard]] std::optional<std::chrono::seconds> clock_ahead(
    std::string_view date, duration round_trip, wall_time now) noexcept;

/// Whether clocks that are so far apart are worth telling: what is signed here is refused as too old, or as
/// from the future, and expiries count from another moment.
[[nodiscard]] bool are_apart(std::optional<std::chrono::seconds> ahead) noexcept;

/// What was said of a peer's clock. Threads may share one.
class peer_clock {
public:
    /// Says in the log, once until they agree again, that the clocks are apart.
    void compare(std::optional<std::chrono::seconds> ahead, std::string_view peer, logger& log);

private:
    std::atomic<bool> told_{false};
};

}  // namespace tocsin
