#pragma once

#include "providers/fcm/settings.hpp"
#include "providers/handshake_report.hpp"

#include <string>

namespace tocsin::fcm {

/// Whether the service account gets an access token from its endpoint: asks for one, the way the engine
/// would, and throws it away. Ten seconds at most. Blocks.
[[nodiscard]] handshake_report ask_for_token(const std::string& app, const fcm_settings& given);

}  // namespace tocsin::fcm
