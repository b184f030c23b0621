#include "engine/control/control_board.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/hold.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct rate_options {
    std::string app, platform;
    std::uint64_t rate = 0;
};

int change_rate(const common_options& common, const rate_options& how) {
    opened_session in(common);
    const hold_selector which = selector_of(in.how, how.app, how.platform);
    control_board board(in.redis.redis(), in.redis.keys());
    const target lane{which.app, *which.on};
    in.redis.run(board.set_rate(lane, how.rate));
    if (common.json) {
        print_json(json::object{{"app", lane.app}, {"platform", to_string(lane.on)}, {"rate", how.rate}});
    } else {
        print(fmt::format(
            "{}: {} until the next reload of an engine.", to_string(lane),
            how.rate == 0 ? std::string("no limit of ours") : grouped(how.rate) + " pushes/s"));
    }
    return exit_ok;
}

}  // namespace

command rate_command() {
    const auto how = std::make_shared<rate_options>();
    return {
        .name = "rate",
        .group = command_group::run,
        .summary = "Change a rate in all engines, until the next reload.",
        .examples =
            "tocsin rate --app mairies --platform fcm --set 2000\n"
            "tocsin rate --app mairies --platform fcm --set 0      # no limit\n",
        .options =
            {
                option("--app", how->app, "The app, as configured").value("APP").required(),
                option("--platform", how->platform, "`apns`, `fcm` or `webpush`")
                    .value("PLATFORM")
                    .required(),
                option("--set", how->rate, "Pushes per second over all engines; 0: no limit")
                    .between(0, 10'000'000)
                    .required(),
            },
        .details = "Takes effect within a second, and lasts until an engine reloads its configuration.",
        .run = [how](const common_options& common) { return change_rate(common, *how); },
    };
}

}  // namespace tocsin::cli
