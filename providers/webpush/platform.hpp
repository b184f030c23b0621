#pragma once

#include "providers/platform_descriptor.hpp"

namespace tocsin::webpush {

[[nodiscard]] const platform_descriptor& describe_platform();

}  // namespace tocsin::webpush
