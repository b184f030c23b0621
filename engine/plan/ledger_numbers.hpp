#pragma once

#include "engine/core/clock.hpp"

#include <charconv>
#include <cstdint>
#include <string_view>

// Numbers as the ledger has them in Redis.

namespace tocsin::ledger_numbers {

/// 0 if it is none.
inline std::uint64_t to_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

inline std::int64_t to_ms(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

}  // namespace tocsin::ledger_numbers
