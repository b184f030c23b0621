#include "tools/simulator/simulator.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <csignal>

#include <fmt/format.h>

namespace tocsin::cli {

int run(const common_options& common, const sim_options& how) {
    std::signal(SIGPIPE, SIG_IGN);
    boost::asio::io_context loop(1);
    boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
    const auto started = sim::simulator::start(how.simulator);
    if (started.has_error()) {
        complain(started.error().message);
        return exit_failed;
    }
    sim::simulator& running = **started;
    if (!how.behaviour.empty()) {
        boost::system::error_code ec;
        const auto document = boost::json::parse(how.behaviour, ec);
        const auto changed =
            ec ? parsed<>(refusal{"behaviour", "not JSON: " + ec.message()}) : running.change(document);
        if (changed.has_error()) {
            complain("--behaviour: " + changed.error().message);
            return exit_usage;
        }
    }
    const auto& ports = running.ports();
    if (common.json) {
        print_json(boost::json::object{
            {"config", running.configuration_file().string()},
            {"apns", ports.apns},
            {"sandbox", ports.sandbox},
            {"fcm", ports.fcm},
            {"oauth", ports.oauth},
            {"control", ports.control}});
    } else {
        print(fmt::format(
            "APNs {0}:{1} (sandbox {2}), FCM {0}:{3}, OAuth {0}:{4}\n"
            "counts and behaviour: http://127.0.0.1:{5}/stats, /behaviour\n"
            "tocsin serve --config {6}",
            how.simulator.address, ports.apns, ports.sandbox, ports.fcm, ports.oauth, ports.control,
            running.configuration_file().string()));
    }
    signals.async_wait([&loop](const boost::system::error_code&, int) { loop.stop(); });
    loop.run();
    running.stop();
    return exit_ok;
}

}  // namespace tocsin::cli
