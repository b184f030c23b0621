#include "engine/core/json_members.hpp"
#include "tools/tocsin/bench_comparison.hpp"
#include "tools/tocsin/bench_text.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/input_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cmath>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct bench_compare_options {
    std::string before, after;  ///< Files that `bench --json` has written.
    double noise = 0.05;        ///< A change by less than this share is none.
};

json::object read_report_file(const std::string& name) {
    auto report = parse_object(read_input(name, exit_failed));
    if (!report || !report->contains("scenario")) {
        throw command_end(exit_failed, name + " is not a report that bench --json has written");
    }
    return std::move(*report);
}

json::value as_json(const compared_figure& one) {
    return json::object{
        {"figure", one.name},
        {"before", one.before},
        {"after", one.after},
        {"ratio", std::isfinite(one.ratio) ? json::value(one.ratio) : json::value(nullptr)},
        {"verdict", to_string(one.how)}};
}

int compare(const common_options& common, const bench_compare_options& how) {
    const json::object before = read_report_file(how.before);
    const json::object after = read_report_file(how.after);
    for (const std::string& one : differing_conditions(before, after)) {
        complain("not the same conditions, " + one);
    }
    const auto figures = compare_reports(before, after, how.noise);
    if (common.json) {
        json::array out;
        for (const compared_figure& one : figures) {
            out.push_back(as_json(one));
        }
        print_json(out);
        return exit_ok;
    }
    table shown({"figure", "before", "after", "ratio", ""});
    for (const compared_figure& one : figures) {
        shown.add(
            {std::string(one.name), bench_value(one.name, one.before), bench_value(one.name, one.after),
             fmt::format("{:.3f}", one.ratio), std::string(to_string(one.how))});
    }
    print(shown.text());
    return exit_ok;
}

}  // namespace

command bench_compare_command() {
    const auto how = std::make_shared<bench_compare_options>();
    return {
        .name = "compare",
        .group = command_group::test,
        .summary = "Compare two reports, figure by figure.",
        .examples = "tocsin bench compare before.json after.json --noise 0.05\n",
        .options =
            {
                option("BEFORE", how->before, "What `bench --json` has written").required(),
                option("AFTER", how->after, "The same, later").required(),
                option("--noise", how->noise, "A change by less than this share is none")
                    .preset("0.05")
                    .between(0, 1),
            },
        .run = [how](const common_options& common) { return compare(common, *how); },
    };
}

}  // namespace tocsin::cli
