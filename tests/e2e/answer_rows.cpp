#include "tests/e2e/answer_rows.hpp"

namespace tocsin::testing {
namespace {

using enum fate_of;
using fcm::cause;

// Enough for the second answer to come on a busy machine.
constexpr int pause_ttl = 12;
// Less than the pause that the answer asks for.
constexpr int short_ttl = 30;

answer_row apns(std::uint16_t status, std::string_view reason, fate_of what) {
    answer_row out;
    out.status = status;
    out.reason = reason;
    out.counted_as = reason;
    out.what = what;
    out.ttl_seconds = what == paused ? pause_ttl : what == late || what == postponed ? short_ttl : 60;
    return out;
}

answer_row fcm_row(
    std::uint16_t status, std::string_view reason, std::string_view counted_as, cause why, fate_of what) {
    answer_row out = apns(status, reason, what);
    out.counted_as = counted_as;
    out.cause = why;
    if (what == quota) {
        out.ttl_seconds = pause_ttl;
    }
    return out;
}

answer_row after_success(answer_row row) {
    row.after_success = true;
    return row;
}

answer_row of_an_unknown_project(answer_row row) {
    row.unknown_project = true;
    return row;
}

}  // namespace

const std::vector<answer_row>& apns_rows() {
    static const std::vector<answer_row> rows{
        apns(200, "", accepted),
        apns(400, "BadCollapseId", rejected),
        apns(400, "BadDeviceToken", rejected),
        apns(400, "BadExpirationDate", rejected),
        apns(400, "BadMessageId", rejected),
        apns(400, "BadPriority", rejected),
        apns(400, "BadTopic", paused),
        apns(400, "DeviceTokenNotForTopic", rejected),
        apns(400, "DuplicateHeaders", rejected),
        apns(400, "IdleTimeout", retried),
        apns(400, "InvalidPushType", rejected),
        apns(400, "MissingDeviceToken", rejected),
        apns(400, "MissingTopic", paused),
        apns(400, "PayloadEmpty", rejected),
        apns(400, "TopicDisallowed", paused),
        apns(403, "BadCertificate", paused),
        apns(403, "BadCertificateEnvironment", paused),
        apns(403, "BadEnvironmentKeyIdInToken", paused),
        apns(403, "BadEnvironmentKeyInToken", paused),
        apns(403, "ExpiredProviderToken", refreshed),
        apns(403, "Forbidden", paused),
        apns(403, "InvalidProviderToken", paused),
        apns(403, "MissingProviderToken", paused),
        apns(403, "UnrelatedKeyIdInToken", retried),
        apns(404, "BadPath", rejected),
        apns(405, "MethodNotAllowed", rejected),
        apns(410, "ExpiredToken", dead),
        apns(410, "Unregistered", dead),
        apns(413, "PayloadTooLarge", rejected),
        apns(429, "TooManyProviderTokenUpdates", paused),
        apns(429, "TooManyRequests", late),
        apns(500, "InternalServerError", retried),
        apns(503, "ServiceUnavailable", retried),
        apns(503, "Shutdown", retried),
    };
    return rows;
}

const std::vector<answer_row>& fcm_rows() {
    static const std::vector<answer_row> rows{
        fcm_row(200, "", "", cause::accepted, accepted),
        fcm_row(404, "UNREGISTERED", "UNREGISTERED", cause::unregistered, dead),
        after_success(
            fcm_row(404, "NOT_FOUND_JSON", "NOT_FOUND", cause::not_found_while_others_succeed, rejected)),
        of_an_unknown_project(fcm_row(404, "NOT_FOUND_JSON", "NOT_FOUND", cause::not_found, rejected)),
        fcm_row(404, "NOT_FOUND", "NoReason", cause::wrong_address, paused),
        fcm_row(400, "APNS_TOKEN_DISABLED", "Unregistered", cause::dead_apple_token, rejected),
        fcm_row(401, "THIRD_PARTY_AUTH_ERROR", "InvalidProviderToken", cause::apple_credential, postponed),
        fcm_row(401, "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_EXPIRED", cause::access_token, refreshed),
        fcm_row(401, "CREDENTIALS_MISSING", "CREDENTIALS_MISSING", cause::access_token, refreshed),
        fcm_row(403, "SENDER_ID_MISMATCH", "SENDER_ID_MISMATCH", cause::sender_mismatch, rejected),
        fcm_row(403, "IAM_PERMISSION_DENIED", "IAM_PERMISSION_DENIED", cause::forbidden, paused),
        fcm_row(403, "SERVICE_DISABLED", "SERVICE_DISABLED", cause::forbidden, paused),
        fcm_row(400, "INVALID_TOKEN", "INVALID_ARGUMENT", cause::bad_token, rejected),
        after_success(
            fcm_row(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", cause::bad_token_by_elimination, rejected)),
        fcm_row(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", cause::bad_message, rejected),
        fcm_row(400, "MESSAGE_TOO_BIG", "INVALID_ARGUMENT", cause::bad_message, rejected),
        fcm_row(429, "QUOTA_EXCEEDED_PROJECT", "RATE_LIMIT_EXCEEDED", cause::project_quota, quota),
        fcm_row(429, "QUOTA_EXCEEDED", "QUOTA_EXCEEDED", cause::device_quota, late),
        fcm_row(429, "QUOTA_EXCEEDED_TOPIC", "QUOTA_EXCEEDED", cause::topic_quota, late),
        fcm_row(429, "QUOTA_EXCEEDED_UNNAMED", "QUOTA_EXCEEDED", cause::unclear_quota, late),
        fcm_row(500, "INTERNAL", "INTERNAL", cause::internal, retried),
        fcm_row(503, "UNAVAILABLE", "UNAVAILABLE", cause::unavailable, retried),
        fcm_row(502, "BAD_GATEWAY", "NoReason", cause::unavailable, retried),
        fcm_row(400, "UNSPECIFIED_ERROR", "UNSPECIFIED_ERROR", cause::unknown, retried),
    };
    return rows;
}

bool needs_own_app(const answer_row& row) noexcept {
    return row.what == paused || row.what == quota || row.unknown_project;
}

const char* outcome_of(const answer_row& row) noexcept {
    switch (row.what) {
        case accepted:
        case retried:
        case refreshed:
        case postponed:
        case late:
        case paused: return "accepted";
        case dead: return "dead";
        case rejected: return "rejected";
        case quota: return "expired";
    }
    return "";
}

}  // namespace tocsin::testing
