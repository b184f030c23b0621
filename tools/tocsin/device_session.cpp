#include "tools/tocsin/device_session.hpp"

#include "engine/event/device_token.hpp"
#include "engine/event/registration.hpp"
#include "engine/served_apps.hpp"
#include "providers/known_platforms.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <chrono>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

registration to_registration(const target& which, const device& known) {
    registration out;
    out.app = which.app;
    out.platform = which.on;
    out.token = known.token;
    out.keys = known.keys;
    out.is_fid = known.is_fid;
    out.follow = known.follow;
    out.mute = known.mute;
    out.locale = known.locale;
    out.sandbox = known.sandbox;
    out.registered_at = wall_time(std::chrono::seconds(known.registered_at));
    return out;
}

}  // namespace

store_session::store_session(const common_options& common)
    : opened_session(common),
      places(load_territories(how)),
      store(redis.redis(), redis.keys(), known_platforms(), sizing_for(how, places)),
      preparer(places, known_platforms(), event_limits{}, redis.time()) {
    preparer.set_apps(served_apps(how));
}

std::vector<target> store_session::targets() const {
    std::vector<target> out;
    for (const served_app& app : preparer.apps()) {
        for (const auto& [on, unused] : app.platforms) {
            out.push_back({app.id, on});
        }
    }
    return out;
}

std::vector<target> store_session::possible_targets(const std::string& token) const {
    std::vector<target> out;
    for (const target& which : targets()) {
        if (known_platforms()[which.on].check_token(token, "token").has_value() ||
            (which.on == platform::fcm && check_fid(token, "token").has_value())) {
            out.push_back(which);
        }
    }
    return out;
}

json::value document_of(const common_options& common, const target& which, const device& known) {
    json::value out = json::parse(to_json(known_platforms(), to_registration(which, known)));
    if (common.show_tokens) {
        return out;
    }
    json::object& document = out.as_object();
    const std::string hidden = shorten_token(known_platforms()[which.on].written_token(known.token));
    if (const auto* const subscription = document.if_contains("subscription"); subscription != nullptr) {
        document["subscription"] = json::object{{"endpoint", hidden}};
    } else {
        document[known.is_fid ? "fid" : "token"] = hidden;
    }
    return out;
}

}  // namespace tocsin::cli
