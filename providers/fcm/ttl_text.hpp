#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace tocsin::fcm {

/// Google keeps no message longer (REST reference, AndroidConfig.ttl): 28 days.
inline constexpr std::chrono::seconds longest_ttl = std::chrono::hours(24 * 28);

/// A number of seconds in decimal, as up to three views of digits that live for ever: what is left of an
/// event's time differs from second to second, and is spliced into a body that is shared by all of its
/// pushes.
///
/// At most longest_ttl; nothing below zero.
[[nodiscard]] std::array<std::string_view, 3> ttl_text(std::chrono::seconds left) noexcept;

}  // namespace tocsin::fcm
