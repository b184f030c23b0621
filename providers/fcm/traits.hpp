#pragma once

#include "engine/platform/platform_traits.hpp"

namespace tocsin::fcm {

[[nodiscard]] const platform_traits& traits();

}  // namespace tocsin::fcm
