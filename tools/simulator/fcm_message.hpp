#pragma once

#include "tools/simulator/reasons.hpp"

#include <string>
#include <string_view>

namespace tocsin::sim {

/// What FCM makes of the body of a messages:send.
struct fcm_message {
    reason_index why = success;
    std::string words;           ///< The answer's body, if it is more than the reason's own.
    std::string target;          ///< The token, fid, topic or condition.
    bool single_device = false;  ///< The target is a token or fid.
    bool validate_only = false;
};

/// Parses and checks a body as FCM does: names, types, exactly one target, sizes, reserved keys.
/// Names may be snake_case or lowerCamelCase.
[[nodiscard]] fcm_message read_fcm_message(std::string_view body);

}  // namespace tocsin::sim
