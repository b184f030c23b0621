#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// A code point and how many bytes of UTF-8 it takes.
struct code_point {
    char32_t value;
    std::size_t size;
};

/// The code point at the front of `bytes`; nothing if they are not UTF-8 there. `bytes` is not empty.
[[nodiscard]] std::optional<code_point> front_of(std::string_view bytes) noexcept;

/// True for what could move a cursor, end a line, or make a line read other than it is: the control
/// characters C0 and C1, what sets the direction of text, and noncharacters.
[[nodiscard]] constexpr bool is_unprintable(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || c == 0x2028 ||
           c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           (c >= 0xFDD0 && c <= 0xFDEF) || c == 0xFEFF || (c & 0xFFFEU) == 0xFFFE;
}

/// Text that strangers chose, as a person may be shown it: \n, \t and \r for themselves, \u001b for what else
/// is unprintable, \xff for a byte that is not UTF-8. The characters in `kept` stay as they are.
[[nodiscard]] std::string made_visible(std::string_view bytes, std::string_view kept = {});

/// A JSON document that says the same with escapes for what is unprintable, and is UTF-8: U+FFFD stands for
/// each byte that was not.
[[nodiscard]] std::string printable_json(std::string_view document);

/// A URL, or what was meant to be one, without the user and the password.
[[nodiscard]] std::string without_password(std::string_view url);

}  // namespace tocsin
