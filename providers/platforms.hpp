#pragma once

#include "engine/ops/platform_configuration.hpp"
#include "providers/platform_descriptor.hpp"

#include <span>
#include <string_view>

namespace tocsin {

/// The platforms that this build has, in the order of the enumeration: the one list of them.
[[nodiscard]] std::span<const platform_descriptor* const> all_platforms();

/// What each says of the configuration, for load_config().
[[nodiscard]] platform_configurations all_platform_configurations();

/// A whole configuration file, for its reference.
[[nodiscard]] std::string_view configuration_example() noexcept;

}  // namespace tocsin
