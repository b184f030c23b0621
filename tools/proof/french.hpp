#pragma once

#include "engine/core/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// Numbers, times and dates as French print has them: no-break spaces (U+00A0, narrow U+202F) where a line
// must not end, decimal commas, dates in words.

namespace tocsin::french {

inline constexpr std::string_view narrow = "\u202F";  ///< Before ; ! ? %, within numbers, before units.
inline constexpr std::string_view wide = "\u00A0";    ///< Before a colon, inside guillemets.

/// 1234567 as "1 234 567".
[[nodiscard]] std::string number(std::uint64_t value);
/// 12.34 as "12,3" with one decimal.
[[nodiscard]] std::string decimal(double value, int decimals);
/// "36,4 %" of `part` in `whole`; a small share has up to four decimals, to be told from none. Empty: `whole`
/// is 0.
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t whole);
/// "850 ms", "12,3 s", "2 min 05 s", "1 h 02 min".
[[nodiscard]] std::string span(std::uint64_t ms);

/// The name of a place as it is printed: "L’Haÿ-les-Roses"; an article is not parted from it.
[[nodiscard]] std::string place(std::string_view name);
/// Where a commune of that name is: "à Dijon", "au Havre", "aux Ulis", "à La Rochelle".
[[nodiscard]] std::string in_commune(std::string_view name);

/// How far Paris is ahead of UTC at `when`: one hour, two in summer (directive 2000/84/EC).
[[nodiscard]] std::chrono::hours paris_offset(wall_time when) noexcept;
/// "lundi 23 novembre 2026 à 7 h 00 min 05 s": the time of Paris.
[[nodiscard]] std::string moment(wall_time when);
/// "23 novembre 2026", "1er mai 2026".
[[nodiscard]] std::string day(wall_time when);

}  // namespace tocsin::french
