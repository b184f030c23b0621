#pragma once

#include "engine/ops/config_keys.hpp"
#include "engine/ops/platform_configuration.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace tocsin {

/// Every section and key there is: the engine's own, and behind them those of each platform.
class config_table {
public:
    explicit config_table(platform_configurations platforms);

    [[nodiscard]] std::span<const config_section> sections() const noexcept { return sections_; }
    [[nodiscard]] std::span<const config_key> keys() const noexcept { return keys_; }
    [[nodiscard]] platform_configurations platforms() const noexcept { return platforms_; }

    /// Null if there is no such section, key or platform.
    [[nodiscard]] const config_section* section(std::string_view path) const noexcept;
    [[nodiscard]] const config_key* key(std::string_view section, std::string_view name) const noexcept;
    /// The platform that the section at this path is about.
    [[nodiscard]] const platform_configuration* platform_at(std::string_view path) const noexcept;

    /// What a section may hold, as words that a wrong one is compared with: its keys, then the tables in it.
    [[nodiscard]] std::vector<std::string_view> names_in(std::string_view section) const;

private:
    platform_configurations platforms_;
    std::vector<config_section> sections_;
    std::vector<config_key> keys_;
};

}  // namespace tocsin
