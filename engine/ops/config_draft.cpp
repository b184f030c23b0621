#include "engine/ops/config_draft.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace tocsin {

config_draft::origin config_draft::origin_of(std::string_view place) const {
    return origins_.of(place).value_or(origin{.file = value.file.string(), .line = 0});
}

void config_draft::problem(const std::string& place, std::string message) {
    problem_at(origin_of(place), place, std::move(message));
}

void config_draft::problem_at(origin where, std::string_view place, std::string message) {
    faulty_.emplace(place);
    problems_.push_back({std::move(where.file), where.line, shown_place(place), std::move(message)});
}

config_target config_draft::target_of(std::string_view section, std::string_view place) {
    const config_target fixed = part_of(value, section);
    if (!std::holds_alternative<std::monostate>(fixed)) {
        return fixed;
    }
    constexpr std::string_view prefix = "app.";
    std::size_t index = 0;
    std::from_chars(place.data() + prefix.size(), place.data() + place.size(), index);
    app_settings& app = value.apps.at(index);
    if (const platform_configuration* const of = table_.platform_at(section)) {
        return app.platforms.at(of->kind()).get();
    }
    return &app;
}

bool config_draft::resolve(
    const config_key& key, std::string& path, const std::filesystem::path& folder) const {
    constexpr std::string_view credential = "$CREDENTIALS_DIRECTORY/";
    if (!path.starts_with(credential)) {
        path = path.empty() ? path : (folder / path).lexically_normal().string();
        return true;
    }
    if (credentials_directory.empty()) {
        return keys == app_keys::unused && table_.platform_at(key.section) != nullptr;
    }
    path = (std::filesystem::path(credentials_directory) / path.substr(credential.size()))
               .lexically_normal()
               .string();
    return true;
}

void config_draft::assign(
    const config_key& key, const std::string& place, parsed<config_value> given, origin where,
    const std::filesystem::path& folder) {
    if (given.has_error()) {
        problem_at(std::move(where), place, std::move(given).error().message);
        return;
    }
    if (key.kind == config_kind::path && !resolve(key, std::get<std::string>(*given), folder)) {
        problem_at(
            std::move(where), place,
            "CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit with LoadCredential=");
        return;
    }
    came_from(place, std::move(where));
    key.assign(target_of(key.section, place), std::move(*given));
}

std::vector<config_problem> config_draft::take_problems() {
    const auto rank = [&](const config_problem& each) {
        return each.file == value.file ? each.line : std::numeric_limits<std::uint32_t>::max();
    };
    std::ranges::stable_sort(problems_, {}, rank);
    return std::exchange(problems_, {});
}

}  // namespace tocsin
