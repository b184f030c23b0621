#pragma once

#include "engine/ops/config_row.hpp"
#include "engine/ops/platform_configuration.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tocsin {

/// The row of what every platform can be told: how fast it is sent to.
template <class Settings>
constexpr config_key rate_row(std::string_view section) {
    constexpr std::string_view help = "Pushes per second over all engines. 0: the engines set no limit.";
    return config_rows::within(config_rows::key<&Settings::rate>(section, "rate", help), 0, 10'000'000);
}

/// The section [app.X] of a platform, put together of its parts. `Settings` is the platform's kind of
/// settings.
template <class Settings>
class platform_section final : public platform_configuration {
public:
    using check_function = void (*)(Settings& given, const std::string& place, config_checks& checks);

    /// All of it must outlive it.
    platform_section(
        const config_section& about, std::span<const config_key> given, std::string_view said,
        check_function checks)
        : about_(about), rows_(given), rules_(said), check_(checks) {}

    [[nodiscard]] platform kind() const noexcept override { return Settings::kind; }
    [[nodiscard]] const config_section& section() const noexcept override { return about_; }
    [[nodiscard]] std::span<const config_key> keys() const noexcept override { return rows_; }
    [[nodiscard]] std::shared_ptr<platform_settings> fresh() const override {
        return std::make_shared<Settings>();
    }
    void check(platform_settings& given, const std::string& place, config_checks& checks) const override {
        check_(static_cast<Settings&>(given), place, checks);
    }
    [[nodiscard]] std::string_view rules() const noexcept override { return rules_; }

private:
    const config_section& about_;
    std::span<const config_key> rows_;
    std::string_view rules_;
    check_function check_;
};

}  // namespace tocsin
