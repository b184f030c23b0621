#include "engine/served_apps.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin {
namespace {

constexpr std::string_view every_commune = "*";

std::uint64_t population_served(const settings& how, const territories& places, std::string_view app) {
    const auto found = std::ranges::find(how.apps, app, &app_settings::id);
    // An app that was taken out of the configuration is sized as if it served everybody.
    if (found == how.apps.end() ||
        std::ranges::find(found->communes, every_commune) != found->communes.end()) {
        return places.total_population();
    }
    std::uint64_t total = 0;
    for (const std::string& code : found->communes) {
        if (const auto id = parse_commune_id(code)) {
            total += places.population(*id);
        }
    }
    return total;
}

served_app without_platforms(const app_settings& app) {
    served_app out;
    out.id = app.id;
    for (const std::string& code : app.communes) {
        out.everywhere = out.everywhere || code == every_commune;
        if (const auto id = parse_commune_id(code)) {
            out.communes.insert(*id);
        }
    }
    out.settings.insert(app.platforms.begin(), app.platforms.end());
    return out;
}

}  // namespace

std::vector<served_app> served_apps(
    const settings& how, std::span<const std::shared_ptr<provider>> providers) {
    std::vector<served_app> out;
    for (const app_settings& app : how.apps) {
        out.push_back(without_platforms(app));
        for (const auto& candidate : providers) {
            if (candidate->app() == app.id) {
                out.back().platforms.emplace(candidate->kind(), candidate);
            }
        }
    }
    return out;
}

std::vector<served_app> served_apps(const settings& how) {
    std::vector<served_app> out;
    for (const app_settings& app : how.apps) {
        out.push_back(without_platforms(app));
        for (const auto& [on, given] : app.platforms) {
            out.back().platforms.emplace(on, nullptr);
        }
    }
    return out;
}

std::map<target, std::uint64_t> configured_rates(const settings& how) {
    std::map<target, std::uint64_t> out;
    for (const app_settings& app : how.apps) {
        for (const auto& [on, given] : app.platforms) {
            out[{app.id, on}] = given->rate;
        }
    }
    return out;
}

store_sizing sizing_for(const settings& how, const territories& places) {
    return {
        [&places](commune_id commune) { return places.population(commune); },
        [&how, &places](std::string_view app) { return population_served(how, places, app); }};
}

}  // namespace tocsin
