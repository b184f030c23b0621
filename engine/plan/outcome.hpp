#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

/// How a targeted device ends: exactly one of these (contract §6).
enum class outcome : std::uint8_t { accepted, dead, rejected, expired, cancelled, muted, failed };
constexpr std::size_t outcome_count = 7;

constexpr std::array<std::string_view, outcome_count> outcome_names{
    "accepted", "dead", "rejected", "expired", "cancelled", "muted", "failed"};

[[nodiscard]] constexpr std::string_view to_string(outcome value) noexcept {
    return outcome_names[static_cast<std::size_t>(value)];
}

}  // namespace tocsin
