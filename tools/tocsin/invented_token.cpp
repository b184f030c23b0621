#include "tools/tocsin/invented_token.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::cli {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t letters_per_number = 10;  // Of 6 bits each, out of 64.

void append_letters(std::string& out, std::size_t until, std::mt19937_64& random) {
    while (out.size() < until) {
        std::uint64_t bits = random();
        for (std::size_t i = 0; i < letters_per_number && out.size() < until; ++i, bits >>= 6U) {
            out.push_back(letters[bits & 63U]);
        }
    }
}

}  // namespace

std::string invented_apns_token(std::mt19937_64& random) {
    std::string out(32, '\0');
    for (std::size_t at = 0; at < out.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t bits = random();
        std::memcpy(out.data() + at, &bits, sizeof bits);
    }
    return out;
}

std::string invented_fcm_token(std::mt19937_64& random) {
    std::string out;
    out.reserve(163);
    append_letters(out, 22, random);
    out += ":APA91b";
    append_letters(out, 163, random);
    return out;
}

}  // namespace tocsin::cli
