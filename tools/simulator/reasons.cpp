#include "tools/simulator/reasons.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>

namespace tocsin::sim {
namespace {

namespace json = boost::json;

constexpr auto apns_table = std::to_array<reason_row>({
    {"", 200},
    {"BadCollapseId", 400},
    {"BadDeviceToken", 400},
    {"BadExpirationDate", 400},
    {"BadMessageId", 400},
    {"BadPriority", 400},
    {"BadTopic", 400},
    {"DeviceTokenNotForTopic", 400},
    {"DuplicateHeaders", 400},
    {"IdleTimeout", 400},
    {"InvalidPushType", 400},
    {"MissingDeviceToken", 400},
    {"MissingTopic", 400},
    {"PayloadEmpty", 400},
    {"TopicDisallowed", 400},
    {"BadCertificate", 403},
    {"BadCertificateEnvironment", 403},
    {"ExpiredProviderToken", 403},
    {"Forbidden", 403},
    {"InvalidProviderToken", 403},
    {"MissingProviderToken", 403},
    {"UnrelatedKeyIdInToken", 403},
    // What is seen on the wire, and how Apple's table spells it.
    {"BadEnvironmentKeyInToken", 403},
    {"BadEnvironmentKeyIdInToken", 403},
    {"BadPath", 404},
    {"MethodNotAllowed", 405},
    {"ExpiredToken", 410},
    {"Unregistered", 410},
    {"PayloadTooLarge", 413},
    {"TooManyProviderTokenUpdates", 429},
    {"TooManyRequests", 429},
    {"InternalServerError", 500},
    {"ServiceUnavailable", 503},
    {"Shutdown", 503},
});
static_assert(apns_table.size() == std::size_t{index_of(apns::reason::shutdown)} + 1);
static_assert(apns_table[index_of(apns::reason::bad_path)].name == "BadPath");
static_assert(apns_table[index_of(apns::reason::unregistered)].name == "Unregistered");
static_assert(apns_table.size() <= max_reasons);

constexpr auto fcm_table = std::to_array<reason_row>({
    {"", 200},
    {"INVALID_ARGUMENT", 400},
    {"INVALID_TOKEN", 400},
    {"UNREGISTERED", 404},
    {"APNS_TOKEN_DISABLED", 400},
    {"THIRD_PARTY_AUTH_ERROR", 401},
    {"SENDER_ID_MISMATCH", 403},
    {"QUOTA_EXCEEDED_PROJECT", 429},
    {"QUOTA_EXCEEDED", 429},
    {"ACCESS_TOKEN_EXPIRED", 401},
    {"ACCESS_TOKEN_TYPE_UNSUPPORTED", 401},
    {"CREDENTIALS_MISSING", 401},
    {"IAM_PERMISSION_DENIED", 403},
    {"SERVICE_DISABLED", 403},
    {"INTERNAL", 500},
    {"UNAVAILABLE", 503},
    {"MESSAGE_TOO_BIG", 400},
    {"NOT_FOUND", 404},
    {"BAD_GATEWAY", 502},
    {"NOT_FOUND_JSON", 404},
    {"QUOTA_EXCEEDED_TOPIC", 429},
    {"QUOTA_EXCEEDED_UNNAMED", 429},
    {"UNSPECIFIED_ERROR", 400},
});
static_assert(fcm_table.size() == std::size_t{index_of(fcm::reason::unspecified_error)} + 1);
static_assert(fcm_table[index_of(fcm::reason::internal)].name == "INTERNAL");
static_assert(fcm_table.size() <= max_reasons);

constexpr auto webpush_table = std::to_array<reason_row>({
    {"", 201},
    {"Redirected", 307},
    {"BadAuthorizationHeader", 400},
    {"BadJwtToken", 403},
    {"BadTtl", 400},
    {"BadUrgency", 400},
    {"BadVapidPublicKey", 400},
    {"BadWebPushRequest", 400},
    {"BadWebPushTopic", 400},
    {"VapidPkHashMismatch", 400},
    {"Undecryptable", 400},
    {"Unauthorized", 401},
    {"Forbidden", 403},
    {"NotFound", 404},
    {"MethodNotAllowed", 405},
    {"Gone", 410},
    {"PayloadTooLarge", 413},
    {"TooManyRequests", 429},
    {"InternalServerError", 500},
    {"ServiceUnavailable", 503},
});
static_assert(webpush_table.size() == std::size_t{index_of(webpush::reason::service_unavailable)} + 1);
static_assert(webpush_table[index_of(webpush::reason::gone)].name == "Gone");
static_assert(webpush_table.size() <= max_reasons);

json::object fcm_error(std::string_view code) {
    return {{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"}, {"errorCode", code}};
}
json::object apns_error(int status, std::string_view reason) {
    return {
        {"@type", "type.googleapis.com/google.firebase.fcm.v1.ApnsError"},
        {"statusCode", status},
        {"reason", reason}};
}
json::object error_info(std::string_view reason, json::object metadata) {
    return {
        {"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
        {"reason", reason},
        {"domain", "googleapis.com"},
        {"metadata", std::move(metadata)}};
}

std::string envelope(int code, std::string_view message, std::string_view status, json::array details) {
    return json::serialize(json::object{
        {"error",
         json::object{
             {"code", code}, {"message", message}, {"status", status}, {"details", std::move(details)}}}});
}

std::string project_quota_body() {
    const json::object metadata{
        {"quota_limit", "SendsPerMinutePerProject"},
        {"quota_limit_value", "600000"},
        {"quota_metric", "fcm.googleapis.com/send_requests"},
        {"quota_unit", "1/min/{project}"},
        {"quota_location", "global"},
        {"service", "fcm.googleapis.com"}};
    return envelope(
        429,
        "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service "
        "'fcm.googleapis.com'.",
        "RESOURCE_EXHAUSTED", {error_info("RATE_LIMIT_EXCEEDED", metadata)});
}

std::string device_quota_body() {
    const json::object quota{
        {"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
        {"violations",
         json::array{json::object{
             {"subject", "device"}, {"description", "Message rate exceeded for this device."}}}}};
    return envelope(
        429, "Device message rate exceeded.", "RESOURCE_EXHAUSTED", {fcm_error("QUOTA_EXCEEDED"), quota});
}

std::string unauthenticated_body(std::string_view reason, std::string_view message) {
    const json::object metadata{
        {"service", "fcm.googleapis.com"}, {"method", "google.firebase.fcm.v1.FcmService.SendMessage"}};
    return envelope(401, message, "UNAUTHENTICATED", {error_info(reason, metadata)});
}

constexpr std::string_view bad_credential =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential.";

std::string html(std::string_view title) {
    std::string out = "<!DOCTYPE html>\n<html lang=en>\n<title>";
    out += title;
    out += "</title>\n<p>That's all we know.\n";
    return out;
}

std::string fcm_body(fcm::reason why) {
    switch (why) {
        case fcm::reason::ok: return {};
        case fcm::reason::invalid_argument:
            return envelope(
                400, "Request contains an invalid argument.", "INVALID_ARGUMENT",
                {fcm_error("INVALID_ARGUMENT")});
        case fcm::reason::invalid_token:
            return envelope(
                400, "The registration token is not a valid FCM registration token", "INVALID_ARGUMENT",
                {fcm_error("INVALID_ARGUMENT")});
        case fcm::reason::unregistered:
            return envelope(404, "Requested entity was not found.", "NOT_FOUND", {fcm_error("UNREGISTERED")});
        case fcm::reason::apns_token_disabled:
            return envelope(
                400, "APNs device token is disabled.", "INVALID_ARGUMENT",
                {fcm_error("INVALID_ARGUMENT"), apns_error(410, "Unregistered")});
        case fcm::reason::third_party_auth_error:
            return envelope(
                401, "Auth error from APNS or Web Push Service", "UNAUTHENTICATED",
                {fcm_error("THIRD_PARTY_AUTH_ERROR"), apns_error(403, "InvalidProviderToken")});
        case fcm::reason::sender_id_mismatch:
            return envelope(403, "SenderId mismatch", "PERMISSION_DENIED", {fcm_error("SENDER_ID_MISMATCH")});
        case fcm::reason::quota_exceeded_project: return project_quota_body();
        case fcm::reason::quota_exceeded: return device_quota_body();
        case fcm::reason::access_token_expired:
            return unauthenticated_body("ACCESS_TOKEN_EXPIRED", bad_credential);
        case fcm::reason::access_token_type_unsupported:
            return unauthenticated_body("ACCESS_TOKEN_TYPE_UNSUPPORTED", bad_credential);
        case fcm::reason::credentials_missing:
            return unauthenticated_body(
                "CREDENTIALS_MISSING",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login "
                "cookie or other valid authentication credential.");
        case fcm::reason::iam_permission_denied:
            return envelope(
                403, "Permission 'cloudmessaging.messages.create' denied on resource.", "PERMISSION_DENIED",
                {error_info(
                    "IAM_PERMISSION_DENIED",
                    json::object{{"permission", "cloudmessaging.messages.create"}})});
        case fcm::reason::service_disabled:
            return envelope(
                403,
                "Firebase Cloud Messaging API has not been used in this project before or it is disabled.",
                "PERMISSION_DENIED",
                {error_info("SERVICE_DISABLED", json::object{{"service", "fcm.googleapis.com"}})});
        case fcm::reason::internal:
            return envelope(500, "Internal error encountered.", "INTERNAL", {fcm_error("INTERNAL")});
        case fcm::reason::unavailable:
            return envelope(
                503, "The service is currently unavailable.", "UNAVAILABLE", {fcm_error("UNAVAILABLE")});
        case fcm::reason::message_too_big:
            return envelope(
                400, "Android message is too big", "INVALID_ARGUMENT", {fcm_error("INVALID_ARGUMENT")});
        case fcm::reason::not_found_html: return html("Error 404 (Not Found)!!1");
        case fcm::reason::bad_gateway_html: return html("Error 502 (Server Error)!!1");
        case fcm::reason::not_found: return envelope(404, "Requested entity was not found.", "NOT_FOUND", {});
        case fcm::reason::quota_exceeded_topic:
            return envelope(
                429, "Topic quota exceeded.", "RESOURCE_EXHAUSTED", {fcm_error("QUOTA_EXCEEDED")});
        case fcm::reason::quota_exceeded_unnamed:
            return envelope(429, "Quota exceeded.", "RESOURCE_EXHAUSTED", {fcm_error("QUOTA_EXCEEDED")});
        case fcm::reason::unspecified_error:
            return envelope(
                400, "No more information is available.", "INVALID_ARGUMENT",
                {fcm_error("UNSPECIFIED_ERROR")});
    }
    return {};
}

}  // namespace

std::string_view name_of(provider which) noexcept {
    switch (which) {
        case provider::apns: return "apns";
        case provider::sandbox: return "sandbox";
        case provider::fcm: return "fcm";
        case provider::webpush: return "webpush";
    }
    return "";
}

std::optional<provider> find_provider(std::string_view name) noexcept {
    for (const auto which : all_providers) {
        if (name_of(which) == name) {
            return which;
        }
    }
    return std::nullopt;
}

std::span<const reason_row> reasons_of(provider which) noexcept {
    if (which == provider::fcm) {
        return fcm_table;
    }
    if (which == provider::webpush) {
        return webpush_table;
    }
    return apns_table;
}

std::optional<reason_index> find_reason(provider which, std::string_view name) noexcept {
    const auto table = reasons_of(which);
    const auto found = std::ranges::find(table, name, &reason_row::name);
    if (found == table.end()) {
        return std::nullopt;
    }
    return static_cast<reason_index>(found - table.begin());
}

std::string error_body(provider which, reason_index why) {
    if (which == provider::fcm) {
        return fcm_body(static_cast<fcm::reason>(why));
    }
    if (why == success) {
        return {};
    }
    return "{\"reason\":\"" + std::string(reasons_of(which)[why].name) + "\"}";
}

std::string fcm_bad_request_body(std::string_view field, std::string_view description) {
    const json::object bad_request{
        {"@type", "type.googleapis.com/google.rpc.BadRequest"},
        {"fieldViolations", json::array{json::object{{"field", field}, {"description", description}}}}};
    return envelope(400, description, "INVALID_ARGUMENT", {bad_request});
}

}  // namespace tocsin::sim
