#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace tocsin {

/// Reads a time of day, "07:00" to "23:59": minutes since midnight. Nothing else, not "7:00" nor "24:00".
[[nodiscard]] constexpr std::optional<std::chrono::minutes> parse_time_of_day(
    std::string_view text) noexcept {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return std::nullopt;
    }
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) {
        return std::nullopt;
    }
    return std::chrono::minutes(hours * 60 + minutes);
}

}  // namespace tocsin
