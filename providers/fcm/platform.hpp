#pragma once

#include "providers/platform_descriptor.hpp"

namespace tocsin::fcm {

[[nodiscard]] const platform_descriptor& describe_platform();

}  // namespace tocsin::fcm
