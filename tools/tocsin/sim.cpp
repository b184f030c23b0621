#include "engine/event/territory.hpp"
#include "tools/simulator/simulator.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/latency_text.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

struct sim_options {
    sim::simulator_options simulator;
    std::string behaviour;  ///< A JSON document as POST /behaviour takes it.
    std::string latency;    ///< As parse_latency() takes it; empty: none.
    std::string answers = "batched";
    double dead_share = 0;
    std::uint32_t rate = 0;
    std::vector<std::string> dedicated;  ///< INSEE codes.
};

/// What the flags that stand for several settings of the simulator set.
void spread_over_providers(sim_options& how) {
    const auto delay =
        how.latency.empty() ? parsed<sim::latency>(sim::latency{}) : parse_latency(how.latency);
    for (auto& provider : how.simulator.initial.providers) {
        provider.delay = *delay;  // The command line was checked.
        provider.dead_share = how.dead_share;
    }
    for (const std::string& commune : how.dedicated) {
        how.simulator.apps.push_back(sim::dedicated_app(commune));
    }
    for (auto& app : how.simulator.apps) {
        app.apns_rate = how.rate;
        app.fcm_rate = how.rate;
        app.webpush_rate = how.rate;
    }
    how.simulator.pattern = how.answers == "record"  ? sim::answer_pattern::one_record_per_answer
                            : how.answers == "write" ? sim::answer_pattern::one_write_per_answer
                                                     : sim::answer_pattern::batched;
    if (how.answers == "write") {
        how.simulator.gather = {};  // Each at its own moment, too.
    }
}

int simulate(const common_options& common, const sim_options& how) {
    std::signal(SIGPIPE, SIG_IGN);
    boost::asio::io_context loop(1);
    boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
    const auto started = value_or_end(sim::simulator::start(how.simulator), exit_failed);
    sim::simulator& running = *started;
    if (!how.behaviour.empty()) {
        boost::system::error_code ec;
        const auto document = boost::json::parse(how.behaviour, ec);
        value_or_end(
            ec ? parsed<>(refusal{"behaviour", "not JSON: " + ec.message()}) : running.change(document),
            exit_usage, "--behaviour: ");
    }
    const auto& ports = running.ports();
    if (common.json) {
        print_json(boost::json::object{
            {"config", running.configuration_file().string()},
            {"apns", ports.apns},
            {"sandbox", ports.sandbox},
            {"fcm", ports.fcm},
            {"oauth", ports.oauth},
            {"control", ports.control},
            {"webpush", ports.webpush}});
    } else {
        print(fmt::format(
            "APNs {0}:{1} (sandbox {2}), FCM {0}:{3}, OAuth {0}:{4}, Web Push localhost:{5}\n"
            "counts and behaviour: http://127.0.0.1:{6}/stats, /behaviour; browsers: /subscriptions?count=1\n"
            "tocsin serve --config {7}",
            how.simulator.address, ports.apns, ports.sandbox, ports.fcm, ports.oauth, ports.webpush,
            ports.control, running.configuration_file().string()));
    }
    if (output_failed()) {
        return exit_failed;  // Whoever started it will never know where it listens.
    }
    signals.async_wait([&loop](const boost::system::error_code&, int) { loop.stop(); });
    loop.run();
    running.stop();
    return exit_ok;
}

std::vector<option> sim_option_table(sim_options& into) {
    sim::simulator_options& how = into.simulator;
    return {
        option("--directory", how.directory, "Receives certificates, keys and tocsin.toml")
            .value("DIR")
            .preset("tocsin-sim"),
        option("--address", how.address, "What the provider ports listen on").preset("127.0.0.1"),
        option("--apns-port", how.ports.apns, "0: any free one").value("PORT").preset("8443"),
        option("--sandbox-port", how.ports.sandbox, "0: any free one").value("PORT").preset("8444"),
        option("--fcm-port", how.ports.fcm, "0: any free one").value("PORT").preset("8445"),
        option("--oauth-port", how.ports.oauth, "0: any free one").value("PORT").preset("8446"),
        option("--control-port", how.ports.control, "0: any free one").value("PORT").preset("8447"),
        option("--webpush-port", how.ports.webpush, "0: 8448, or any free one").value("PORT").preset("0"),
        option("--threads", how.threads, "Threads that serve the providers").preset("1"),
        option("--apns-streams", how.apns_streams, "MAX_CONCURRENT_STREAMS of APNs").preset("1000"),
        option("--fcm-streams", how.fcm_streams, "MAX_CONCURRENT_STREAMS of FCM").preset("100"),
        option("--webpush-streams", how.webpush_streams, "MAX_CONCURRENT_STREAMS of the push service")
            .preset("100"),
        option(
            "--latency", into.latency,
            "Latency of all providers: `none`, `fixed:MS`, `uniform:MS:MS` or `lognormal:MEDIAN_MS:P99_MS`")
            .value("LATENCY")
            .checked(latency_problem),
        option("--dead-share", into.dead_share, "Share of the tokens that are dead, 0 to 1"),
        option("--seed", how.initial.seed, "Seed of all random choices").preset("1"),
        option("--redis-url", how.redis_url, "For the tocsin.toml that is written").value("URL"),
        option("--redis-prefix", how.redis_prefix, "For the tocsin.toml that is written"),
        option("--admin-listen", how.admin_listen, "For the tocsin.toml that is written").value("ADDRESS"),
        option(
            "--rate", into.rate,
            "Pushes per second that the tocsin.toml that is written allows each app and provider")
            .preset("0"),
        option(
            "--dedicated", into.dedicated,
            "INSEE code of a commune that has an app of its own beside the two usual ones")
            .value("COMMUNE")
            .checked([](const std::string& code) {
                return parse_commune_id(code) ? std::string() : "\"" + code + "\" is no INSEE code";
            }),
        option("--script", how.script_file, "JSON file of behaviour changes by time").value("FILE"),
        option("--behaviour", into.behaviour, "A JSON document as `POST /behaviour` takes it").value("JSON"),
        option(
            "--answers", into.answers,
            "How answers are written: `batched`, `record` (a TLS record each) or `write` (a system call "
            "each, at its own moment)")
            .value("PATTERN")
            .one_of({"batched", "record", "write"})
            .preset("batched"),
    };
}

}  // namespace

command sim_command() {
    const auto how = std::make_shared<sim_options>();
    how->simulator.webpush = true;
    return {
        .name = "sim",
        .group = command_group::test,
        .summary = "Run the simulator: APNs, FCM, OAuth, Web Push over TLS.",
        .examples =
            "tocsin sim                     # writes tocsin-sim/tocsin.toml, ready for serve\n"
            "tocsin sim --latency lognormal:40:200 --dead-share 0.03\n"
            "tocsin sim --behaviour \\\n"
            "    '{\"fcm\":{\"errors\":[{\"reason\":\"UNAVAILABLE\",\"share\":0.01}]}}'\n",
        .options = sim_option_table(*how),
        .details = "See the page [Test against the simulator](../how-to/test-against-the-simulator.md).",
        .run =
            [how](const common_options& common) {
                spread_over_providers(*how);
                return simulate(common, *how);
            },
    };
}

}  // namespace tocsin::cli
