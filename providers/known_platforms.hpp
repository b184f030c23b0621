#pragma once

#include "engine/platform/platform_traits.hpp"

namespace tocsin {

/// The traits of every platform, for who reads documents.
[[nodiscard]] platform_set known_platforms();

}  // namespace tocsin
