#pragma once

#include "engine/delivery/verdict.hpp"
#include "providers/http2/client.hpp"

namespace tocsin {

/// What it means for a push that its request was never answered, which is not the provider's to say.
[[nodiscard]] verdict no_answer(const http2::failed_request& failed) noexcept;

}  // namespace tocsin
