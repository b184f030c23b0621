#include "engine/redis/address.hpp"
#include "engine/redis/check.hpp"
#include "providers/factory.hpp"
#include "providers/handshake.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;

asio::awaitable<result<>> ping(redis_session& redis) {
    redis::request ask;
    ask.add("PING");
    auto answer = co_await redis.redis().execute(std::move(ask));
    const auto checked = redis::checked(std::move(answer));
    co_return checked.has_error() ? result<>(checked.error()) : result<>();
}

/// Shakes hands with Redis and every provider; false if one of them did not.
bool check_online(const settings& how, boost::json::array& report, bool json) {
    bool all = true;
    const auto tell = [&](const std::string& whom, const std::string& problem) {
        all = all && problem.empty();
        report.push_back(boost::json::object{{"peer", whom}, {"ok", problem.empty()}, {"problem", problem}});
        if (!json) {
            print(fmt::format(
                "{} {}{}", problem.empty() ? inked(ink::green, "ok  ") : inked(ink::red, "FAIL"), whom,
                problem.empty() ? "" : ": " + problem));
        }
    };
    const auto redis = redis_session::open(how);
    tell("redis", redis != nullptr && redis->run(ping(*redis)) ? "" : "does not answer");
    for (const handshake_report& one : shake_hands(how)) {
        tell(one.peer, one.problem);
    }
    return all;
}

}  // namespace

int run(const common_options& common, const check_config_options& how) {
    const auto loaded = load_settings(common);
    if (!loaded || !load_territories(*loaded)) {
        return exit_configuration;
    }
    const auto where = redis::parse_address(loaded->redis.url);
    if (where.has_error()) {
        complain("redis.url: " + where.error().message);
        return exit_configuration;
    }
    const system_time_source time;
    null_logger log;
    asio::io_context loop(1);
    const provider_runtime runtime{loop.get_executor(), 1, time, log, 1};
    const auto providers = make_providers(*loaded, runtime);
    if (providers.has_error()) {
        complain(providers.error().code + ": " + providers.error().message);
        return exit_configuration;
    }
    boost::json::array report;
    const bool reached = !how.online || check_online(*loaded, report, common.json);
    if (common.json) {
        print_json(boost::json::object{
            {"file", loaded->file.string()},
            {"apps", loaded->apps.size()},
            {"ok", reached},
            {"online", std::move(report)}});
    } else {
        print(fmt::format(
            "{}: {} app{}, no problem found",
            loaded->file.empty() ? std::string("defaults") : loaded->file.string(), loaded->apps.size(),
            loaded->apps.size() == 1 ? "" : "s"));
    }
    return reached ? exit_ok : exit_unreachable;
}

}  // namespace tocsin::cli
