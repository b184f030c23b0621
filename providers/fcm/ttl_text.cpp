#include "providers/fcm/ttl_text.hpp"

#include <algorithm>
#include <cstddef>

namespace tocsin::fcm {
namespace {

constexpr std::size_t group = 3;

/// "000" to "999", one after another.
constexpr auto digits = [] {
    std::array<char, group * 1'000> out{};
    for (std::size_t i = 0; i < 1'000; ++i) {
        out[group * i] = static_cast<char>('0' + i / 100);
        out[group * i + 1] = static_cast<char>('0' + i / 10 % 10);
        out[group * i + 2] = static_cast<char>('0' + i % 10);
    }
    return out;
}();

std::string_view padded(std::size_t number) noexcept {
    return {digits.data() + group * number, group};
}

std::string_view plain(std::size_t number) noexcept {
    std::string_view out = padded(number);
    out.remove_prefix(number >= 100 ? 0 : (number >= 10 ? 1 : 2));
    return out;
}

}  // namespace

std::array<std::string_view, 3> ttl_text(std::chrono::seconds left) noexcept {
    const auto number =
        static_cast<std::size_t>(std::clamp(left, std::chrono::seconds(0), longest_ttl).count());
    if (number < 1'000) {
        return {plain(number)};
    }
    if (number < 1'000'000) {
        return {plain(number / 1'000), padded(number % 1'000)};
    }
    return {plain(number / 1'000'000), padded(number / 1'000 % 1'000), padded(number % 1'000)};
}

}  // namespace tocsin::fcm
