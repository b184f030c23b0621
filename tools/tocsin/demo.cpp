#include "engine/ops/config.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "engine/served_apps.hpp"
#include "providers/known_platforms.hpp"
#include "tools/simulator/simulator.hpp"
#include "tools/tocsin/child_process.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/demo_devices.hpp"
#include "tools/tocsin/demo_tally.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/interrupt_watch.hpp"
#include "tools/tocsin/narrator.hpp"
#include "tools/tocsin/pace_line.hpp"
#include "tools/tocsin/private_stage.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <csignal>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto event_patience = 120s;
constexpr std::size_t devices_at_once = 4'096;
constexpr std::string_view event_id = "crue-ouche";

std::unique_ptr<sim::simulator> start_simulator(
    const fs::path& directory, const demo_options& how, const std::string& admin) {
    sim::simulator_options options;
    options.directory = directory / "providers";
    options.ports = {0, 0, 0, 0, 0};
    options.webpush = true;
    options.redis_url = private_redis_url(directory);
    options.admin_listen = admin;
    options.initial.seed = 21231;
    for (auto& provider : options.initial.providers) {
        // What the real ones take from a French data centre, about.
        provider.delay = {sim::latency::shape::lognormal, 40, 200};
        provider.dead_share = how.dead_share;
    }
    return value_or_end(sim::simulator::start(options), exit_failed);
}

void register_devices(
    redis_session& redis, device_store& store, std::vector<device_change> devices,
    interrupt_watch& interrupts) {
    pace_line progress;
    for (std::size_t from = 0; from < devices.size(); from += devices_at_once) {
        if (interrupts.arrived()) {
            throw command_end(exit_interrupted);
        }
        progress.show(from, devices.size(), "registered");
        const auto end =
            devices.begin() + static_cast<std::ptrdiff_t>(std::min(devices.size(), from + devices_at_once));
        std::vector<device_change> some(
            std::make_move_iterator(devices.begin() + static_cast<std::ptrdiff_t>(from)),
            std::make_move_iterator(end));
        redis.run(store.apply(std::move(some)));
    }
}

std::string alert(const std::string& audience) {
    return json::serialize(json::object{
        {"id", event_id},
        {"audience", json::array{audience}},
        {"category", "alerte"},
        {"priority", "critical"},
        {"notification",
         json::object{
             {"title", "Crue de l'Ouche"}, {"body", "Évitez les quais et les passages souterrains."}}},
        {"ttl", 3600}});
}

/// Accepted devices as they grow, until all have an outcome.
stored_event watch(redis_session& redis, std::uint64_t devices, interrupt_watch& interrupts) {
    pace_line progress;
    const auto begun = clock::now();
    while (clock::now() - begun < event_patience) {
        auto event = redis.run(read_stored_event(redis, std::string(event_id)));
        if (event) {
            const event_report& report = event->report;
            progress.show(
                report.ended(), devices,
                fmt::format("{} accepted", grouped(report.count(outcome::accepted))));
            if (report.finished_at != 0) {
                return std::move(*event);
            }
        }
        if (interrupts.wait(50ms)) {
            throw command_end(exit_interrupted);
        }
    }
    throw command_end(exit_failed, "the event did not finish within " + spoken_ms(event_patience / 1ms));
}

int perform(
    const fs::path& directory, const common_options& common, const demo_options& how,
    interrupt_watch& interrupts) {
    const narrator say(common.json);
    const auto begun = clock::now();
    const std::string admin = "127.0.0.1:" + std::to_string(free_port());
    const child_process own_redis = value_or_end(start_private_redis(directory), exit_failed);
    const auto providers = start_simulator(directory, how, admin);
    const fs::path configuration = providers->configuration_file();
    common_options of_stage;
    of_stage.config = configuration.string();
    opened_session in(of_stage);
    redis_session& redis = in.redis;
    const territories places = load_territories(in.how);
    const auto epci = parse_epci_id(how.epci);
    const auto members = epci ? places.of_epci(*epci) : std::span<const commune_id>();
    if (members.empty()) {
        throw command_end(exit_usage, "--epci: no EPCI has the SIREN number \"" + how.epci + "\"");
    }
    const std::vector<commune_id> communes(members.begin(), members.end());
    const demo_population population = make_population(
        places, communes, *parse_commune_id("21231"), how,
        [&](std::uint64_t number) { return providers->subscriber(number); });
    const std::uint64_t devices = population.devices.size();
    say(fmt::format(
        "{}: {} communes, {} devices ({} follow two communes, {} are browsers), {:.0f} % of them gone",
        places.epci_name(*epci), communes.size(), grouped(devices), grouped(population.following_two),
        grouped(population.browsers), how.dead_share * 100));
    say("private Redis, simulator of APNs, FCM and a push service over TLS and HTTP/2: ready");

    device_store store(redis.redis(), redis.keys(), known_platforms(), sizing_for(in.how, places));
    child_process engine =
        value_or_end(start_private_engine(configuration, admin, directory / "engine.log"), exit_failed);
    say(fmt::format("the page: {}", say.in(ink::bold, "http://" + admin + "/")));
    register_devices(redis, store, population.devices, interrupts);
    say(fmt::format(
        "registered after {}",
        spoken_ms(std::chrono::duration<double, std::milli>(clock::now() - begun).count())));

    const auto processor_before = engine.processor_time();
    redis.run(add_event(redis, alert("epci:" + how.epci)));
    say(say.in(ink::bold, fmt::format("critical alert published to epci:{}", how.epci)));
    const stored_event seen = watch(redis, devices, interrupts);
    const auto processor = engine.processor_time() - processor_before;
    const event_report& report = seen.report;
    const tally at_simulator = count_at_simulator(*providers, population.devices, how.dead_share);
    if (common.json) {
        print_json(seen.result);
    } else {
        say("\n" + communes_table(places, report, at_simulator));
        say("\n" + times_table(report) + "\n");
    }
    const double total_ms =
        static_cast<double>(std::max<std::int64_t>(1, report.finished_at - report.accepted_at));
    say(fmt::format(
        "{} pushes/s, {:.1f} CPU-seconds of the engine per million pushes (simulator and Redis beside it)",
        grouped(static_cast<std::uint64_t>(static_cast<double>(report.targeted) / total_ms * 1'000)),
        std::chrono::duration<double>(processor).count() /
            static_cast<double>(std::max<std::uint64_t>(1, report.targeted)) * 1e6));
    say(fmt::format(
        "the simulator counted: {} living devices once, {} never, {} twice; {} dead ones refused",
        grouped(at_simulator.living_once), grouped(at_simulator.living_never), grouped(at_simulator.twice),
        grouped(at_simulator.dead)));
    const bool good = verify(report, at_simulator, devices);
    say(good ? say.in(ink::green, "every device is accounted for") : say.in(ink::red, "the demo failed"));
    if (good && how.stay) {
        say(fmt::format(
            "\nthe page stays at {} until you interrupt; send more to it with\n"
            "  tocsin publish --config {} --to epci:{} --title … --body …",
            say.in(ink::bold, "http://" + admin + "/"), configuration.string(), how.epci));
        while (engine.running() && !interrupts.wait(200ms)) {
        }
    }
    const int status = engine.stop(10s);
    if (status != 0) {
        complain(fmt::format("the engine ended with status {}", status));
    }
    return good && status == 0 ? exit_ok : exit_failed;
}

int demo(const common_options& common, const demo_options& how) {
    std::signal(SIGPIPE, SIG_IGN);
    // Before anything has threads: they all hold the signals back.
    interrupt_watch interrupts;
    auto directory = value_or_end(work_directory::open(how.keep, "demo"), exit_failed);
    const int code = run_to_end([&] { return perform(directory.path(), common, how, interrupts); });
    if (code != exit_ok && code != exit_interrupted && directory.leave_behind()) {
        complain("logs are left in " + directory.path().string());
    }
    return code;
}

}  // namespace

command demo_command() {
    const auto how = std::make_shared<demo_options>();
    return {
        .name = "demo",
        .group = command_group::test,
        .summary = "Do the main job on a private Redis and the simulator.",
        .examples =
            "tocsin demo\n"
            "tocsin demo --stay                            # keeps its page up\n"
            "tocsin demo --epci 200046977 --share 0.2      # Lyon\n",
        .options =
            {
                option("--epci", how->epci, "The EPCI that is alerted; the default is Dijon Métropole")
                    .value("SIREN")
                    .preset("242100410"),
                option("--share", how->share, "Share of the inhabitants that follow their commune")
                    .preset("0.35")
                    .between(0, 1),
                option("--dead-share", how->dead_share, "Share of the devices that are gone")
                    .preset("0.03")
                    .between(0, 1),
                option("--stay", how->stay, "Keep engine and page up until interrupted"),
                option("--keep", how->keep, "The folder to leave logs and configuration in").value("DIR"),
            },
        .details =
            "It touches nothing else. Needs `redis-server` in the `PATH`. A page, whose address is printed "
            "first, shows the event as it happens. Exit code 0 only if every device is accounted for, as the "
            "simulator counted it; 130 if interrupted before that.",
        .run = [how](const common_options& common) { return demo(common, *how); },
    };
}

}  // namespace tocsin::cli
