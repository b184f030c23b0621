#pragma once

#include "engine/ops/config_keys.hpp"
#include "engine/platform/platform.hpp"
#include "engine/platform/platform_settings.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

class config_checks;

/// What the configuration of an app says about one platform: the provider's to know. The engine is given one
/// for each platform, and reads, checks and documents the file by them.
class platform_configuration {
public:
    virtual ~platform_configuration() = default;
    platform_configuration() = default;
    platform_configuration(const platform_configuration&) = delete;
    platform_configuration& operator=(const platform_configuration&) = delete;

    [[nodiscard]] virtual platform kind() const noexcept = 0;
    /// Its path is "app." and the platform's name.
    [[nodiscard]] virtual const config_section& section() const noexcept = 0;
    /// Rows for members of what fresh() makes.
    [[nodiscard]] virtual std::span<const config_key> keys() const noexcept = 0;
    [[nodiscard]] virtual std::shared_ptr<platform_settings> fresh() const = 0;
    /// Looks at what the file says of one app, which is at `place`; may put it into its usual form.
    virtual void check(platform_settings& given, const std::string& place, config_checks& checks) const = 0;
    /// What check() wants, for the reference: items of a list, each with its line's end.
    [[nodiscard]] virtual std::string_view rules() const noexcept = 0;
};

/// Those that the engine is put together with, in the order of the enumeration.
using platform_configurations = std::span<const platform_configuration* const>;

}  // namespace tocsin
