#include "engine/event/strict_json.hpp"

#include "engine/core/text.hpp"
#include "engine/event/json_document.hpp"
#include "engine/event/refusal_codes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;

// The names of the callbacks are Boost.JSON's.

/// What every handler of json::basic_parser must have; overridden by hiding, not virtually.
struct handler_base {
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return true; }
    bool on_object_end(std::size_t, error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_key(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code&) { return true; }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(double, json::string_view, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }
};

/// A decimal without what two ways of writing it may differ in: 1.50e3 and 1500.0 are both 15 and 3.
struct decimal {
    std::string digits;  ///< Neither begins nor ends in a nought; empty for nought.
    long exponent = 0;   ///< Of the first digit.

    bool operator==(const decimal&) const = default;
};

decimal read_decimal(std::string_view text) {
    decimal out;
    const std::size_t end = std::min(text.find_first_of("eE"), text.size());
    std::string_view power = text.substr(std::min(end + 1, text.size()));
    power.remove_prefix(power.starts_with('+') ? 1 : 0);
    std::from_chars(power.data(), power.data() + power.size(), out.exponent);
    const std::size_t point = std::min(text.find('.'), end);
    for (std::size_t at = text.starts_with('-') ? 1 : 0; at < end; ++at) {
        if (at == point || (out.digits.empty() && text[at] == '0')) {
            out.exponent -= at > point ? 1 : 0;
            continue;
        }
        out.exponent += at < point && !out.digits.empty() ? 1 : 0;
        out.exponent -= at > point && out.digits.empty() ? 1 : 0;
        out.digits += text[at];
    }
    out.digits.erase(out.digits.find_last_not_of('0') + 1);
    return out.digits.empty() ? decimal() : out;
}

/// Whether every digit of `text` is in `number`, which was read from it. Seventeen tell any two numbers
/// apart.
bool survives(std::string_view text, double number) {
    const decimal given = read_decimal(text);
    if (given.digits.empty()) {
        return true;
    }
    if (given.digits.size() > std::numeric_limits<double>::max_digits10) {
        return false;
    }
    std::array<char, 40> room{};
    const auto written = std::to_chars(
        room.data(), room.data() + room.size(), number, std::chars_format::scientific,
        static_cast<int>(given.digits.size()) - 1);
    return read_decimal({room.data(), written.ptr}) == given;
}

/// Builds the value as json::parser would, and counts what it cannot tell afterwards.
struct building_handler : handler_base {
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    building_handler() { stack.reset(); }

    bool on_object_end(std::size_t size, error_code&) {
        stack.push_object(size);
        members += size;
        return true;
    }
    bool on_array_end(std::size_t size, error_code&) {
        stack.push_array(size);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        stack.push_chars(part);
        return note(part);
    }
    bool on_key(json::string_view part, std::size_t, error_code&) {
        stack.push_key(part);
        return note(part);
    }
    bool on_string_part(json::string_view part, std::size_t, error_code&) {
        stack.push_chars(part);
        return note(part);
    }
    bool on_string(json::string_view part, std::size_t, error_code&) {
        stack.push_string(part);
        return note(part);
    }
    bool on_int64(std::int64_t number, json::string_view, error_code&) {
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
        stack.push_uint64(number);
        return true;
    }
    bool on_double(double /*number*/, json::string_view text, error_code& ec) {
        // Boost.JSON's own reading of decimals is off in the last place for one in thirteen.
        double number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool whole = text.find_first_of(".eE") == json::string_view::npos;
        if (whole || problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number) ||
            !survives(text, number)) {
            unfit_number = std::string(text.data(), std::min<std::size_t>(text.size(), 24));
            ec = json::error::exponent_overflow;
            return false;
        }
        stack.push_double(number);
        return true;
    }
    bool on_bool(bool value, error_code&) {
        stack.push_bool(value);
        return true;
    }
    bool on_null(error_code&) {
        stack.push_null();
        return true;
    }

    bool note(json::string_view part) noexcept {
        nul = nul || part.find('\0') != json::string_view::npos;
        return true;
    }

    json::value_stack stack;
    std::size_t members = 0;
    bool nul = false;
    std::string unfit_number;  ///< The beginning of one that no provider would get as it was written.
};

/// Finds the first key that stands twice in one object. Runs only when there is one.
struct duplicate_finder : handler_base {
    bool on_object_begin(error_code&) {
        open.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        open.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        key.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, error_code& ec) {
        key.append(part.data(), part.size());
        if (!open.back().seen.insert(key).second) {
            ec = json::error::not_found;  // Any error stops the parser.
            return false;
        }
        open.back().current = std::exchange(key, {});
        return true;
    }

    /// The keys that lead to the object which holds `key` twice.
    [[nodiscard]] std::string path() const {
        std::string joined;
        for (std::size_t i = 0; i + 1 < open.size(); ++i) {
            joined = join_path(joined, open[i].current);
        }
        return joined;
    }

    struct object_keys {
        std::unordered_set<std::string> seen;
        std::string current;
    };
    std::vector<object_keys> open;
    std::string key;
};

constexpr std::size_t unicode_escape = 6;  // \uXXXX

std::size_t count_members(const json::value& value) noexcept {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object) {
            count += count_members(member.value());
        }
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array) {
            count += count_members(element);
        }
    }
    return count;
}

/// Bytes of the UTF-8 sequence that begins with `first`, as far as that byte can tell.
std::size_t sequence_length(char first) noexcept {
    const auto lead = static_cast<unsigned char>(first);
    return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// The path of the first string or key that holds U+0000; empty if none does.
std::string find_nul(const json::value& value, const std::string& path) {
    const auto has_nul = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
    if (const auto* text = value.if_string()) {
        return has_nul({text->data(), text->size()}) ? path : std::string();
    }
    if (const auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (std::string found = find_nul((*array)[i], path + "[" + std::to_string(i) + "]");
                !found.empty()) {
                return found;
            }
        }
    }
    if (const auto* object = value.if_object()) {
        for (const auto& member : *object) {
            const std::string_view key(member.key().data(), member.key().size());
            std::string inner = join_path(path, key);
            if (has_nul(key)) {
                return inner;
            }
            if (std::string found = find_nul(member.value(), inner); !found.empty()) {
                return found;
            }
        }
    }
    return {};
}

/// The number that the \uXXXX at `at` stands for; nothing if there is none.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) noexcept {
    unsigned unit = 0;
    if (text.substr(std::min(at, text.size()), 2) != "\\u" || text.size() - at < unicode_escape) {
        return std::nullopt;
    }
    const char* const digits = text.data() + at + 2;
    const auto [end, problem] = std::from_chars(digits, digits + 4, unit, 16);
    return problem == std::errc() && end == digits + 4 ? std::optional(unit) : std::nullopt;
}

/// The offset of the first escape that is one half of a surrogate pair without the other.
std::optional<std::size_t> half_character(std::string_view text) noexcept {
    for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
        const auto unit = escaped_unit(text, at);
        const bool first = unit && *unit >= 0xD800 && *unit <= 0xDBFF;
        const bool second = unit && *unit >= 0xDC00 && *unit <= 0xDFFF;
        const auto next = first ? escaped_unit(text, at + unicode_escape) : std::nullopt;
        const bool paired = next && *next >= 0xDC00 && *next <= 0xDFFF;
        if (second || (first && !paired)) {
            return at;
        }
        at += first ? 2 * unicode_escape : unit ? unicode_escape : 2;
    }
    return std::nullopt;
}

refusal describe(error_code ec, std::string_view text, std::size_t offset, std::size_t max_depth) {
    if (ec == json::error::too_deep) {
        return refuse(
            refusal_code::too_deep, "arrays and objects are nested deeper than " + std::to_string(max_depth) +
                                        " levels at byte " + std::to_string(offset));
    }
    if (ec == json::error::incomplete) {
        return refuse(
            refusal_code::invalid_json,
            "not JSON: the document ends at byte " + std::to_string(offset) + " before it is complete");
    }
    if (const auto half = half_character(text); half && *half <= offset) {
        return refuse(
            refusal_code::invalid_json,
            "not JSON: half a character, " + std::string(text.substr(*half, unicode_escape)) + ", at byte " +
                std::to_string(*half) + ": what an emoji cut in two leaves; such escapes stand in pairs");
    }
    std::string message = "not JSON: " + ec.message() + " at byte " + std::to_string(offset);
    if (offset < text.size()) {
        const std::string_view found = text.substr(offset, sequence_length(text[offset]));
        message += is_utf8(found) ? ", which is " + in_quotes(found) : std::string();
    }
    return refuse(refusal_code::invalid_json, std::move(message));
}

refusal name_duplicate(std::string_view text, const json::parse_options& options) {
    json::basic_parser<duplicate_finder> parser(options);
    error_code ec;
    parser.write_some(false, text.data(), text.size(), ec);
    const duplicate_finder& finder = parser.handler();
    const std::string path = finder.path();
    return refuse(
        refusal_code::duplicate_key, "key " + in_quotes(finder.key, 20) + " stands twice in " +
                                         (path.empty() ? std::string("the document") : in_quotes(path)));
}

}  // namespace

parsed<json::value> parse_strict_json(std::string_view text, std::size_t max_depth) {
    json::parse_options options;
    options.max_depth = max_depth;
    json::basic_parser<building_handler> parser(options);
    error_code ec;
    const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && consumed < text.size()) {
        ec = json::error::extra_data;
    }
    if (!parser.handler().unfit_number.empty()) {
        return refuse(
            refusal_code::invalid_json, "the number " + parser.handler().unfit_number +
                                            " cannot be passed on as it is written: it has more digits than "
                                            "64 bits hold, or is too large; "
                                            "write it as a string");
    }
    if (ec) {
        return describe(ec, text, consumed, max_depth);
    }
    building_handler& handler = parser.handler();
    json::value value = handler.stack.release();
    if (handler.nul) {
        return refuse(
            refusal_code::control_character, in_quotes(find_nul(value, "")) + " holds the character U+0000");
    }
    if (count_members(value) != handler.members) {
        return name_duplicate(text, options);
    }
    return value;
}

std::size_t first_bad_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = sequence_length(text[at]);
        if (!is_utf8(text.substr(at, length))) {
            break;
        }
        at += length;
    }
    return std::min(at, text.size());
}

}  // namespace tocsin
