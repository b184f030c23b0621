#pragma once

#include "engine/ops/config_keys.hpp"
#include "engine/ops/platform_configuration.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Every section and key there is: the engine's own, and behind them those of each platform.
class config_table {
public:
    explicit config_table(platform_configurations platforms);
    config_table(const config_table&) = delete;
    config_table& operator=(const config_table&) = delete;

    [[nodiscard]] std::span<const config_section> sections() const noexcept { return sections_; }
    [[nodiscard]] std::span<const config_key> keys() const noexcept { return keys_; }
    [[nodiscard]] platform_configurations platforms() const noexcept { return platforms_; }

    /// Null if there is no such section, key or platform.
    [[nodiscard]] const config_section* section(std::string_view path) const noexcept;
    [[nodiscard]] const config_key* key(std::string_view section, std::string_view name) const noexcept;
    /// The platform that the section at this path is about.
    [[nodiscard]] const platform_configuration* platform_at(std::string_view path) const noexcept;

    /// "one or more of `[app.X]` and `[app.Y]`."
    [[nodiscard]] std::string choice_of_platforms() const;

    /// What a section may hold, as words that a wrong one is compared with: its keys, then the tables in it.
    [[nodiscard]] std::vector<std::string_view> names_in(std::string_view section) const;

private:
    platform_configurations platforms_;
    std::string about_apps_;  ///< What is said of apps, with the platforms that they may be on.
    std::vector<config_section> sections_;
    std::vector<config_key> keys_;
};

}  // namespace tocsin
