#pragma once

#include "engine/platform/platform_traits.hpp"

#include <cstddef>

namespace tocsin::apns {

// Bytes, of which each is two hexadecimal digits. Bounds that hold every token that is given out today, and
// keep what is not one out of paths: a token is spliced into them.
constexpr std::size_t min_token = 16;
constexpr std::size_t max_token = 200;

/// Tokens are hex of either case in documents, and bytes in the store.
[[nodiscard]] const platform_traits& traits();

}  // namespace tocsin::apns
