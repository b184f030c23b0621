#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// Reads documents that strangers wrote, and says in one sentence what is wrong with one.

namespace tocsin {

struct document_limits {
    std::size_t max_bytes = std::size_t{256} * 1024;
    std::size_t max_depth = 32;
};

/// A JSON object (RFC 8259), with nothing left to chance: well-formed UTF-8, no key twice in an
/// object, no NUL in a string or key, nothing behind the last brace.
[[nodiscard]] parsed<boost::json::object> parse_document(
    std::string_view text, const document_limits& limits);

enum class json_kind : std::uint8_t { string, integer, boolean, array, object, time, number_or_null };

/// One field of a document: the single place that the reader, the writer's tests and the published
/// schema are held to.
struct field_rule {
    std::string_view name;
    json_kind kind;
    bool required = false;
};

/// Refuses a field that has no rule, a value of the wrong type, and a required field that is not
/// there. `path` is where the object stands ("notification"), empty for the document itself.
[[nodiscard]] parsed<> check_fields(
    const boost::json::object& object, std::span<const field_rule> rules, std::string_view path);

/// The refusal of a value of the wrong type.
[[nodiscard]] refusal wrong_type(std::string_view path, json_kind expected, const boost::json::value& found);

/// "path.name", or "name" alone at the top.
[[nodiscard]] std::string join_path(std::string_view path, std::string_view name);

/// The text of a value whose type was checked.
[[nodiscard]] std::string_view text_of(const boost::json::value& value) noexcept;

/// RFC 3339 or Unix seconds, of a value whose kind was checked to be `time`.
[[nodiscard]] parsed<wall_time> read_time(const boost::json::value& value, std::string_view path);

/// At most `limit` bytes, and no control character but tab and line ends.
[[nodiscard]] parsed<> check_text(std::string_view text, std::size_t limit, std::string_view path);

/// A message holds at most 64 characters of input: a key of 20 in its path, and 40 more.
constexpr std::size_t longest_excerpt = 40;
constexpr std::size_t longest_key_excerpt = 20;
/// A piece of input that may stand in a message: on one line, and not all of it.
[[nodiscard]] std::string excerpt(std::string_view input, std::size_t limit = longest_excerpt);
/// The same in quotation marks.
[[nodiscard]] std::string in_quotes(std::string_view input, std::size_t limit = longest_excerpt);

/// `; did you mean "…"?` with the nearest of `names`, or nothing.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string_view> names);

}  // namespace tocsin
