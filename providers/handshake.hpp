#pragma once

#include "engine/ops/settings.hpp"

#include <string>
#include <vector>

namespace tocsin {

/// Whether one provider could be reached the way the engine would: name, TCP, verified TLS, h2.
struct handshake_report {
    std::string peer;            ///< "mairies/apns https://api.push.apple.com"
    std::string problem;         ///< Empty if it worked.
    bool configuration = false;  ///< It was reached, and will not help before somebody corrects something.
    bool harmless = false;       ///< It works nevertheless: a warning.
};

/// Tries every distinct address of the configuration, one after the other, ten seconds each at most.
/// Sends no request. Blocks.
[[nodiscard]] std::vector<handshake_report> shake_hands(const settings& how);

}  // namespace tocsin
