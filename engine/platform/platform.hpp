#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// A push service, or a kind of them. The engine knows which there are, what they are called in documents and
/// how large their devices are in the store, and nothing of how they work: this file is the only one of the
/// engine that a new one touches. Stored by number: one that is added comes last.
enum class platform : std::uint8_t { apns, fcm, webpush };

struct platform_row {
    platform id;
    std::string_view name;  ///< In events, registrations, metrics and the configuration.
    char letter;            ///< In the names of keys, which are repeated for every hundred devices.
    /// One roster bucket for so many of a commune. At 35 % following, a quarter of them with the first
    /// platform, a bucket holds some 70 to 80 devices: enough that what a command costs Redis is little
    /// beside what its reply does, and inside what Redis keeps in its compact form (256) even if everybody
    /// follows. Those of the last are larger and fewer.
    std::uint32_t inhabitants_per_bucket;
};

inline constexpr auto platform_table = std::to_array<platform_row>({
    {platform::apns, "apns", 'a', 800},
    {platform::fcm, "fcm", 'f', 300},
    {platform::webpush, "webpush", 'w', 300},
});
constexpr std::size_t platform_count = platform_table.size();
static_assert(std::ranges::all_of(platform_table, [](const platform_row& row) {
    return &row == &platform_table[static_cast<std::size_t>(row.id)];
}));

[[nodiscard]] constexpr const platform_row& row_of(platform which) noexcept {
    return platform_table[static_cast<std::size_t>(which)];
}

[[nodiscard]] constexpr std::string_view to_string(platform which) noexcept {
    const auto index = static_cast<std::size_t>(which);
    return index < platform_count ? platform_table[index].name : std::string_view("unknown");
}
[[nodiscard]] std::optional<platform> parse_platform(std::string_view name) noexcept;

/// The names of all, in order: what a word is compared with that is none of them.
inline constexpr auto platform_names = [] {
    std::array<std::string_view, platform_count> out;
    std::ranges::transform(platform_table, out.begin(), &platform_row::name);
    return out;
}();

/// All of them in a sentence, each between `before` and `after`: "one, two or three".
[[nodiscard]] std::string list_platforms(
    std::string_view conjunction, std::string_view before = {}, std::string_view after = {});

}  // namespace tocsin
