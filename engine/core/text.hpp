#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

/// True if `bytes` are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::string_view bytes);
/// Writes 2 * bytes.size() characters to `out`, which must have room.
void to_hex(std::string_view bytes, char* out) noexcept;
/// Empty unless `hex` is an even number of hexadecimal digits of either case.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);

/// Base64url without padding (RFC 7515, section 2).
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

/// The candidate with the smallest edit distance to `word`, if it is close enough to be what was
/// meant (at most a third of its length); empty otherwise.
[[nodiscard]] std::string_view nearest(
    std::string_view word, std::span<const std::string_view> candidates) noexcept;

/// True if every character of `word` is one of A-Z a-z 0-9 and those in `also`.
[[nodiscard]] bool is_word(std::string_view word, std::string_view also) noexcept;

}  // namespace tocsin
