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
#include <string>
#include <vector>

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

std::vector<std::string> cells_of(const reach_line& line, const std::string& name, bool asks_receipts) {
    std::vector<std::string> out{
        line.insee,
        name,
        grouped(line.population),
        grouped(line.targeted),
        grouped(line.accepted),
        spoken_reach(line.accepted, line.population)};
    if (asks_receipts) {
        for (const std::uint64_t devices : line.told) {
            out.push_back(grouped(devices));
        }
        out.push_back(spoken_reach(line.confirmed(), line.population));
    }
    return out;
}

std::string commune_table(const event_report& report, const territories& places) {
    std::vector<std::string> columns{"INSEE", "commune", "inhabitants", "targeted", "accepted", "reach"};
    if (report.asks_receipts) {
        columns.insert(columns.end(), receipt_kind_names.begin(), receipt_kind_names.end());
        columns.emplace_back("confirmed");
    }
    table out(std::move(columns));
    const std::vector<reach_line> lines = reach_lines(report, places);
    for (const reach_line& one : lines) {
        out.add(cells_of(one, one.place == nullptr ? "?" : one.place->name, report.asks_receipts));
    }
    out.add(cells_of(reach_of_all(report, lines), "all", report.asks_receipts));
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
        add_reach(out, **found, *places);
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
            "Shows an event's sums and, commune by commune, inhabitants, targeted and accepted devices and "
            "reach: "
            "also of an event to more than 1000 communes, whose result has no `communes`. Communes in which "
            "nobody "
            "was reached are listed. Of an event with `receipts`, also how many devices have "
            "[received, displayed and opened](receipts.md) it by now, and the confirmed reach, which is the "
            "largest of "
            "the three over the inhabitants.\n\n"
            "`--json`: the result, and for all communes together and for each under `communes`: "
            "`population`, "
            "`targeted`, `accepted`, `received`, `displayed`, `opened`, `reach`, `confirmed_reach`. What an "
            "event "
            "did not ask for is null.\n\n"
            "Kept for `engine.event_retention` after the end.",
        .run = [how](const common_options& common) { return report(common, *how); },
    };
}

}  // namespace tocsin::cli
