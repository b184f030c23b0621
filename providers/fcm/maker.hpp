#pragma once

#include "providers/provider_kit.hpp"

#include <memory>

namespace tocsin::fcm {

/// Makes what sends to FCM. Apps with one service account share its access token, and all the connections.
[[nodiscard]] std::unique_ptr<provider_maker> make_maker(provider_kit& kit);

}  // namespace tocsin::fcm
