#pragma once

#include "engine/core/error.hpp"

#include <cstdint>
#include <string_view>

namespace tocsin {

/// What the configuration says of one app on one platform, as far as the engine goes by it. What else there
/// is to say is the provider's own kind's, which derives from this.
struct platform_settings {
    std::uint64_t rate = 0;  ///< Pushes per second over all engines; 0: no limit of ours.

    virtual ~platform_settings() = default;

    /// Whether the app sends to a device with this token, which has the form that its platform wants. The
    /// refusal is what the registration's dead letter says.
    [[nodiscard]] virtual parsed<> check_destination(std::string_view token) const {
        static_cast<void>(token);
        return {};
    }

protected:
    platform_settings() = default;
    platform_settings(const platform_settings&) = default;
    platform_settings(platform_settings&&) = default;
    platform_settings& operator=(const platform_settings&) = default;
    platform_settings& operator=(platform_settings&&) = default;
};

}  // namespace tocsin
