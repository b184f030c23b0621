#include "tools/simulator/oauth.hpp"

#include "engine/core/json_members.hpp"
#include "tools/simulator/access_token.hpp"
#include "tools/simulator/jwt.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace tocsin::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";

http_reply denied(std::string_view error, std::string_view description) {
    http_reply reply;
    reply.status = 400;
    reply.body = json::serialize(json::object{{"error", error}, {"error_description", description}});
    return reply;
}

bool has_scope(std::string_view scopes) {
    while (!scopes.empty()) {
        const auto end = std::min(scopes.find(' '), scopes.size());
        const auto scope = scopes.substr(0, end);
        if (scope == "https://www.googleapis.com/auth/firebase.messaging" ||
            scope == "https://www.googleapis.com/auth/cloud-platform") {
            return true;
        }
        scopes.remove_prefix(std::min(end + 1, scopes.size()));
    }
    return false;
}

}  // namespace

http_reply oauth_endpoint::handle(const http_call& call) {
    oauth_behaviour current;
    {
        const std::lock_guard lock(mutex_);
        current = behaviour_;
    }
    http_reply reply;
    if (current.fail_status != 0) {
        reply.status = current.fail_status;
        reply.body = R"({"error":"internal_failure"})";
    } else if (call.path != "/token") {
        reply.status = 404;
        reply.type = "text/html; charset=UTF-8";
        reply.body = error_body(provider::fcm, index_of(fcm::reason::not_found_html));
    } else if (call.method != "POST") {
        reply.status = 405;
        reply.body = R"({"error":"invalid_request","error_description":"POST is required."})";
    } else {
        reply = exchange(call.body, current.expires_in_s);
    }
    (reply.status == 200 ? issued_ : refused_).fetch_add(1, std::memory_order_relaxed);
    reply.delay = std::chrono::microseconds(std::llround(current.delay_ms * 1000));
    return reply;
}

http_reply oauth_endpoint::exchange(std::string_view form, std::uint32_t expires_in_s) const {
    const auto type = form_field(form, "grant_type");
    const auto assertion = form_field(form, "assertion");
    if (!type) {
        return denied("invalid_request", "Required parameter is missing: grant_type");
    }
    if (*type != grant_type) {
        return denied("unsupported_grant_type", "Invalid grant_type: " + *type);
    }
    if (!assertion) {
        return denied("invalid_request", "Required parameter is missing: assertion");
    }
    const auto token = read_jwt(*assertion);
    if (!token || text_at(token->header, "alg") != "RS256") {
        return denied("invalid_grant", "Invalid JWT: Failed to decode assertion.");
    }
    const auto account = known_.find_account(text_at(token->claims, "iss"));
    if (!account) {
        return denied("invalid_grant", "Invalid grant: account not found");
    }
    const auto& project = known_.projects[*account];
    const auto key_id = text_at(token->header, "kid");
    if ((!key_id.empty() && key_id != project.private_key_id) ||
        !verify_rs256(*project.key, token->signed_part, token->signature)) {
        return denied("invalid_grant", "Invalid JWT Signature.");
    }
    if (text_at(token->claims, "aud") != token_uri_) {
        return denied("invalid_grant", "Invalid JWT: aud must be " + token_uri_);
    }
    const auto issued = integer_at(token->claims, "iat");
    const auto expires = integer_at(token->claims, "exp");
    const auto now_ms = time_.wall_now().time_since_epoch().count();
    const auto now = now_ms / 1000;
    // 5 minutes of skew either way: what makes an exp of iat + 65 min the latest that passes.
    constexpr std::int64_t skew = 300;
    if (!issued || !expires || *issued > now + skew || *expires > *issued + 3600 + skew ||
        *expires <= now - skew || *expires > now + 3600 + skew) {
        return denied(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
            "Check your iat and exp values in the JWT claim.");
    }
    if (!has_scope(text_at(token->claims, "scope"))) {
        return denied("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    }
    const access_grant grant{*account, now_ms, now_ms + std::int64_t{expires_in_s} * 1000};
    http_reply reply;
    reply.body = json::serialize(json::object{
        {"access_token", issue_access_token(known_, grant)},
        {"expires_in", expires_in_s},
        {"token_type", "Bearer"}});
    return reply;
}

}  // namespace tocsin::sim
