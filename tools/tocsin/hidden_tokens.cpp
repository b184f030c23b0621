#include "tools/tocsin/hidden_tokens.hpp"

#include "engine/core/log.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace tocsin::cli {
namespace {

constexpr std::size_t least_hex_token = 32;
// Longer than a UUID: the ids of events are not what is to be hidden. FCM's tokens have some 150.
constexpr std::size_t least_word_token = 40;

constexpr auto token_members =
    std::to_array<std::string_view>({"\"token\"", "\"fid\"", "\"endpoint\"", "\"p256dh\"", "\"auth\""});
constexpr auto token_selectors =
    std::to_array<std::string_view>({"device:apns:", "device:fcm:", "device:webpush:"});

constexpr bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr bool is_token_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == ':';
}

std::size_t past_blanks(std::string_view text, std::size_t at) noexcept {
    return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

/// If a member that holds a token begins here: where its value begins, behind the quote.
std::optional<std::size_t> token_member(std::string_view text) noexcept {
    for (const std::string_view name : token_members) {
        if (!text.starts_with(name)) {
            continue;
        }
        const std::size_t colon = past_blanks(text, name.size());
        if (!text.substr(colon).starts_with(':')) {
            continue;
        }
        const std::size_t value = past_blanks(text, colon + 1);
        if (text.substr(value).starts_with('"')) {
            return value + 1;
        }
    }
    return std::nullopt;
}

std::optional<std::size_t> token_selector(std::string_view text) noexcept {
    for (const std::string_view start : token_selectors) {
        if (text.starts_with(start)) {
            return start.size();
        }
    }
    return std::nullopt;
}

/// The first and the last characters, if all are ones of a token: others may be halves of a character
/// or of an escape, and not even the ends of them may be kept.
std::string hidden(std::string_view token) {
    return std::ranges::all_of(token, is_token_character) ? shorten_token(token) : shorten_token({});
}

bool could_be_token(std::string_view word) noexcept {
    return word.size() >= least_word_token ||
           (word.size() >= least_hex_token && std::ranges::all_of(word, is_hex));
}

std::size_t length_of_literal(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size() && text[at] != '"') {
        at += text[at] == '\\' ? 2 : 1;
    }
    return std::min(at, text.size());
}

}  // namespace

std::string shorten_tokens(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t shown = 0;
        std::size_t secret = 0;
        if (const auto value = token_member(text)) {
            shown = *value;
            secret = length_of_literal(text.substr(shown));
        } else if (const auto token = token_selector(text)) {
            shown = *token;
            secret = std::min(text.find_first_of(" \t\r\n\"'\\", shown), text.size()) - shown;
        } else {
            const auto* const end = std::ranges::find_if_not(text, is_token_character);
            const auto word = static_cast<std::size_t>(end - text.begin());
            secret = could_be_token(text.substr(0, word)) ? word : 0;
            shown = secret != 0 ? 0 : std::max<std::size_t>(word, 1);
        }
        out += text.substr(0, shown);
        if (secret != 0) {
            out += hidden(text.substr(shown, secret));
        }
        text.remove_prefix(shown + secret);
    }
    return out;
}

}  // namespace tocsin::cli
