#pragma once

#include "engine/core/error.hpp"

#include <cstddef>
#include <string_view>

namespace tocsin {

// The form of what stands in the place of a token. Tokens themselves are their platform's matter
// (platform_traits::check_token).
constexpr std::size_t min_fid = 10;
constexpr std::size_t max_fid = 64;
constexpr std::size_t max_endpoint = 1536;

/// A Firebase installation id: A-Z a-z 0-9 - _
[[nodiscard]] parsed<> check_fid(std::string_view fid, std::string_view path);

}  // namespace tocsin
