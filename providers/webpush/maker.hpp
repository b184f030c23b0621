#pragma once

#include "providers/provider_kit.hpp"
#include "providers/webpush/settings.hpp"

#include <memory>

namespace tocsin::webpush {

/// Makes what sends to browsers. Apps with one key and subject share its tokens, and all with one ca_file the
/// connections.
[[nodiscard]] std::unique_ptr<provider_maker> make_maker(provider_kit& kit);

}  // namespace tocsin::webpush
