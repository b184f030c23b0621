#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin {

// Reads JSON of which nothing has to be told if it is not as it should be: what we have stored ourselves,
// what a provider answers. What strangers hand in is read by event/json_document.hpp, which says what is
// wrong.

/// The object that `text` is; nothing if it is none.
[[nodiscard]] std::optional<boost::json::object> parse_object(std::string_view text);

/// What a member holds; empty if it is not there, or of another kind.
[[nodiscard]] std::string_view text_at(const boost::json::object& from, std::string_view name) noexcept;
/// A whole number, however it is written; no text.
[[nodiscard]] std::optional<std::int64_t> integer_at(
    const boost::json::object& from, std::string_view name) noexcept;
/// The same, nought or more.
[[nodiscard]] std::optional<std::uint64_t> count_at(
    const boost::json::object& from, std::string_view name) noexcept;
[[nodiscard]] const boost::json::array& list_at(
    const boost::json::object& from, std::string_view name) noexcept;
[[nodiscard]] const boost::json::object& part_at(
    const boost::json::object& from, std::string_view name) noexcept;

}  // namespace tocsin
