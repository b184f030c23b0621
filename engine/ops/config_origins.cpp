#include "engine/ops/config_origins.hpp"

#include "engine/ops/config.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tocsin {
namespace {

bool is_number(std::string_view part) noexcept {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<config_origins::origin> config_origins::of(std::string_view place) const {
    for (;;) {
        const auto found = places_.find(place);
        if (found != places_.end()) {
            return found->second;
        }
        const std::size_t dot = place.rfind('.');
        if (dot == std::string_view::npos) {
            return std::nullopt;
        }
        place = place.substr(0, dot);
    }
}

std::string shown_place(std::string_view place) {
    std::string out;
    while (!place.empty()) {
        const std::size_t dot = std::min(place.find('.'), place.size());
        const std::string_view part = place.substr(0, dot);
        if (out != "app" || !is_number(part)) {
            out += (out.empty() ? "" : ".") + std::string(part);
        }
        place.remove_prefix(std::min(dot + 1, place.size()));
    }
    return out;
}

config_problem problem_of(const settings& how, const std::string& place, std::string message) {
    auto where = how.origins != nullptr ? how.origins->of(place) : std::nullopt;
    if (!where) {
        where = config_origins::origin{how.file.string(), 0};
    }
    return {std::move(where->file), where->line, shown_place(place), std::move(message)};
}

}  // namespace tocsin
