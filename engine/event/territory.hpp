#pragma once

#include "engine/core/strong_id.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// A commune: its INSEE code, five characters read as a number in base 36, so that numbers are
/// ordered as codes are.
using commune_id = strong_id<struct commune_id_tag, std::uint32_t>;

/// The form of an INSEE code: two digits (not 00), or 2A or 2B, and three digits. Upper case only;
/// whether such a commune exists is for `territories` to say. No code has the number 0.
[[nodiscard]] std::optional<commune_id> parse_commune_id(std::string_view code) noexcept;
/// Whether the number is that of a code; for numbers that come from outside.
[[nodiscard]] bool is_commune_id(std::uint32_t number) noexcept;
[[nodiscard]] std::string to_string(commune_id id);

/// A department: the characters of its code, packed, so that "01" and "2A" and "971" are ordered
/// as codes are.
using department_id = strong_id<struct department_id_tag, std::uint32_t>;

/// The form of a department's code: 01 to 95 without 20, 2A, 2B, 971 to 978, 980 to 989.
[[nodiscard]] std::optional<department_id> parse_department_id(std::string_view code) noexcept;
[[nodiscard]] std::string to_string(department_id id);

/// An association of communes: its SIREN number of nine digits.
using epci_id = strong_id<struct epci_id_tag, std::uint32_t>;

[[nodiscard]] std::optional<epci_id> parse_epci_id(std::string_view siren) noexcept;
[[nodiscard]] std::string to_string(epci_id id);

/// Something a device can follow: a commune, or a zone that the commune's service has named.
///
/// The order, a commune before its zones, is the fixed order of deduplication. What is stored
/// depends on it, so it may never change.
struct territory {
    commune_id commune{0};
    std::string zone{};  ///< Empty: the commune itself.

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 misreads the 0 inside a defaulted <=>.
    friend auto operator<=>(const territory&, const territory&) = default;
};

constexpr std::size_t max_zone_name = 64;
/// 1 to 64 of A-Z a-z 0-9 . _ -
[[nodiscard]] bool is_zone_name(std::string_view name) noexcept;

/// "21231", or "21231:centre": short, because keys repeat it for every hundred devices.
[[nodiscard]] std::string to_string(const territory& where);
/// What to_string() writes.
[[nodiscard]] std::optional<territory> parse_territory(std::string_view text);

/// As a selector names it: "commune:21231", "zone:21231:centre".
[[nodiscard]] std::string selector_of(const territory& where);

}  // namespace tocsin
