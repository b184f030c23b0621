#pragma once

#include "engine/core/error.hpp"

#include <span>
#include <string>
#include <string_view>

// Which push services a subscription may name. An endpoint comes from a browser, and whatever it names is
// sent to: so only those that browsers are known to use, and those that the configuration lists.

namespace tocsin {

/// Whether `origin` (as origin_of_endpoint() writes it) is that of a service which browsers use.
[[nodiscard]] bool is_known_push_service(std::string_view origin) noexcept;

/// Whether the configuration lists it.
[[nodiscard]] bool is_listed_push_service(
    std::string_view origin, std::span<const std::string> services) noexcept;

/// Refuses the endpoint of a service that is neither.
[[nodiscard]] parsed<> check_push_service(std::string_view endpoint, std::span<const std::string> services);

}  // namespace tocsin
