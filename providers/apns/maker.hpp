#pragma once

#include "providers/provider_kit.hpp"

#include <memory>

namespace tocsin::apns {

/// Makes what sends to APNs. Apps with one signing key share its token and connections.
[[nodiscard]] std::unique_ptr<provider_maker> make_maker(provider_kit& kit);

}  // namespace tocsin::apns
