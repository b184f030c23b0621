#include "engine/plan/report.hpp"

#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

/// A per cent with one decimal, or with as many as a small one needs to be told from none.
std::string spoken_reach(std::uint64_t accepted, std::uint64_t inhabitants) {
    if (inhabitants == 0) {
        return "";
    }
    const double percent = 100.0 * static_cast<double>(accepted) / static_cast<double>(inhabitants);
    const int decimals =
        percent == 0 ? 1 : std::max(1, 1 - static_cast<int>(std::floor(std::log10(percent))));
    return fmt::format("{:.{}f} %", percent, decimals);
}

std::string commune_table(const event_report& report, const territories& places) {
    table out({"INSEE", "commune", "inhabitants", "accepted", "reach"});
    std::uint64_t accepted = 0;
    std::uint64_t inhabitants = 0;
    for (const auto& [insee, count] : report.communes) {
        const auto id = parse_commune_id(insee);
        const auto* const commune = id ? places.find(*id) : nullptr;
        const std::uint64_t population = commune == nullptr ? 0 : commune->population;
        out.add(
            {insee, commune == nullptr ? "?" : std::string(commune->name), grouped(population),
             grouped(count), spoken_reach(count, population)});
        accepted += count;
        inhabitants += population;
    }
    out.add({"", "all", grouped(inhabitants), grouped(accepted), spoken_reach(accepted, inhabitants)});
    return out.text();
}

}  // namespace

int run(const common_options& common, const report_options& how) {
    const auto loaded = load_settings(common);
    if (!loaded) {
        return exit_configuration;
    }
    const auto redis = redis_session::open(*loaded);
    const auto places = load_territories(*loaded);
    if (redis == nullptr || !places) {
        return exit_configuration;
    }
    json::value stored;
    const auto report = redis->run(read_event(*redis, how.event, &stored));
    if (!report) {
        return exit_unreachable;
    }
    if (!*report) {
        return tell_absence(*redis, how.event);
    }
    if (common.json) {
        json::object out = result_document(**report, *places);
        out["communes"] = communes_object(**report, *places);
        print_json(out);
    } else {
        print(report_table(**report));
        print(commune_table(**report, *places));
    }
    return exit_ok;
}

}  // namespace tocsin::cli
