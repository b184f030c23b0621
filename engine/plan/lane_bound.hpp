#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

/// What holds a lane back at a moment.
enum class lane_bound : std::uint8_t {
    idle,        ///< Nothing to send, or its moment has not come.
    engine,      ///< Nothing but how fast we are.
    rate,        ///< The configured rate.
    quota,       ///< The provider's quota.
    credential,  ///< A credential that the provider does not take.
    operator_hold,
    streams,   ///< The streams and windows that the provider grants.
    redis,     ///< Its pages are being read.
    answers,   ///< All is sent; the provider has not answered yet.
    provider,  ///< It answers nothing but errors of its own; one push at a time finds out when that is over.
};
constexpr std::size_t lane_bound_count = 10;

constexpr std::array<std::string_view, lane_bound_count> lane_bound_names{
    "idle", "engine", "rate", "quota", "credential", "operator", "streams", "redis", "answers", "provider"};

[[nodiscard]] constexpr std::string_view to_string(lane_bound value) noexcept {
    return lane_bound_names[static_cast<std::size_t>(value)];
}

}  // namespace tocsin
