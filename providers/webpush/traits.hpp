#pragma once

#include "engine/platform/platform_traits.hpp"

namespace tocsin::webpush {

[[nodiscard]] const platform_traits& traits();

}  // namespace tocsin::webpush
