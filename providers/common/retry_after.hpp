#pragma once

#include "engine/core/clock.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace tocsin {

/// Reads a Retry-After field (RFC 9110, section 10.2.3): delta-seconds or an HTTP-date. A date in
/// the past is zero; nothing is longer than a quarter of an hour, so that a peer's typo cannot stop an app
/// for good.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(
    std::string_view text, wall_time now) noexcept;

/// Reads a duration in protobuf's JSON form ("30s", "1.5s"), with the same limits.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_proto_duration(std::string_view text) noexcept;

}  // namespace tocsin
