#include "tools/tocsin/bench_command_line.hpp"

#include "tools/tocsin/bench_assert.hpp"
#include "tools/tocsin/bench_plan.hpp"
#include "tools/tocsin/latency_text.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace tocsin::cli {
namespace {

struct collected {
    bench_options run;
    bench_compare_options compare;
    std::vector<std::string> assertions;
};

void add_scenario(CLI::App& at, collected& into) {
    bench_options& how = into.run;
    at.add_option(
          "scenario", how.scenario, "One of " + CLI::detail::join(bench_scenarios(), ", ") + ", or compare")
        ->type_name("SCENARIO")
        ->check(CLI::IsMember(bench_scenarios()));
    at.add_option("--share", how.share, "Of the scenario's devices; of the village's events")
        ->default_str("1")
        ->check(CLI::Range(0.0, 1.0));
    at.add_option("--apns-share", how.apns_share, "Of the devices, that have APNs; the others have FCM")
        ->default_str("0.25")
        ->check(CLI::Range(0.0, 1.0));
    at.add_option("--events-per-second", how.events_per_second, "How fast the village's events are published")
        ->default_str("200")
        ->check(CLI::Range(0.1, 1e6));
    at.add_option("--rate", how.rate, "Pushes per second that each provider may be sent; 0: no limit")
        ->default_str("0");
    at.add_option("--threads", how.threads, "Of the engine; 0: one per core")
        ->default_str("0")
        ->check(CLI::Range(0, 256));
    at.add_option("--simulator-threads", how.simulator_threads, "Of the simulator")
        ->default_str("1")
        ->check(CLI::Range(1, 256));
    at.add_option(
          "--latency", how.latency,
          "Of the simulator: none, fixed:MS, uniform:MS:MS or lognormal:MEDIAN_MS:P99_MS")
        ->default_str(how.latency);
    at.add_option(
          "--answers", how.answers,
          "How the simulator writes answers: batched, record (a TLS record each) or write (a system call "
          "each)")
        ->default_str(how.answers)
        ->check(CLI::IsMember({"batched", "record", "write"}));
    at.add_option("--html", how.html, "Write the report as a page, too")->type_name("FILE");
    at.add_option("--keep", how.keep, "A directory to leave logs and configuration in")->type_name("DIR");
    at.add_option(
          "--assert", into.assertions,
          "FIGURE<NUMBER, or with <=, >, >= or ==; repeatable. Exit code 99 if it does not hold")
        ->type_name("TEXT");
}

CLI::App* add_compare(CLI::App& at, bench_compare_options& how) {
    CLI::App* const compare = at.add_subcommand("compare", "Compare two reports, figure by figure");
    compare->fallthrough();
    compare->add_option("before", how.before, "What bench --json has written")->required();
    compare->add_option("after", how.after, "The same, later")->required();
    compare->add_option("--noise", how.noise, "A change by less than this share is none")
        ->default_str("0.05")
        ->check(CLI::Range(0.0, 1.0));
    return compare;
}

void check(collected& given) {
    if (given.run.scenario.empty()) {
        throw CLI::RequiredError("SCENARIO");
    }
    if (const auto latency = parse_latency(given.run.latency); latency.has_error()) {
        throw CLI::ValidationError("--latency", latency.error().message);
    }
    for (const std::string& text : given.assertions) {
        auto one = parse_bench_assertion(text);
        if (one.has_error()) {
            throw CLI::ValidationError("--assert", one.error().message);
        }
        given.run.assertions.push_back(std::move(*one));
    }
}

}  // namespace

void add_bench(
    CLI::App& at, std::function<void(bench_options)> run,
    std::function<void(bench_compare_options)> compare) {
    const auto given = std::make_shared<collected>();
    add_scenario(at, *given);
    const CLI::App* const comparison = add_compare(at, given->compare);
    at.callback([&at, comparison, given, run = std::move(run), compare = std::move(compare)] {
        if (at.got_subcommand(comparison)) {
            compare(given->compare);
        } else {
            check(*given);
            run(given->run);
        }
    });
}

}  // namespace tocsin::cli
