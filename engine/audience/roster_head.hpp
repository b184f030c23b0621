#pragma once

#include "engine/event/territory.hpp"
#include "engine/platform/platform.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

/// Where the devices of one (app, territory, platform) are, or an app's index. Written once, when the first
/// device comes, and the same for everybody from then on.
struct roster_head {
    std::uint32_t generation = 1;
    std::uint32_t buckets = 1;
};

/// The field of a roster's head in the hash of an app's heads.
[[nodiscard]] std::string roster_head_field(platform on, const territory& where);

/// More buckets than the largest commune of any file of territories can need: a head that names more is
/// damaged, and an event that believed it would have millions of empty pages.
constexpr std::uint32_t max_roster_buckets = 1U << 20U;
/// A roster begins a generation each time that it grows: far fewer than this. More would leave none for
/// later.
constexpr std::uint32_t max_roster_generation = 1'000'000'000;

/// Empty if `text` is not something that encode_roster_head() has written.
[[nodiscard]] std::optional<roster_head> decode_roster_head(std::string_view text) noexcept;
[[nodiscard]] std::string encode_roster_head(const roster_head& head);

}  // namespace tocsin
