#include "engine/core/pem_text.hpp"

#include <cstddef>

namespace tocsin {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view mark_end = "-----";
constexpr std::size_t line_length = 64;

bool is_base64(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The base64 of a block's body without what stands between its lines; empty if it is something else.
std::string joined(std::string_view body) {
    std::string out;
    for (std::size_t at = 0; at < body.size(); ++at) {
        if (is_base64(body[at])) {
            out += body[at];
        } else if (body[at] == '\\') {
            // Escaped once or many times over. A backslash is no base64, so what follows it is the escape's.
            while (at + 1 < body.size() && body[at + 1] == '\\') {
                ++at;
            }
            if (at + 1 < body.size() && (body[at + 1] == 'n' || body[at + 1] == 'r' || body[at + 1] == 't')) {
                ++at;
            }
        } else if (!is_blank(body[at])) {
            return {};
        }
    }
    return out;
}

}  // namespace

std::string with_pem_lines(std::string_view text) {
    std::string out;
    std::string_view rest = text;
    for (;;) {
        const std::size_t begin = rest.find(begin_mark);
        if (begin == std::string_view::npos) {
            return out.empty() ? std::string(text) : out;
        }
        const std::size_t label_end = rest.find(mark_end, begin + begin_mark.size());
        if (label_end == std::string_view::npos) {
            return std::string(text);
        }
        const std::string_view label =
            rest.substr(begin + begin_mark.size(), label_end - begin - begin_mark.size());
        const std::string closing = std::string(end_mark).append(label).append(mark_end);
        const std::size_t body_at = label_end + mark_end.size();
        const std::size_t end = rest.find(closing, body_at);
        const std::string body =
            joined(rest.substr(body_at, end == std::string_view::npos ? 0 : end - body_at));
        if (body.empty()) {
            return std::string(text);
        }
        out.append(begin_mark).append(label).append(mark_end).append("\n");
        for (std::size_t at = 0; at < body.size(); at += line_length) {
            out.append(body, at, line_length).append("\n");
        }
        out.append(closing).append("\n");
        rest.remove_prefix(end + closing.size());
    }
}

}  // namespace tocsin
