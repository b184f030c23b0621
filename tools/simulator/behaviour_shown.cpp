#include "tools/simulator/behaviour.hpp"
#include "tools/simulator/behaviour_words.hpp"

#include <boost/json/array.hpp>

#include <utility>

namespace tocsin::sim {
namespace {

namespace json = boost::json;
using namespace words;

json::object latency_json(const latency& shown) {
    switch (shown.kind) {
        case latency::shape::none: return {{"fixed_ms", 0}};
        case latency::shape::fixed: return {{"fixed_ms", shown.first}};
        case latency::shape::uniform: return {{"min_ms", shown.first}, {"max_ms", shown.second}};
        case latency::shape::lognormal: return {{"median_ms", shown.first}, {"p99_ms", shown.second}};
    }
    return {};
}

json::value bodies_json(const body_mix& shown) {
    if (!shown.mixed()) {
        return json::value(spelled(body_words, shown.all));
    }
    return json::object{{"missing", shown.missing}, {"split", shown.split}, {"html", shown.html}};
}

json::value codes_json(const std::vector<std::uint32_t>& shown) {
    if (shown.size() == 1) {
        return shown.front();
    }
    return json::array(shown.begin(), shown.end());
}

json::object faults_json(const faults& shown) {
    return {
        {"refuse_share", shown.refuse_share},
        {"reset_share", shown.reset_share},
        {"reset_code", codes_json(shown.reset_codes)},
        {"silence_share", shown.silence_share},
        {"close_share", shown.close_share},
        {"close_after_requests", shown.close_after},
        {"goaway_after_requests", shown.goaway_after},
        {"stall_windows", shown.stall_windows},
        {"slow_tls_share", shown.slow_tls_share},
        {"slow_tls_ms", shown.slow_tls_ms},
        {"error_bodies", bodies_json(shown.bodies)},
        {"wedge_after_expired_token", spelled(wedges, shown.after_expired_token)}};
}

json::object provider_json(provider which, const provider_behaviour& shown) {
    json::array errors;
    for (const error_share& one : shown.errors) {
        json::object entry{{"reason", reasons_of(which)[one.reason].name}, {"share", one.share}};
        if (one.retry_after) {
            entry["retry_after"] = *one.retry_after;
        }
        errors.push_back(std::move(entry));
    }
    json::object out{
        {"latency", latency_json(shown.delay)},
        {"dead_share", shown.dead_share},
        {"dead_tokens", shown.dead_tokens.size()},
        {"scripted_tokens", shown.scripts.size()},
        {"errors", std::move(errors)},
        {"faults", faults_json(shown.transport)}};
    out["dead_since"] = shown.dead_since ? json::value(*shown.dead_since) : json::value(nullptr);
    if (which == provider::apns || which == provider::sandbox) {
        out["limit_drops_on_rejection"] = shown.limit_drops_on_rejection;
        out["min_token_refresh_s"] = shown.min_token_refresh_s;
    }
    return out;
}

}  // namespace

boost::json::object behaviour_json(const behaviour& shown) {
    json::object out{{"seed", shown.seed}, {"record", shown.record}};
    for (const auto which : all_providers) {
        out[name_of(which)] = provider_json(which, shown.of(which));
    }
    out["oauth"] = json::object{
        {"expires_in_s", shown.oauth.expires_in_s},
        {"fail_status", shown.oauth.fail_status},
        {"delay_ms", shown.oauth.delay_ms}};
    return out;
}

}  // namespace tocsin::sim
