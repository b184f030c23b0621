#pragma once

#include "engine/core/error.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <string_view>

namespace tocsin {

/// Parses well-formed UTF-8 as JSON. Refuses what a parser commonly lets pass: a key twice in one
/// object (Boost.JSON keeps the last), NUL inside a string or key, nesting past `max_depth`.
[[nodiscard]] parsed<boost::json::value> parse_strict_json(std::string_view text, std::size_t max_depth);

/// The offset of the first byte that is_utf8() objects to; the size if there is none.
[[nodiscard]] std::size_t first_bad_utf8(std::string_view text) noexcept;

}  // namespace tocsin
