#pragma once

#include "engine/core/clock.hpp"

#include <optional>
#include <string_view>

namespace tocsin {

/// Reads "Sun, 06 Nov 1994 08:49:37 GMT", the one form of a date that RFC 9110 lets servers send.
[[nodiscard]] std::optional<wall_time> parse_http_date(std::string_view text) noexcept;

}  // namespace tocsin
