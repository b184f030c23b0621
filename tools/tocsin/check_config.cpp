#include "engine/redis/error.hpp"
#include "engine/served_apps.hpp"
#include "providers/handshake.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/lost_followers.hpp"
#include "tools/tocsin/redis_examination.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;

/// What Redis is asked, and one line for each thing that is wrong with it; one that says so if nothing is.
std::vector<handshake_report> reports_of_redis(redis_session& redis) {
    std::vector<handshake_report> out;
    const std::string peer = "redis " + redis.where();
    const auto findings = redis.ask(examine_redis(redis.redis(), redis.keys()));
    if (findings.has_error()) {
        const bool refused =
            findings.error() == redis::redis_errc::refused || findings.error() == redis::redis_errc::protocol;
        return {{peer, redis.sentence_about(findings.error()), refused}};
    }
    bool works = true;
    for (const redis_finding& one : *findings) {
        const bool fatal = one.how == redis_finding::severity::failure;
        works = works && !fatal;
        out.push_back({peer, one.problem, fatal, !fatal});
    }
    if (works) {
        out.insert(out.begin(), {peer, {}, false});
    }
    return out;
}

/// What came of asking everybody that the configuration names.
struct online_check {
    boost::json::array report;
    std::size_t failed = 0;
    bool refused = false;        ///< One of them was reached, and does not accept what is configured.
    boost::json::array outside;  ///< Devices that follow what the territories do not have.
};

std::vector<lost_followers> look_for_lost_followers(
    const settings& how, const territories& places, redis_session& redis) {
    device_store store(redis.redis(), redis.keys(), known_platforms(), sizing_for(how, places));
    std::vector<target> targets;
    for (const served_app& app : served_apps(how)) {
        for (const auto& [on, unused] : app.platforms) {
            targets.push_back({app.id, on});
        }
    }
    auto found = redis.attempt(find_lost_followers(store, std::move(targets), places));
    return found.has_value() ? std::move(*found) : std::vector<lost_followers>();
}

online_check check_online(const settings& how, const territories& places, bool json) {
    online_check out;
    const auto tell = [&](const handshake_report& one) {
        const bool fine = one.problem.empty() || one.harmless;
        out.failed += fine ? 0 : 1;
        out.refused = out.refused || (!fine && one.configuration);
        out.report.push_back(boost::json::object{{"peer", one.peer}, {"ok", fine}, {"problem", one.problem}});
        if (!json) {
            const std::string word = !fine          ? inked(ink::red, "FAIL")
                                     : one.harmless ? inked(ink::yellow, "warn")
                                                    : inked(ink::green, "ok  ");
            print(fmt::format(
                "{} {}{}", word, shown(one.peer), one.problem.empty() ? "" : ": " + shown(one.problem)));
        }
    };
    redis_session redis(how);
    for (const handshake_report& one : reports_of_redis(redis)) {
        tell(one);
    }
    const auto lost =
        out.failed == 0 ? look_for_lost_followers(how, places, redis) : std::vector<lost_followers>();
    for (const lost_followers& one : lost) {
        tell({to_string(one.which), sentence_about(one, places), false, true});
    }
    out.outside = to_json(lost, places);
    for (const handshake_report& one : shake_hands(how)) {
        tell(one);
    }
    for (const handshake_report& one : try_credentials(how)) {
        tell(one);
    }
    return out;
}

int check_config(const common_options& common, bool ask_online) {
    const settings how = load_settings(common);
    const engine_grounds grounds = load_grounds(how);
    const system_time_source time;
    null_logger log;
    asio::io_context loop(1);
    const provider_runtime runtime{loop.get_executor(), 1, time, log, 1};
    static_cast<void>(open_providers(how, runtime));
    online_check online;
    if (ask_online) {
        online = check_online(how, grounds.places, common.json);
    }
    if (common.json) {
        print_json(boost::json::object{
            {"file", how.file.string()},
            {"apps", how.apps.size()},
            {"ok", online.failed == 0},
            {"online", std::move(online.report)},
            {"outside", std::move(online.outside)}});
    } else {
        print(fmt::format(
            "{}: {} app{}, {}", how.file.empty() ? std::string("defaults") : how.file.string(),
            how.apps.size(), how.apps.size() == 1 ? "" : "s",
            online.failed == 0 ? std::string("no problem found")
                               : fmt::format(
                                     "no problem in itself, but {} check{} failed", online.failed,
                                     online.failed == 1 ? "" : "s")));
        if (!ask_online) {
            print(
                "No connection was opened: --online asks Redis and the providers as well, also for devices "
                "that follow communes which have merged.");
        }
    }
    if (online.failed == 0) {
        return exit_ok;
    }
    return online.refused ? exit_configuration : exit_unreachable;
}

}  // namespace

command check_config_command() {
    const auto online = std::make_shared<bool>(false);
    return {
        .name = "check-config",
        .group = command_group::run,
        .summary = "Report everything that serve would reject.",
        .examples =
            "tocsin check-config --config tocsin.toml\n"
            "tocsin check-config --online\n",
        .options = {option(
            "--online", *online, "Also shake hands with Redis and each provider, and ask for access tokens")},
        .details =
            "Prints each problem with file, line and key. Without `--online` it opens no connection, so it "
            "cannot find problems that only Redis and the providers know, such as devices that follow "
            "communes which have merged. `--online` also connects to Redis, shakes hands with each provider "
            "(name, TCP, certificate, HTTP/2), and asks for an access token with each service account. In "
            "Redis it checks version, role, eviction, persistence, rights, and keys that hold something "
            "else. Problems that can wait are warnings, and so are devices that follow communes which the "
            "territories do not have ([what to do](../how-to/when-communes-merge.md)). It sends no push, so "
            "it does not notice a wrong APNs key: use `tocsin send` for that.\n\n"
            "    tocsin: tocsin.toml:35: app.apns.topik: unknown key; did you mean topic?\n\n"
            "Exit codes: 0; 78; with `--online` 69 if Redis or a provider cannot be reached, and 78 if an "
            "account is refused. "
            "`--json`: `file`, `apps`, `ok`, `online` (a list of `peer`, `ok`, `problem`; a `problem` that "
            "is `ok` is a warning), `outside` (as in `devices count`).",
        .run = [online](const common_options& common) { return check_config(common, *online); },
    };
}

}  // namespace tocsin::cli
