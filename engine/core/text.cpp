#include "engine/core/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace tocsin {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

const unsigned char* readable(std::string_view bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
    const auto* at = readable(bytes);
    const auto* const end = at + bytes.size();
    while (at != end) {
        if (*at < 0x80) {
            ++at;
            continue;
        }
        // Length and the range of the first continuation byte decide overlong forms and surrogates.
        std::ptrdiff_t length = 0;
        unsigned char low = 0x80;
        unsigned char high = 0xBF;
        if (*at >= 0xC2 && *at <= 0xDF) {
            length = 2;
        } else if (*at >= 0xE0 && *at <= 0xEF) {
            length = 3;
            low = *at == 0xE0 ? 0xA0 : low;
            high = *at == 0xED ? 0x9F : high;
        } else if (*at >= 0xF0 && *at <= 0xF4) {
            length = 4;
            low = *at == 0xF0 ? 0x90 : low;
            high = *at == 0xF4 ? 0x8F : high;
        } else {
            return false;
        }
        if (end - at < length || at[1] < low || at[1] > high) {
            return false;
        }
        for (std::ptrdiff_t i = 2; i < length; ++i) {
            if ((at[i] & 0xC0) != 0x80) {
                return false;
            }
        }
        at += length;
    }
    return true;
}

void to_hex(std::string_view bytes, char* out) noexcept {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *out++ = digits[byte >> 4U];
        *out++ = digits[byte & 0xFU];
    }
}

std::string to_hex(std::string_view bytes) {
    std::string out(bytes.size() * 2, '\0');
    to_hex(bytes, out.data());
    return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) {
        return std::nullopt;
    }
    std::string out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]);
        const int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

std::string base64url(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock adds a final NUL.
    const int size = EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(out.data()), readable(bytes), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    out.erase(std::ranges::find(out, '='), out.end());
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
    if (!is_word(text, "-_")) {
        return std::nullopt;
    }
    std::string padded(text);
    std::ranges::replace(padded, '-', '+');
    std::ranges::replace(padded, '_', '/');
    const std::size_t padding = (4 - padded.size() % 4) % 4;
    if (padding == 3) {
        return std::nullopt;
    }
    padded.append(padding, '=');
    std::string out(padded.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(
        reinterpret_cast<unsigned char*>(out.data()), readable(padded), static_cast<int>(padded.size()));
    if (size < 0) {
        return std::nullopt;
    }
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) noexcept {
    constexpr std::size_t longest = 63;
    if (word.empty() || word.size() > longest) {
        return {};
    }
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest) {
            continue;
        }
        std::array<std::size_t, longest + 1> row{};
        for (std::size_t j = 0; j <= candidate.size(); ++j) {
            row[j] = j;
        }
        for (std::size_t i = 1; i <= word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= candidate.size(); ++j) {
                const std::size_t substitution = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
            }
        }
        if (row[candidate.size()] < best_distance) {
            best_distance = row[candidate.size()];
            best = candidate;
        }
    }
    return best;
}

bool is_word(std::string_view word, std::string_view also) noexcept {
    return std::ranges::all_of(word, [also](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               also.find(c) != std::string_view::npos;
    });
}

}  // namespace tocsin
