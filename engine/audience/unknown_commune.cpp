#include "engine/audience/unknown_commune.hpp"

#include <vector>

namespace tocsin {
namespace {

std::string named(commune_id id, const territories& known) {
    std::string out = "\"" + to_string(id) + "\"";
    if (const std::string_view name = known.name(id); !name.empty()) {
        out.append(" (").append(name).append(")");
    }
    return out;
}

}  // namespace

std::string unknown_commune_hint(std::string_view code, const territories& known) {
    if (code.starts_with("75")) {
        return "; Paris is \"75056\" as a whole, its arrondissements can be zones";
    }
    if (code >= "69381" && code <= "69389") {
        return "; Lyon is \"69123\" as a whole, its arrondissements can be zones";
    }
    if (code >= "13201" && code <= "13216") {
        return "; Marseille is \"13055\" as a whole, its arrondissements can be zones";
    }
    const auto id = parse_commune_id(code);
    const auto today = id ? known.successors(*id) : std::vector<commune_id>();
    if (today.size() == 1) {
        return "; it is a part of " + named(today.front(), known) + " now";
    }
    if (today.size() > 1) {
        std::string out = "; its parts belong to " + named(today.front(), known);
        for (std::size_t i = 1; i < today.size(); ++i) {
            out += " and " + named(today[i], known);
        }
        return out + " now";
    }
    if (code.starts_with("20")) {
        return "; codes of Corsica begin with \"2A\" or \"2B\"";
    }
    return code.ends_with('0') ? "; is it a postal code?" : "; was the commune merged into another?";
}

}  // namespace tocsin
