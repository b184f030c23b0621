#pragma once

#include "engine/core/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// Reads an RFC 3339 date-time ("2026-11-23T06:00:00Z", "…06:00:00.250+01:00"). A leap second is
/// read as the second after; fractions beyond a millisecond are cut.
[[nodiscard]] std::optional<wall_time> parse_rfc3339(std::string_view text) noexcept;

/// UTC with milliseconds: "2026-11-23T06:00:00.250Z".
[[nodiscard]] std::string format_rfc3339(wall_time when);

}  // namespace tocsin
