#include "engine/core/visible_text.hpp"

#include "engine/core/text.hpp"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace tocsin {
namespace {

constexpr std::size_t length_of(unsigned char first) noexcept {
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

void append_escape(std::string& out, char32_t value) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(value));
}

}  // namespace

std::optional<code_point> front_of(std::string_view bytes) noexcept {
    const auto byte = [bytes](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::size_t size = length_of(static_cast<unsigned char>(bytes.front()));
    if (bytes.size() < size || !is_utf8(bytes.substr(0, size))) {
        return std::nullopt;
    }
    switch (size) {
        case 1: return code_point{byte(0), 1};
        case 2: return code_point{(byte(0) & 0x1F) << 6U | (byte(1) & 0x3F), 2};
        case 3: return code_point{(byte(0) & 0x0F) << 12U | (byte(1) & 0x3F) << 6U | (byte(2) & 0x3F), 3};
        default:
            return code_point{
                (byte(0) & 0x07) << 18U | (byte(1) & 0x3F) << 12U | (byte(2) & 0x3F) << 6U | (byte(3) & 0x3F),
                4};
    }
}

std::string made_visible(std::string_view bytes, std::string_view kept) {
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto next = front_of(bytes);
        const std::size_t size = next ? next->size : 1;
        if (!next) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(bytes.front()));
        } else if (
            !is_unprintable(next->value) ||
            (size == 1 && kept.find(bytes.front()) != std::string_view::npos)) {
            out += bytes.substr(0, size);
        } else if (next->value == U'\n') {
            out += "\\n";
        } else if (next->value == U'\t') {
            out += "\\t";
        } else if (next->value == U'\r') {
            out += "\\r";
        } else if (next->value > 0xFFFF) {
            fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<std::uint32_t>(next->value));
        } else {
            append_escape(out, next->value);
        }
        bytes.remove_prefix(size);
    }
    return out;
}

std::string printable_json(std::string_view document) {
    std::string out;
    out.reserve(document.size());
    while (!document.empty()) {
        const auto next = front_of(document);
        const std::size_t size = next ? next->size : 1;
        if (!next) {
            out += "\xEF\xBF\xBD";
        } else if (next->value < 0x7F || !is_unprintable(next->value)) {
            out += document.substr(
                0, size);  // A writer of JSON has escaped C0 in strings; elsewhere it is white space.
        } else if (next->value > 0xFFFF) {
            const char32_t rest = next->value - 0x10000;
            append_escape(out, 0xD800 + (rest >> 10U));
            append_escape(out, 0xDC00 + (rest & 0x3FFU));
        } else {
            append_escape(out, next->value);
        }
        document.remove_prefix(size);
    }
    return out;
}

std::string without_password(std::string_view url) {
    const std::size_t at = url.rfind('@');
    if (at == std::string_view::npos) {
        return std::string(url);
    }
    const std::size_t scheme = url.substr(0, at).find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    return std::string(url.substr(0, begin)) + "…" + std::string(url.substr(at));
}

}  // namespace tocsin
