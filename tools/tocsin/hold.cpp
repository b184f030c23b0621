#include "tools/tocsin/hold.hpp"

#include "engine/control/control_board.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

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

int change(const common_options& common, const hold_options& how, bool holds) {
    opened_session in(common);
    redis_session& redis = in.redis;
    const hold_selector which = selector_of(in.how, how.app, how.platform);
    control_board board(redis.redis(), redis.keys());
    if (holds) {
        redis.run(board.hold(which, redis.time().wall_now()));
    } else {
        redis.run(board.release(which));
    }
    const control_state now = redis.run(board.read());
    // Whether a wider pause still stands is what somebody who resumes has to know.
    const auto wider = std::ranges::find_if(
        now.holds, [&](const hold_selector& one) { return !holds && one.covers(which); });
    if (common.json) {
        print_json(json::object{{"paused", names_of(now.holds)}});
    } else if (holds) {
        print("Paused: " + said(which) + ". What is in flight is seen to its end; the rest waits.");
    } else if (wider == now.holds.end()) {
        print("Resumed: " + said(which) + ".");
    }
    if (wider != now.holds.end()) {
        throw command_end(
            exit_failed, said(which) + " is still paused, with " + said(*wider) +
                             ": release that one, by the words it was paused with");
    }
    return exit_ok;
}

}  // namespace

platform platform_of(const std::string& name) {
    const auto found = parse_platform(name);
    if (!found) {
        throw command_end(exit_usage, "--platform: \"" + name + "\" is none of apns, fcm and webpush");
    }
    return *found;
}

hold_selector selector_of(const settings& how, const std::string& app, const std::string& platform_name) {
    hold_selector out;
    if (!app.empty() && std::ranges::find(how.apps, app, &app_settings::id) == how.apps.end()) {
        throw command_end(exit_usage, "--app: no app \"" + app + "\" is configured");
    }
    out.app = app;
    if (!platform_name.empty()) {
        out.on = platform_of(platform_name);
    }
    return out;
}

int hold(const common_options& common, const hold_options& how) {
    return change(common, how, true);
}

int release(const common_options& common, const hold_options& how) {
    return change(common, how, false);
}

std::vector<option> hold_option_table(hold_options& into) {
    return {
        option("--app", into.app, "Only this app; default: every app").value("APP"),
        option("--platform", into.platform, "`apns`, `fcm` or `webpush`; default: all").value("PLATFORM"),
    };
}

}  // namespace tocsin::cli
