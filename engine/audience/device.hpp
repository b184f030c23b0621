#pragma once

#include "engine/event/territory.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin {

/// One installation of an app, as the store keeps it.
struct device {
    std::string token;                ///< As stored (platform_traits::stored_token).
    std::string keys;                 ///< Of a subscription: subscription_keys.
    bool is_fid = false;              ///< `token` is a Firebase installation id.
    bool sandbox = false;             ///< A token of the development environment.
    std::uint32_t registered_at = 0;  ///< Unix seconds.
    std::string locale;               ///< Empty: unknown.
    std::vector<std::string> mute;    ///< Categories the resident does not want.
    std::vector<territory> follow;    ///< Sorted, distinct, never empty.
};

}  // namespace tocsin
