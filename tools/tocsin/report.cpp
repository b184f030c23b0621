#include "engine/plan/report.hpp"

#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct report_options {
    std::string event;
};

/// A per cent with one decimal; a small one has up to four, to be told from none.
std::string spoken_reach(std::uint64_t accepted, std::uint64_t inhabitants) {
    if (inhabitants == 0) {
        return "";
    }
    const double percent = 100.0 * static_cast<double>(accepted) / static_cast<double>(inhabitants);
    const int decimals =
        percent == 0 ? 1 : std::clamp(1 - static_cast<int>(std::floor(std::log10(percent))), 1, 4);
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

int report(const common_options& common, const report_options& how) {
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
    const auto found = redis->run(read_event(*redis, how.event, &stored));
    if (!found) {
        return exit_unreachable;
    }
    if (!*found) {
        return tell_absence(*redis, how.event);
    }
    if (common.json) {
        json::object out = result_document(**found, *places);
        out["communes"] = communes_object(**found, *places);
        print_json(out);
    } else {
        print(report_table(**found));
        print(commune_table(**found, *places));
    }
    return exit_ok;
}

}  // namespace

command report_command() {
    const auto how = std::make_shared<report_options>();
    return {
        .name = "report",
        .group = command_group::look,
        .summary = "Reach of an event, commune by commune.",
        .examples =
            "tocsin report crue-ouche-2026-11-23\n"
            "tocsin report crue-ouche-2026-11-23 --json\n",
        .options = {option("EVENT", how->event, "The event's id").required()},
        .details =
            "Shows an event's sums and, commune by commune, inhabitants, accepted devices and reach: also of "
            "an event "
            "to more than 1000 communes, whose result has no `communes`. Communes in which nobody was "
            "reached are "
            "listed. `--json`: the result with its `communes`. Kept for `engine.event_retention` after the "
            "end.",
        .run = [how](const common_options& common) { return report(common, *how); },
    };
}

}  // namespace tocsin::cli
