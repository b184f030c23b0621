#include "engine/ops/log_format.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"
#include "engine/core/visible_text.hpp"
#include "engine/ops/utf8_repair.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

namespace tocsin {
namespace {

/// A JSON string, and a shell-like one for text: the same escapes serve both.
void append_quoted(std::string& out, std::string_view bytes) {
    const std::string text = repaired_utf8(bytes);
    out.push_back('"');
    for (std::string_view rest = text; !rest.empty();) {
        const auto [value, size] = *front_of(rest);
        if (value == U'"' || value == U'\\') {
            out.push_back('\\');
            out.push_back(rest.front());
        } else if (value == U'\n') {
            out += "\\n";
        } else if (value == U'\t') {
            out += "\\t";
        } else if (is_unprintable(value)) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(value));
        } else {
            out += rest.substr(0, size);
        }
        rest.remove_prefix(size);
    }
    out.push_back('"');
}

/// True for what JSON calls a number (RFC 8259, section 6). "nan" and "inf" are none.
bool is_json_number(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t start = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            ++at;
        }
        return at - start;
    };
    if (at < text.size() && text[at] == '-') {
        ++at;
    }
    const bool leading_zero = at < text.size() && text[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) {
        return false;
    }
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) {
            return false;
        }
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
            ++at;
        }
        if (digits() == 0) {
            return false;
        }
    }
    return at == text.size();
}

std::string json_line(
    wall_time when, log_level level, std::string_view event, std::span<const log_field> fields) {
    constexpr auto ours = std::to_array<std::string_view>({"ts", "level", "event"});
    std::string out = R"({"ts":")" + format_rfc3339(when) + R"(","level":")";
    out += name_of(level);
    out += R"(","event":)";
    append_quoted(out, event);
    for (const log_field& field : fields) {
        out.push_back(',');
        // Two members of one name would leave it to the reader which of them it sees.
        const bool taken = std::ranges::find(ours, field.key) != ours.end();
        append_quoted(out, taken ? std::string(field.key) + "_" : std::string(field.key));
        out.push_back(':');
        if (field.number && is_json_number(field.value)) {
            out += field.value;
        } else {
            append_quoted(out, field.value);
        }
    }
    out += "}\n";
    return out;
}

struct look {
    std::string_view name;  // Padded, so that events line up.
    std::string_view colour;
};

look look_of(log_level level) noexcept {
    switch (level) {
        case log_level::debug: return {"DEBUG  ", "\x1b[2m"};
        case log_level::info: return {"INFO   ", "\x1b[32m"};
        case log_level::warning: return {"WARNING", "\x1b[33m"};
        case log_level::error: return {"ERROR  ", "\x1b[1;31m"};
    }
    return {"", ""};
}

void append_word_or_quoted(std::string& out, std::string_view text) {
    if (!text.empty() && is_word(text, "._:/-+,@%")) {
        out += text;
    } else {
        append_quoted(out, text);
    }
}

std::string text_line(
    bool coloured, wall_time when, log_level level, std::string_view event,
    std::span<const log_field> fields) {
    const auto [name, colour] = look_of(level);
    std::string out = format_rfc3339(when);
    out.push_back(' ');
    if (coloured) {
        out += colour;
        out += name;
        out += "\x1b[0m";
    } else {
        out += name;
    }
    out.push_back(' ');
    append_word_or_quoted(out, event);
    for (const log_field& field : fields) {
        out.push_back(' ');
        append_word_or_quoted(out, field.key);
        out.push_back('=');
        append_word_or_quoted(out, field.value);
    }
    out.push_back('\n');
    return out;
}

}  // namespace

std::string_view name_of(log_level level) noexcept {
    switch (level) {
        case log_level::debug: return "debug";
        case log_level::info: return "info";
        case log_level::warning: return "warning";
        case log_level::error: return "error";
    }
    return "";
}

std::string format_log_line(
    log_format format, wall_time when, log_level level, std::string_view event,
    std::span<const log_field> fields) {
    return format == log_format::json
               ? json_line(when, level, event, fields)
               : text_line(format == log_format::colour_text, when, level, event, fields);
}

}  // namespace tocsin
