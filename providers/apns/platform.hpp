#pragma once

#include "providers/platform_descriptor.hpp"

namespace tocsin::apns {

[[nodiscard]] const platform_descriptor& describe_platform();

}  // namespace tocsin::apns
