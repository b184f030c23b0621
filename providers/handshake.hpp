#pragma once

#include "engine/ops/settings.hpp"
#include "providers/handshake_report.hpp"

#include <vector>

namespace tocsin {

/// Whether each provider can be reached the way the engine would: name, TCP, verified TLS, h2. Tries every
/// distinct address of the configuration, one after the other, ten seconds each at most. Sends no request.
/// Blocks.
[[nodiscard]] std::vector<handshake_report> shake_hands(const settings& how);

/// Whether each credential that can be tried without a push gets what it is for: asks, the way the engine
/// would, and throws it away. One after the other, ten seconds each at most. Blocks.
[[nodiscard]] std::vector<handshake_report> try_credentials(const settings& how);

}  // namespace tocsin
