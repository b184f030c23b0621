#pragma once

#include "engine/ops/settings.hpp"
#include "providers/handshake.hpp"

#include <vector>

namespace tocsin {

/// Whether each service account of the configuration gets an access token from its endpoint: asks for
/// one, the way the engine would, and throws it away. One after the other, ten seconds each at most.
/// Blocks.
[[nodiscard]] std::vector<handshake_report> check_tokens(const settings& how);

}  // namespace tocsin
