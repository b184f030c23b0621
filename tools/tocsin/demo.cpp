#include "engine/core/text.hpp"
#include "engine/event/device_token.hpp"
#include "engine/ops/config.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "engine/served_apps.hpp"
#include "tools/simulator/dead_token.hpp"
#include "tools/simulator/simulator.hpp"
#include "tools/tocsin/child_process.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/demo_devices.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/private_stage.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <thread>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto event_patience = 120s;
constexpr std::size_t devices_at_once = 4'096;
constexpr std::string_view event_id = "crue-ouche";

/// Everything that the demo starts, in an order in which it can be ended backwards.
struct stage {
    std::optional<work_directory> directory;
    std::optional<child_process> redis;
    std::unique_ptr<sim::simulator> providers;
    std::optional<child_process> engine;
};

void say(std::string_view text) {
    print(text);
}

parsed<> start_simulator(stage& on, const demo_options& how, std::uint16_t admin_port) {
    sim::simulator_options options;
    options.directory = on.directory->path() / "providers";
    options.ports = {0, 0, 0, 0, 0};
    options.redis_url = private_redis_url(on.directory->path());
    options.admin_listen = "127.0.0.1:" + std::to_string(admin_port);
    for (auto& provider : options.initial.providers) {
        // What the real ones take from a French data centre, about.
        provider.delay = {sim::latency::shape::lognormal, 40, 200};
        provider.dead_share = how.dead_share;
    }
    auto started = sim::simulator::start(options);
    if (started.has_error()) {
        return started.error();
    }
    on.providers = std::move(*started);
    return {};
}

bool register_devices(redis_session& redis, device_store& store, std::vector<device_change> devices) {
    progress_line progress;
    for (std::size_t from = 0; from < devices.size(); from += devices_at_once) {
        const auto end =
            devices.begin() + static_cast<std::ptrdiff_t>(std::min(devices.size(), from + devices_at_once));
        std::vector<device_change> some(
            std::make_move_iterator(devices.begin() + static_cast<std::ptrdiff_t>(from)),
            std::make_move_iterator(end));
        if (!redis.run(store.apply(std::move(some)))) {
            return false;
        }
        const double share = static_cast<double>(from) / static_cast<double>(devices.size());
        progress.show(fmt::format("registering {} {:3.0f} %", progress_line::bar(share), share * 100));
    }
    return true;
}

asio::awaitable<result<std::string>> publish(redis_session& redis, std::string audience) {
    const json::object event{
        {"id", event_id},
        {"audience", json::array{audience}},
        {"category", "alerte"},
        {"priority", "critical"},
        {"notification",
         json::object{
             {"title", "Crue de l'Ouche"}, {"body", "Évitez les quais et les passages souterrains."}}},
        {"ttl", 3600}};
    redis::request ask;
    ask.add("XADD", redis.keys().events(), "*", "event", json::serialize(event));
    const auto answer = co_await redis.redis().execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return std::string(answer->front().text());
}

/// Accepted devices as they grow, and when they reached 50, 90 and 100 %.
struct watched {
    event_report report;
    json::value document;
};

std::optional<watched> watch(redis_session& redis, std::uint64_t devices) {
    progress_line progress;
    const auto begun = clock::now();
    while (clock::now() - begun < event_patience) {
        watched out;
        const auto report = redis.run(read_event(redis, std::string(event_id), &out.document));
        if (!report) {
            return std::nullopt;
        }
        if (*report) {
            out.report = **report;
            const double share = static_cast<double>(out.report.ended()) / static_cast<double>(devices);
            const double seconds = std::chrono::duration<double>(clock::now() - begun).count();
            progress.show(fmt::format(
                "{} {:3.0f} %  {} accepted  {} dead  {:.1f} s", progress_line::bar(share), share * 100,
                grouped(out.report.count(outcome::accepted)), grouped(out.report.count(outcome::dead)),
                seconds));
            if (out.report.finished_at != 0) {
                return out;
            }
        }
        std::this_thread::sleep_for(50ms);
    }
    progress.clear();
    complain("the event did not finish within " + spoken_ms(event_patience / 1ms));
    return std::nullopt;
}

struct tally {
    std::uint64_t living_once = 0;
    std::uint64_t living_never = 0;
    std::uint64_t twice = 0;
    std::uint64_t dead_accepted = 0;
    std::uint64_t dead = 0;
    std::map<commune_id, std::pair<std::uint64_t, std::uint64_t>> by_commune;  ///< Devices, dead.
};

/// What the simulator saw, device by device: it knows nothing of the engine's sums.
tally count_at_simulator(
    const sim::simulator& providers, const std::vector<device_change>& devices, double dead_share) {
    tally out;
    const std::uint64_t seed = providers.current_behaviour().seed;
    for (const device_change& one : devices) {
        const std::string token = written_token(one.where, one.which.token);
        const bool dead = sim::is_dead(token, seed, dead_share);
        const auto seen =
            providers.counts(one.where == platform::apns ? sim::provider::apns : sim::provider::fcm, token);
        auto& commune = out.by_commune[one.which.follow.front().commune];
        ++commune.first;
        if (dead) {
            ++out.dead;
            ++commune.second;
            out.dead_accepted += seen.accepted != 0 ? 1 : 0;
            continue;
        }
        out.living_once += seen.accepted == 1 ? 1 : 0;
        out.living_never += seen.accepted == 0 ? 1 : 0;
        out.twice += seen.accepted > 1 ? 1 : 0;
    }
    return out;
}

void show_communes(const territories& places, const event_report& report, const tally& seen) {
    table shown({"commune", "inhabitants", "devices", "accepted", "dead", "reach"});
    std::uint64_t inhabitants = 0;
    std::uint64_t devices = 0;
    for (const auto& [id, counts] : seen.by_commune) {
        const auto accepted = report.communes.find(to_string(id));
        const std::uint64_t number = accepted == report.communes.end() ? 0 : accepted->second;
        const std::uint32_t population = places.population(id);
        inhabitants += population;
        devices += counts.first;
        shown.add(
            {std::string(places.name(id)), grouped(population), grouped(counts.first), grouped(number),
             grouped(counts.second),
             fmt::format(
                 "{:.1f} %", population == 0 ? 0 : 100.0 * static_cast<double>(number) / population)});
    }
    const std::uint64_t accepted = report.count(outcome::accepted);
    shown.add(
        {"all", grouped(inhabitants), grouped(devices), grouped(accepted),
         grouped(report.count(outcome::dead)),
         fmt::format(
             "{:.1f} %", 100.0 * static_cast<double>(accepted) /
                             static_cast<double>(std::max<std::uint64_t>(1, inhabitants)))});
    say(shown.text());
}

/// True if all that the demo claims is so; tells what is not.
bool verify(const event_report& report, const tally& seen, std::uint64_t devices) {
    bool good = true;
    const auto expect = [&good](bool holds, const std::string& otherwise) {
        if (!holds) {
            complain(otherwise);
            good = false;
        }
    };
    expect(report.state == "finished", "the event ended as " + report.state);
    expect(report.targeted == devices, fmt::format("{} devices, {} targeted", devices, report.targeted));
    expect(report.ended() == report.targeted, "the outcomes do not add up to the devices targeted");
    expect(seen.living_never == 0, fmt::format("{} living devices were not reached", seen.living_never));
    expect(seen.twice == 0, fmt::format("{} devices were reached twice", seen.twice));
    expect(seen.dead_accepted == 0, fmt::format("{} dead devices were accepted", seen.dead_accepted));
    expect(
        report.count(outcome::accepted) == seen.living_once && report.count(outcome::dead) == seen.dead,
        fmt::format(
            "the engine says {} accepted and {} dead, the simulator {} and {}",
            report.count(outcome::accepted), report.count(outcome::dead), seen.living_once, seen.dead));
    return good;
}

int perform(stage& on, const common_options& common, const demo_options& how) {
    const auto fail = [](const refusal& why) {
        complain(why.message);
        return int{exit_failed};
    };
    const auto begun = clock::now();
    auto directory = work_directory::open(how.keep, "demo");
    if (directory.has_error()) {
        return fail(directory.error());
    }
    on.directory.emplace(std::move(*directory));
    const std::uint16_t admin_port = free_port();
    const std::string admin = "127.0.0.1:" + std::to_string(admin_port);
    auto own_redis = start_private_redis(on.directory->path());
    if (own_redis.has_error()) {
        return fail(own_redis.error());
    }
    on.redis.emplace(std::move(*own_redis));
    if (const auto started = start_simulator(on, how, admin_port); started.has_error()) {
        return fail(started.error());
    }
    common_options of_stage;
    of_stage.config = on.providers->configuration_file().string();
    const auto configured = load_settings(of_stage);
    const auto places = configured ? load_territories(*configured) : std::nullopt;
    const auto redis = configured ? redis_session::open(*configured) : nullptr;
    if (!places || redis == nullptr) {
        return exit_configuration;
    }
    const auto epci = parse_epci_id(how.epci);
    const auto members = epci ? places->of_epci(*epci) : std::span<const commune_id>();
    if (members.empty()) {
        complain("--epci: no EPCI has the SIREN number \"" + how.epci + "\"");
        return exit_usage;
    }
    const std::vector<commune_id> communes(members.begin(), members.end());
    const demo_population population = make_population(*places, communes, *parse_commune_id("21231"), how);
    const std::uint64_t devices = population.devices.size();
    say(fmt::format(
        "{}: {} communes, {} devices ({} follow two communes), {:.0f} % of them gone",
        places->epci_name(*epci), communes.size(), grouped(devices), grouped(population.following_two),
        how.dead_share * 100));
    say("private Redis, APNs and FCM simulator over TLS and HTTP/2: ready");

    device_store store(redis->redis(), redis->keys(), sizing_for(*configured, *places));
    auto engine =
        start_private_engine(on.providers->configuration_file(), admin, on.directory->path() / "engine.log");
    if (engine.has_error()) {
        return fail(engine.error());
    }
    on.engine.emplace(std::move(*engine));
    if (!register_devices(*redis, store, population.devices)) {
        return exit_unreachable;
    }
    say(fmt::format(
        "registered after {}",
        spoken_ms(std::chrono::duration<double, std::milli>(clock::now() - begun).count())));

    const auto processor_before = on.engine->processor_time();
    const auto entry = redis->run(publish(*redis, "epci:" + how.epci));
    if (!entry) {
        return exit_unreachable;
    }
    say(inked(ink::bold, fmt::format("critical alert published to epci:{}", how.epci)));
    const auto seen = watch(*redis, devices);
    if (!seen) {
        return exit_failed;
    }
    const auto processor = on.engine->processor_time() - processor_before;
    const event_report& report = seen->report;
    const tally at_simulator = count_at_simulator(*on.providers, population.devices, how.dead_share);
    if (common.json) {
        print_json(seen->document);
    } else {
        say("");
        show_communes(*places, report, at_simulator);
        say("");
    }
    const double total_ms =
        static_cast<double>(std::max<std::int64_t>(1, report.finished_at - report.accepted_at));
    say(fmt::format(
        "accepted within: 50 % {}, 90 % {}, 100 % {}",
        spoken_ms(static_cast<double>(report.latencies.quantile(0.5))),
        spoken_ms(static_cast<double>(report.latencies.quantile(0.9))),
        spoken_ms(static_cast<double>(
            std::min<std::uint64_t>(report.latencies.quantile(1.0), static_cast<std::uint64_t>(total_ms))))));
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
    const int status = on.engine->stop(10s);
    if (status != 0) {
        complain(fmt::format("the engine ended with status {}", status));
    }
    say(good && status == 0 ? inked(ink::green, "every device is accounted for")
                            : inked(ink::red, "the demo failed"));
    return good && status == 0 ? exit_ok : exit_failed;
}

int demo(const common_options& common, const demo_options& how) {
    std::signal(SIGPIPE, SIG_IGN);
    stage on;
    const int code = perform(on, common, how);
    if (code != exit_ok && on.directory && on.directory->leave_behind()) {
        complain("logs are left in " + on.directory->path().string());
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
            "tocsin demo --epci 200046977 --share 0.2      # Lyon\n",
        .options =
            {
                option("--epci", how->epci, "The EPCI that is alerted; the default is Dijon Métropole")
                    .value("SIREN")
                    .preset("242100410"),
                option("--share", how->share, "Of the inhabitants, that follow their commune")
                    .preset("0.35")
                    .between(0, 1),
                option("--dead-share", how->dead_share, "Of the devices, that are gone")
                    .preset("0.03")
                    .between(0, 1),
                option("--keep", how->keep, "Leave logs and configuration there").value("DIR"),
            },
        .details =
            "Nothing else is touched. Needs `redis-server` in the `PATH`. Exit code 0 only if every device "
            "is accounted "
            "for, as the simulator counted it.",
        .run = [how](const common_options& common) { return demo(common, *how); },
    };
}

}  // namespace tocsin::cli
