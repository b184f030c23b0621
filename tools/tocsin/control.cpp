#include "engine/control/control_board.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

/// What --app and --platform select; nothing after a word on standard error.
std::optional<hold_selector> selector_of(
    const settings& how, const std::string& app, const std::string& platform_name) {
    hold_selector out;
    if (!app.empty() && std::ranges::find(how.apps, app, &app_settings::id) == how.apps.end()) {
        complain("--app: no app \"" + app + "\" is configured");
        return std::nullopt;
    }
    out.app = app;
    if (!platform_name.empty()) {
        out.on = parse_platform(platform_name);
        if (!out.on) {
            complain("--platform: \"" + platform_name + "\" is neither apns nor fcm");
            return std::nullopt;
        }
    }
    return out;
}

/// For people: "mairies/apns", "every app", "every app on fcm".
std::string said(const hold_selector& which) {
    std::string out = which.app.empty() ? "every app" : which.app;
    return which.on ? out + " on " + std::string(to_string(*which.on)) : out;
}

json::array names_of(const std::vector<hold_selector>& holds) {
    json::array out;
    for (const hold_selector& one : holds) {
        out.emplace_back(to_string(one));
    }
    return out;
}

}  // namespace

int run(const common_options& common, const cancel_options& how) {
    const auto opened = open_session(common);
    if (!opened) {
        return exit_configuration;
    }
    const auto& redis = opened->redis;
    control_board board(redis->redis(), redis->keys());
    const auto answer = redis->run(board.cancel(how.event));
    if (!answer) {
        return exit_unreachable;
    }
    if (answer->state.empty()) {
        complain("no event \"" + how.event + "\" is known");
        return exit_failed;
    }
    if (!answer->cancelled()) {
        complain("the event \"" + how.event + "\" has ended already: " + answer->state);
        return exit_failed;
    }
    if (how.watch) {
        const int code = follow_event(*redis, common, how.event, "");
        return code == exit_failed ? exit_ok : code;  // "cancelled" is what was asked for.
    }
    json::value ignored;
    const auto report = redis->run(read_event(*redis, how.event, &ignored));
    if (!report) {
        return exit_unreachable;
    }
    const std::uint64_t accepted = *report ? (*report)->count(outcome::accepted) : 0;
    if (common.json) {
        print_json(json::object{{"event", how.event}, {"state", "cancelling"}, {"accepted", accepted}});
    } else {
        print(fmt::format(
            "{} is being cancelled: nothing more is sent. {} accepted so far; the result has the exact "
            "number (tocsin status {} --watch).",
            how.event, grouped(accepted), how.event));
    }
    return exit_ok;
}

int run(const common_options& common, const hold_options& how) {
    const auto opened = open_session(common);
    if (!opened) {
        return exit_configuration;
    }
    const auto which = selector_of(opened->how, how.app, how.platform);
    if (!which) {
        return exit_usage;
    }
    const auto& redis = opened->redis;
    control_board board(redis->redis(), redis->keys());
    const bool done = how.hold ? redis->run(board.hold(*which, redis->time().wall_now()))
                               : redis->run(board.release(*which));
    const auto now = done ? redis->run(board.read()) : std::nullopt;
    if (!now) {
        return exit_unreachable;
    }
    // Whether a wider pause still stands is what somebody who resumes has to know.
    const auto wider = std::ranges::find_if(
        now->holds, [&](const hold_selector& one) { return !how.hold && one.covers(*which); });
    if (common.json) {
        print_json(json::object{{"paused", names_of(now->holds)}});
    } else if (how.hold) {
        print("Paused: " + said(*which) + ". What is in flight is seen to its end; the rest waits.");
    } else if (wider == now->holds.end()) {
        print("Resumed: " + said(*which) + ".");
    }
    if (wider != now->holds.end()) {
        complain(
            said(*which) + " is still paused, with " + said(*wider) +
            ": release that one, by the words it was paused with");
        return exit_failed;
    }
    return exit_ok;
}

int run(const common_options& common, const rate_options& how) {
    const auto opened = open_session(common);
    if (!opened) {
        return exit_configuration;
    }
    const auto which = selector_of(opened->how, how.app, how.platform);
    if (!which) {
        return exit_usage;
    }
    const auto& redis = opened->redis;
    control_board board(redis->redis(), redis->keys());
    const target lane{which->app, *which->on};
    if (!redis->run(board.set_rate(lane, how.rate))) {
        return exit_unreachable;
    }
    if (common.json) {
        print_json(json::object{{"app", lane.app}, {"platform", to_string(lane.on)}, {"rate", how.rate}});
    } else {
        print(fmt::format(
            "{}: {} until the next reload of an engine.", to_string(lane),
            how.rate == 0 ? std::string("no limit of ours") : grouped(how.rate) + " pushes/s"));
    }
    return exit_ok;
}

}  // namespace tocsin::cli
