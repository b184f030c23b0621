#include "engine/served_apps.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/admin_client.hpp"
#include "tools/tocsin/bench_assert.hpp"
#include "tools/tocsin/bench_html.hpp"
#include "tools/tocsin/bench_import.hpp"
#include "tools/tocsin/bench_plan.hpp"
#include "tools/tocsin/bench_report.hpp"
#include "tools/tocsin/bench_run.hpp"
#include "tools/tocsin/bench_stage.hpp"
#include "tools/tocsin/bench_text.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/interrupt_watch.hpp"
#include "tools/tocsin/latency_text.hpp"
#include "tools/tocsin/process_usage.hpp"
#include "tools/tocsin/session.hpp"
#include "tools/tocsin/version.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

bench_snapshot snapshot(const bench_stage& on, const std::optional<syscall_counter>& calls) {
    const auto simulator = admin_get(on.control, "/stats");
    const auto metrics = admin_get_text(on.admin, "/metrics");
    if (!simulator || !simulator->is_object() || !metrics) {
        throw command_end(
            exit_failed, "the engine or the simulator does not answer; logs are in " + on.directory.string());
    }
    bench_snapshot out;
    out.simulator = simulator->as_object();
    out.metrics = metrics_text(*metrics);
    out.engine_cpu = on.engine->processor_time();
    out.redis_cpu = on.redis.processor_time();
    out.simulator_cpu = on.simulator.processor_time();
    out.engine_queued = waited_for_cores(on.engine->id());
    out.redis_queued = waited_for_cores(on.redis.id());
    out.simulator_queued = waited_for_cores(on.simulator.id());
    out.machine_busy = busy_time();
    if (calls) {
        out.syscalls = calls->read();
    }
    return out;
}

/// A benchmark on its stage, step by step.
class performance {
public:
    performance(
        bench_stage& on, const settings& configured, const territories& places, redis_session& redis,
        interrupt_watch& interrupts, const bench_plan& plan)
        : on_(on),
          store_(redis.redis(), redis.keys(), known_platforms(), sizing_for(configured, places)),
          redis_(redis),
          interrupts_(interrupts),
          plan_(plan),
          run_(redis, interrupts) {}

    void perform(const bench_options& how) {
        result_.how = how;
        import();
        warm_up();
        measure();
    }

    [[nodiscard]] const bench_measurement& result() const noexcept { return result_; }

private:
    void import() {
        const bench_mix mix = value_or_end(mix_for(on_, result_.how), exit_failed);
        const std::uint64_t before = redis_.run(redis_memory(redis_));
        const auto begun = steady::now();
        import_bench_devices(redis_, store_, plan_, mix, interrupts_);
        result_.import_seconds = std::chrono::duration<double>(steady::now() - begun).count();
        const std::uint64_t after = redis_.run(redis_memory(redis_));
        result_.redis_bytes_per_device =
            static_cast<double>(after - before) / static_cast<double>(plan_.devices_registered());
    }

    void warm_up() {
        start_bench_engine(on_, result_.how);
        if (auto calls = syscall_counter::attach(on_.engine->id())) {
            calls_.emplace(std::move(*calls));
        }
        if (!plan_.cold) {
            bench_plan only;
            only.events = {plan_.warm_up};
            run_.perform(only, "warming up");
        }
    }

    void measure() {
        result_.before = snapshot(on_, calls_);
        run_.perform(plan_, "sending");
        result_.after = snapshot(on_, calls_);
        result_.peak_rss_bytes = peak_memory_bytes(on_.engine->id());
        result_.record = run_.record();
        result_.devices = plan_.devices();
        result_.version = version;
        result_.machine = describe_machine();
    }

    bench_stage& on_;
    device_store store_;
    redis_session& redis_;
    interrupt_watch& interrupts_;
    const bench_plan& plan_;
    bench_run run_;
    std::optional<syscall_counter> calls_;
    bench_measurement result_;
};

int tell(const common_options& common, const bench_options& how, const json::object& report) {
    if (common.json) {
        print_json(report);
    } else {
        print(bench_text(report));
    }
    int code = exit_ok;
    for (const std::string& sentence : missed_assertions(report, how.assertions)) {
        complain(sentence);
        code = exit_threshold;
    }
    if (!how.html.empty()) {
        std::ofstream file(how.html);
        file << bench_page(report);
        if (!file.flush()) {
            complain("cannot write " + how.html);
            code = exit_failed;
        }
    }
    return report.at("sums_agree").as_bool() ? code : exit_failed;
}

int perform_on(
    bench_stage& on, const common_options& common, const bench_options& how, interrupt_watch& interrupts) {
    common_options of_stage;
    of_stage.config = on.configuration;
    opened_session in(of_stage);
    const territories places = load_territories(in.how);
    const bench_plan plan = value_or_end(plan_bench(places, how), exit_usage);
    performance all(on, in.how, places, in.redis, interrupts, plan);
    all.perform(how);
    return tell(common, how, bench_report(all.result()));
}

int bench(const common_options& common, const bench_options& how) {
    if (how.scenario.empty()) {
        throw command_end(
            exit_usage, "name a SCENARIO: " + fmt::format("{}", fmt::join(bench_scenarios(), ", ")));
    }
    std::signal(SIGPIPE, SIG_IGN);
    interrupt_watch interrupts;
    auto directory = value_or_end(work_directory::open(how.keep, "bench"), exit_unreachable);
    const int code = run_to_end([&] {
        bench_stage on = open_bench_stage(directory.path(), how);
        return perform_on(on, common, how, interrupts);
    });
    if ((code == exit_failed || code == exit_unreachable) && directory.leave_behind()) {
        complain("logs are left in " + directory.path().string());
    }
    return code;
}

/// What is not said otherwise is as `--lock-step` wants it.
void keep_step(bench_options& how) {
    if (how.lock_step && how.latency == as_providers_do_latency) {
        how.latency = lock_step_latency;
    }
    if (how.lock_step && how.answers == as_providers_do_answers) {
        how.answers = lock_step_answers;
    }
}

struct bench_words {
    bench_options how;
    std::vector<std::string> assertions;
};

std::string assertion_problem(const std::string& text) {
    const auto one = parse_bench_assertion(text);
    return one.has_error() ? one.error().message : std::string();
}

std::vector<option> bench_option_table(bench_words& into) {
    bench_options& how = into.how;
    return {
        option("SCENARIO", how.scenario, fmt::format("One of {}", fmt::join(bench_scenarios(), ", ")))
            .one_of(bench_scenarios()),
        option("--share", how.share, "Of the scenario's devices; of the village's events")
            .preset("1")
            .between(0, 1),
        option("--webpush-share", how.webpush_share, "Of the devices, that are browsers")
            .preset("0")
            .between(0, 1),
        option("--apns-share", how.apns_share, "Of the others, that have APNs; the rest has FCM")
            .preset("0.25")
            .between(0, 1),
        option("--devices", how.devices, "Devices of cold-alert").preset("60000").between(1, 10'000'000),
        option("--dead-share", how.dead_share, "Share of the devices that are gone")
            .preset("0")
            .between(0, 1),
        option("--priority", how.priority, "Priority of the scenario's events, instead of its own")
            .one_of({"critical", "high", "normal", "low"}),
        option("--events-per-second", how.events_per_second, "How fast the village's events are published")
            .preset("200")
            .between(0.1, 1e6),
        option("--rate", how.rate, "Pushes per second that each provider may be sent; 0: no limit")
            .preset("0"),
        option("--threads", how.threads, "Threads of the engine; 0: one per core")
            .preset("0")
            .between(0, 256),
        option("--simulator-threads", how.simulator_threads, "Threads of the simulator")
            .preset("1")
            .between(1, 256),
        option(
            "--lock-step", how.lock_step,
            fmt::format(
                "The simulator answers whole batches after the same time: `--latency {} --answers {}`",
                lock_step_latency, lock_step_answers)),
        option(
            "--latency", how.latency,
            "Latency of the simulator: `none`, `fixed:MS`, `uniform:MS:MS` or `lognormal:MEDIAN_MS:P99_MS`")
            .value("LATENCY")
            .preset(how.latency)
            .checked(latency_problem),
        option(
            "--answers", how.answers,
            "How the simulator writes answers: `batched`, `record` (a TLS record each) or `write` (a system "
            "call each)")
            .value("PATTERN")
            .preset(how.answers)
            .one_of({"batched", "record", "write"}),
        option("--html", how.html, "Write the report as a page, too").value("FILE"),
        option("--keep", how.keep, "The folder to leave logs and configuration in").value("DIR"),
        option(
            "--assert", into.assertions,
            "FIGURE<NUMBER, or with <=, >, >= or ==. Exit code 99 if it does not hold")
            .checked(assertion_problem),
    };
}

}  // namespace

command bench_command() {
    const auto words = std::make_shared<bench_words>();
    return {
        .name = "bench",
        .group = command_group::test,
        .summary = "Measure an engine on a private Redis and the simulator.",
        .examples =
            "tocsin bench town --threads 1\n"
            "tocsin bench cold-alert --devices 60000 --threads 2\n"
            "tocsin bench department --share 0.3 --lock-step\n"
            "tocsin bench department --share 0.3 --latency lognormal:120:600 --answers record\n"
            "tocsin bench village --assert 'event_p99_ms<500' --assert 'cpu_per_million<20'\n"
            "tocsin bench town --json > before.json\n"
            "tocsin bench compare before.json after.json --noise 0.05\n",
        .options = bench_option_table(*words),
        .details =
            "The page [Benchmark](../how-to/benchmark.md) describes scenarios and figures. Needs "
            "`redis-server` in the `PATH`.\n\n"
            "Exit codes: 0; 1 if a device is not accounted for; 69 if something does not start; 99 if an "
            "`--assert` does not hold; 130 if interrupted.",
        .run =
            [words](const common_options& common) {
                for (const std::string& text : words->assertions) {
                    words->how.assertions.push_back(*parse_bench_assertion(text));  // Checked by the parser.
                }
                keep_step(words->how);
                return bench(common, words->how);
            },
    };
}

}  // namespace tocsin::cli
