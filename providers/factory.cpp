#include "providers/factory.hpp"

#include "providers/platforms.hpp"

#include <map>
#include <string>
#include <utility>

namespace tocsin {

parsed<std::vector<std::shared_ptr<provider>>> make_providers(
    const settings& configuration, const provider_runtime& runtime) {
    provider_kit kit(runtime);
    std::map<platform, std::unique_ptr<provider_maker>> makers;
    for (const platform_descriptor* const one : all_platforms()) {
        makers.emplace(one->configuration().kind(), one->maker(kit));
    }
    std::vector<std::shared_ptr<provider>> out;
    for (const app_settings& app : configuration.apps) {
        for (const auto& [on, given] : app.platforms) {
            auto made = makers.at(on)->make(app.id, *given);
            if (made.has_error()) {
                const std::string name(to_string(on));
                return refusal{
                    "app." + name + '.' + made.error().code,
                    "app \"" + app.id + "\", " + name + ": " + made.error().message};
            }
            out.push_back(std::move(*made));
        }
    }
    return out;
}

}  // namespace tocsin
