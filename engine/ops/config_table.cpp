#include "engine/ops/config_table.hpp"

#include <algorithm>

namespace tocsin {

config_table::config_table(platform_configurations platforms)
    : platforms_(platforms),
      sections_(engine_config_sections().begin(), engine_config_sections().end()),
      keys_(engine_config_keys().begin(), engine_config_keys().end()) {
    const auto apps = std::ranges::find(sections_, app_section, &config_section::path);
    about_apps_ = std::string(apps->help) + " Each has " + choice_of_platforms();
    apps->help = about_apps_;
    for (const platform_configuration* const one : platforms_) {
        sections_.push_back(one->section());
        keys_.insert(keys_.end(), one->keys().begin(), one->keys().end());
    }
}

const config_section* config_table::section(std::string_view path) const noexcept {
    const auto found = std::ranges::find(sections_, path, &config_section::path);
    return found == sections_.end() ? nullptr : &*found;
}

const config_key* config_table::key(std::string_view section, std::string_view name) const noexcept {
    const auto found = std::ranges::find_if(
        keys_, [&](const config_key& row) { return row.section == section && row.name == name; });
    return found == keys_.end() ? nullptr : &*found;
}

const platform_configuration* config_table::platform_at(std::string_view path) const noexcept {
    const auto found = std::ranges::find_if(
        platforms_, [path](const platform_configuration* one) { return one->section().path == path; });
    return found == platforms_.end() ? nullptr : *found;
}

std::string config_table::choice_of_platforms() const {
    return "one or more of " + list_platforms("and", "`[app.", "]`") + ".";
}

std::vector<std::string_view> config_table::names_in(std::string_view section) const {
    std::vector<std::string_view> out;
    for (const config_key& row : keys_) {
        if (row.section == section) {
            out.push_back(row.name);
        }
    }
    if (section == app_section) {
        std::ranges::transform(platforms_, std::back_inserter(out), [](const platform_configuration* one) {
            return to_string(one->kind());
        });
    }
    return out;
}

}  // namespace tocsin
