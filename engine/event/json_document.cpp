#include "engine/event/json_document.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"
#include "engine/event/refusal_codes.hpp"
#include "engine/event/strict_json.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;

// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
constexpr std::int64_t last_second = 253'402'300'799;

std::string_view name_of(json_kind kind) noexcept {
    switch (kind) {
        case json_kind::string: return "a string";
        case json_kind::integer: return "an integer";
        case json_kind::boolean: return "true or false";
        case json_kind::array: return "an array";
        case json_kind::object: return "an object";
        case json_kind::time: return "RFC 3339 text or an integer of Unix seconds";
        case json_kind::number_or_null: return "a number or null";
    }
    return "something else";
}

std::string_view name_of(json::kind kind) noexcept {
    switch (kind) {
        case json::kind::null: return "null";
        case json::kind::bool_: return "a boolean";
        case json::kind::int64: return "an integer";
        case json::kind::uint64: return "an integer beyond 64 bits";
        case json::kind::double_: return "a number with a fraction or exponent";
        case json::kind::string: return "a string";
        case json::kind::array: return "an array";
        case json::kind::object: return "an object";
    }
    return "something else";
}

bool is_kind(const json::value& value, json_kind kind) noexcept {
    switch (kind) {
        case json_kind::string: return value.is_string();
        case json_kind::integer: return value.is_int64();
        case json_kind::boolean: return value.is_bool();
        case json_kind::array: return value.is_array();
        case json_kind::object: return value.is_object();
        case json_kind::time: return value.is_string() || value.is_int64();
        case json_kind::number_or_null: return value.is_number() || value.is_null();
    }
    return false;
}

}  // namespace

parsed<json::object> parse_document(std::string_view text, const document_limits& limits) {
    if (text.size() > limits.max_bytes) {
        return refuse(
            refusal_code::too_large, "the document has " + std::to_string(text.size()) + " bytes; at most " +
                                         std::to_string(limits.max_bytes) + " are read");
    }
    if (!is_utf8(text)) {
        return refuse(
            refusal_code::invalid_utf8, "the document is not well-formed UTF-8 from byte " +
                                            std::to_string(first_bad_utf8(text)) + " on");
    }
    auto value = parse_strict_json(text, limits.max_depth);
    if (!value) {
        return std::move(value).error();
    }
    if (auto* object = value->if_object()) {
        return std::move(*object);
    }
    return refuse(
        refusal_code::not_an_object,
        "the document must be an object, not " + std::string(name_of(value->kind())));
}

parsed<> check_fields(const json::object& object, std::span<const field_rule> rules, std::string_view path) {
    for (const auto& [key, value] : object) {
        const std::string_view name(key.data(), key.size());
        const auto rule = std::ranges::find(rules, name, &field_rule::name);
        if (rule == rules.end()) {
            std::vector<std::string_view> names;
            std::ranges::transform(rules, std::back_inserter(names), &field_rule::name);
            std::string where = path.empty() ? "" : " in " + std::string(path);
            return refuse(
                refusal_code::unknown_field,
                "unknown field " + in_quotes(name) + where + suggestion(name, names));
        }
        if (!is_kind(value, rule->kind)) {
            return wrong_type(join_path(path, name), rule->kind, value);
        }
    }
    for (const field_rule& rule : rules) {
        if (rule.required && !object.contains(rule.name)) {
            return refuse(refusal_code::missing_field, join_path(path, rule.name) + " is required");
        }
    }
    return {};
}

refusal wrong_type(std::string_view path, json_kind expected, const json::value& found) {
    return refuse(
        refusal_code::wrong_type, std::string(path) + " must be " + std::string(name_of(expected)) +
                                      ", not " + std::string(name_of(found.kind())));
}

std::string join_path(std::string_view path, std::string_view name) {
    std::string joined(path);
    if (!joined.empty()) {
        joined += '.';
    }
    joined += name;
    return joined;
}

std::string_view text_of(const json::value& value) noexcept {
    const auto* text = value.if_string();
    return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

parsed<wall_time> read_time(const json::value& value, std::string_view path) {
    if (const auto* seconds = value.if_int64()) {
        if (*seconds < 0 || *seconds > last_second) {
            return refuse(
                refusal_code::invalid_time,
                std::string(path) + " is not in Unix seconds: " + std::to_string(*seconds) +
                    (*seconds < 0 ? " lies before 1970" : " lies past the year 9999 (milliseconds?)"));
        }
        return wall_time(std::chrono::seconds(*seconds));
    }
    const std::string_view text = text_of(value);
    if (const auto when = parse_rfc3339(text)) {
        return *when;
    }
    return refuse(
        refusal_code::invalid_time,
        std::string(path) + " must be RFC 3339, as in \"2026-11-23T06:00:00Z\", or Unix seconds, not " +
            in_quotes(text));
}

parsed<> check_text(std::string_view text, std::size_t limit, std::string_view path) {
    if (text.size() > limit) {
        return refuse(
            refusal_code::text_too_long, std::string(path) + " has " + std::to_string(text.size()) +
                                             " bytes; at most " + std::to_string(limit) + " are allowed");
    }
    const auto found = std::ranges::find_if(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0x7F || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
    });
    if (found != text.end()) {
        return refuse(
            refusal_code::control_character,
            std::string(path) + " holds a control character at byte " + std::to_string(found - text.begin()));
    }
    return {};
}

std::string excerpt(std::string_view input, std::size_t limit) {
    std::string out;
    std::size_t characters = 0;
    for (const char c : input) {
        const auto byte = static_cast<unsigned char>(c);
        // Counted at the first byte of a character, so that none is cut in the middle.
        if ((byte & 0xC0U) != 0x80U && ++characters > limit) {
            out += "…";
            break;
        }
        out += byte < 0x20 || byte == 0x7F || c == '"' ? '?' : c;
    }
    return out;
}

std::string in_quotes(std::string_view input, std::size_t limit) {
    return '"' + excerpt(input, limit) + '"';
}

std::string suggestion(std::string_view word, std::span<const std::string_view> names) {
    const std::string_view best = nearest(word, names);
    return best.empty() ? std::string() : "; did you mean \"" + std::string(best) + "\"?";
}

}  // namespace tocsin
