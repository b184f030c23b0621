#include "providers/fcm/causes.hpp"

#include "providers/common/bounded_json.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

std::string fcm_error(std::string_view code) {
    return R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":")" +
           std::string(code) + "\"}";
}
std::string apns_error(std::string_view reason) {
    return R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.ApnsError","statusCode":400,"reason":")" +
           std::string(reason) + "\"}";
}
std::string error_info(std::string_view reason, std::string_view limit = "") {
    return R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")" + std::string(reason) +
           R"(","domain":"googleapis.com","metadata":{"quota_limit":")" + std::string(limit) + "\"}}";
}
std::string violation(std::string_view field) {
    return R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":")" +
           std::string(field) + R"(","description":"x"}]})";
}
std::string quota_failure(std::string_view subject) {
    return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":")" +
           std::string(subject) + R"(","description":"x"}]})";
}
std::string envelope(std::string_view status, std::string_view message, std::string_view details) {
    return R"({"error":{"code":1,"message":")" + std::string(message) + R"(","status":")" +
           std::string(status) + R"(","details":[)" + std::string(details) + "]}}";
}

struct cause_case {
    std::string name;
    int status;
    std::string body;
    cause expected;
    reaction action;
    std::string word;
    surroundings around;
};

void PrintTo(const cause_case& given, std::ostream* out) {
    *out << given.name;
}

class FcmCauseTest : public ::testing::TestWithParam<cause_case> {};

TEST_P(FcmCauseTest, IsFound) {
    bounded_json reader;
    const auto facts = read_error(GetParam().status, GetParam().body, reader);
    const cause found = find_cause(facts, GetParam().around);
    EXPECT_EQ(static_cast<int>(found), static_cast<int>(GetParam().expected));
    EXPECT_EQ(to_string(row_of(found).action), to_string(GetParam().action));
    EXPECT_EQ(word_for(facts, found), GetParam().word);
}

TEST_P(FcmCauseTest, IsExplainedInSentences) {
    const auto text = explain(static_cast<std::uint16_t>(GetParam().status), GetParam().word);
    EXPECT_GT(text.size(), 30U);
    EXPECT_TRUE(text.ends_with('.')) << text;
}

using enum reaction;
constexpr std::string_view malformed = "The registration token is not a valid FCM registration token";
constexpr surroundings works{.project_works = true, .message_accepted = false};
constexpr surroundings taken{.project_works = true, .message_accepted = true};

// The letters are the observed shapes, the numbers the rows, of the protocol notes in docs/.
INSTANTIATE_TEST_SUITE_P(
    Table, FcmCauseTest,
    ::testing::Values(
        cause_case{
            "row1_success", 200, R"({"name":"projects/p/messages/1"})", cause::accepted, accept, "", {}},
        cause_case{
            "row2_unregistered",
            404,
            envelope("NOT_FOUND", "Requested entity was not found.", fcm_error("UNREGISTERED")),
            cause::unregistered,
            drop_token,
            "UNREGISTERED",
            {}},
        cause_case{
            "row2_code_before_status",
            400,
            envelope("INVALID_ARGUMENT", "x", fcm_error("UNREGISTERED")),
            cause::unregistered,
            drop_token,
            "UNREGISTERED",
            {}},
        cause_case{
            "row2_unregistered_with_a_number_that_is_not_googles",
            503,
            envelope("UNAVAILABLE", "x", fcm_error("UNREGISTERED")),
            cause::unavailable,
            retry_elsewhere,
            "UNREGISTERED",
            {}},
        cause_case{
            "row2_bare_not_found_of_a_working_project", 404, envelope("NOT_FOUND", "x", ""),
            cause::not_found_while_others_succeed, doubt_token, "NOT_FOUND", works},
        cause_case{
            "row2_bare_not_found",
            404,
            envelope("NOT_FOUND", "x", ""),
            cause::not_found,
            reject_push,
            "NOT_FOUND",
            {}},
        cause_case{
            "row2_html_not_found", 404, "<html>404</html>", cause::wrong_address, pause_app, "NoReason",
            works},
        cause_case{"row2_empty_not_found", 404, "", cause::wrong_address, pause_app, "NoReason", works},
        cause_case{
            "row3_dead_iphone_disguised",
            400,
            envelope(
                "INVALID_ARGUMENT", "APNs device token is disabled.",
                fcm_error("INVALID_ARGUMENT") + "," + apns_error("Unregistered")),
            cause::dead_apple_token,
            doubt_token,
            "Unregistered",
            {}},
        cause_case{
            "row3_expired_token",
            400,
            envelope(
                "INVALID_ARGUMENT", "x", fcm_error("INVALID_ARGUMENT") + "," + apns_error("ExpiredToken")),
            cause::dead_apple_token,
            doubt_token,
            "ExpiredToken",
            {}},
        cause_case{
            "row3_bad_device_token",
            400,
            envelope(
                "INVALID_ARGUMENT", "x", fcm_error("INVALID_ARGUMENT") + "," + apns_error("BadDeviceToken")),
            cause::dead_apple_token,
            doubt_token,
            "BadDeviceToken",
            {}},
        cause_case{
            "row3_not_for_topic",
            400,
            envelope(
                "INVALID_ARGUMENT", "x",
                fcm_error("INVALID_ARGUMENT") + "," + apns_error("DeviceTokenNotForTopic")),
            cause::dead_apple_token,
            doubt_token,
            "DeviceTokenNotForTopic",
            {}},
        cause_case{
            "row4_apple_credential",
            401,
            envelope(
                "UNAUTHENTICATED", "Auth error from APNS or Web Push Service",
                fcm_error("THIRD_PARTY_AUTH_ERROR") + "," + apns_error("InvalidProviderToken")),
            cause::apple_credential,
            postpone,
            "InvalidProviderToken",
            {}},
        cause_case{
            "row4_blaming_oauth",
            401,
            envelope(
                "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token",
                fcm_error("THIRD_PARTY_AUTH_ERROR") + "," + apns_error("BadEnvironmentKeyInToken")),
            cause::apple_credential,
            postpone,
            "BadEnvironmentKeyInToken",
            {}},
        cause_case{
            "row4_without_apns_error",
            401,
            envelope("UNAUTHENTICATED", "x", fcm_error("THIRD_PARTY_AUTH_ERROR")),
            cause::apple_credential,
            postpone,
            "THIRD_PARTY_AUTH_ERROR",
            {}},
        cause_case{
            "row4_old_name",
            401,
            envelope("UNAUTHENTICATED", "x", fcm_error("APNS_AUTH_ERROR")),
            cause::apple_credential,
            postpone,
            "APNS_AUTH_ERROR",
            {}},
        cause_case{
            "row4_expired_apple_token",
            401,
            envelope("UNAUTHENTICATED", "x", apns_error("ExpiredProviderToken")),
            cause::apple_credential,
            postpone,
            "ExpiredProviderToken",
            {}},
        cause_case{
            "row5_access_token",
            401,
            envelope("UNAUTHENTICATED", "x", error_info("ACCESS_TOKEN_EXPIRED")),
            cause::access_token,
            refresh_credential,
            "ACCESS_TOKEN_EXPIRED",
            {}},
        cause_case{"row5_bare", 401, "", cause::access_token, refresh_credential, "NoReason", {}},
        cause_case{
            "row6_sender_mismatch",
            403,
            envelope("PERMISSION_DENIED", "SenderId mismatch", fcm_error("SENDER_ID_MISMATCH")),
            cause::sender_mismatch,
            doubt_token,
            "SENDER_ID_MISMATCH",
            {}},
        cause_case{
            "row7_forbidden",
            403,
            envelope("PERMISSION_DENIED", "x", error_info("IAM_PERMISSION_DENIED")),
            cause::forbidden,
            pause_app,
            "IAM_PERMISSION_DENIED",
            {}},
        cause_case{
            "row7_service_disabled",
            403,
            envelope("PERMISSION_DENIED", "x", error_info("SERVICE_DISABLED")),
            cause::forbidden,
            pause_app,
            "SERVICE_DISABLED",
            {}},
        cause_case{"row7_html", 403, "<html>", cause::forbidden, pause_app, "NoReason", {}},
        cause_case{
            "row8_malformed_token",
            400,
            envelope("INVALID_ARGUMENT", malformed, fcm_error("INVALID_ARGUMENT")),
            cause::bad_token,
            doubt_token,
            "INVALID_ARGUMENT",
            {}},
        cause_case{
            "row8_token_field",
            400,
            envelope(
                "INVALID_ARGUMENT", "x", fcm_error("INVALID_ARGUMENT") + "," + violation("message.token")),
            cause::bad_token,
            doubt_token,
            "INVALID_ARGUMENT",
            {}},
        cause_case{
            "row8_fid_field",
            400,
            envelope("INVALID_ARGUMENT", "x", violation("message.fid")),
            cause::bad_token,
            doubt_token,
            "INVALID_ARGUMENT",
            {}},
        cause_case{
            "row9_bad_field",
            400,
            envelope("INVALID_ARGUMENT", "x", violation("message.data[0].value")),
            cause::bad_message,
            reject_event,
            "INVALID_ARGUMENT",
            {}},
        cause_case{
            "row9_too_big",
            400,
            envelope("INVALID_ARGUMENT", "Android message is too big", fcm_error("INVALID_ARGUMENT")),
            cause::bad_message,
            reject_event,
            "INVALID_ARGUMENT",
            {}},
        cause_case{
            "row9_after_a_success", 400, envelope("INVALID_ARGUMENT", "x", fcm_error("INVALID_ARGUMENT")),
            cause::bad_token_by_elimination, reject_push, "INVALID_ARGUMENT", taken},
        cause_case{
            "row9_bad_field_after_a_success", 400,
            envelope(
                "INVALID_ARGUMENT", "x",
                fcm_error("INVALID_ARGUMENT") + "," + violation("message.android.ttl")),
            cause::bad_message, reject_event, "INVALID_ARGUMENT", taken},
        cause_case{
            "row9_html_after_a_success", 400, "<html>", cause::bad_message, reject_event, "NoReason", taken},
        cause_case{
            "row10_project_quota",
            429,
            envelope(
                "RESOURCE_EXHAUSTED", "Quota exceeded",
                error_info("RATE_LIMIT_EXCEEDED", "SendsPerMinutePerProject")),
            cause::project_quota,
            pause_quota,
            "RATE_LIMIT_EXCEEDED",
            {}},
        cause_case{"row10_bare", 429, "", cause::project_quota, pause_quota, "NoReason", {}},
        cause_case{
            "row10_limit_before_code",
            429,
            envelope(
                "RESOURCE_EXHAUSTED", "x",
                fcm_error("QUOTA_EXCEEDED") + "," +
                    error_info("RATE_LIMIT_EXCEEDED", "SendsPerMinutePerProject")),
            cause::project_quota,
            pause_quota,
            "QUOTA_EXCEEDED",
            {}},
        cause_case{
            "row11_device_quota",
            429,
            envelope(
                "RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED") + "," + quota_failure("DeviceRate")),
            cause::device_quota,
            retry_here,
            "QUOTA_EXCEEDED",
            {}},
        cause_case{
            "row11_by_message",
            429,
            envelope("RESOURCE_EXHAUSTED", "Device message rate exceeded.", fcm_error("QUOTA_EXCEEDED")),
            cause::device_quota,
            retry_here,
            "QUOTA_EXCEEDED",
            {}},
        cause_case{
            "row12_topic_quota",
            429,
            envelope("RESOURCE_EXHAUSTED", "Topic quota exceeded.", fcm_error("QUOTA_EXCEEDED")),
            cause::topic_quota,
            retry_here,
            "QUOTA_EXCEEDED",
            {}},
        cause_case{
            "row13_unclear",
            429,
            envelope("RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED")),
            cause::unclear_quota,
            retry_here,
            "QUOTA_EXCEEDED",
            {}},
        cause_case{
            "row14_internal",
            500,
            envelope("INTERNAL", "x", fcm_error("INTERNAL")),
            cause::internal,
            retry_elsewhere,
            "INTERNAL",
            {}},
        cause_case{"row14_html", 500, "<html>", cause::internal, retry_elsewhere, "NoReason", {}},
        cause_case{
            "row15_unavailable",
            503,
            envelope("UNAVAILABLE", "x", fcm_error("UNAVAILABLE")),
            cause::unavailable,
            retry_elsewhere,
            "UNAVAILABLE",
            {}},
        cause_case{"row15_bad_gateway", 502, "<html>", cause::unavailable, retry_elsewhere, "NoReason", {}},
        cause_case{"row15_gateway_timeout", 504, "", cause::unavailable, retry_elsewhere, "NoReason", {}},
        cause_case{
            "row16_unspecified",
            400,
            envelope("UNKNOWN", "x", fcm_error("UNSPECIFIED_ERROR")),
            cause::unknown,
            retry_here,
            "UNSPECIFIED_ERROR",
            {}},
        cause_case{"row16_redirect", 302, "", cause::unknown, retry_here, "NoReason", {}},
        cause_case{
            "row16_new_code",
            403,
            envelope("PERMISSION_DENIED", "x", fcm_error("INVENTED_NEXT_YEAR")),
            cause::unknown,
            retry_here,
            "INVENTED_NEXT_YEAR",
            {}}),
    [](const auto& test) { return test.param.name; });

TEST(FcmCauses, OnlyJsonDropsATokenAndOnlyForItsOwnSake) {
    for (const int status : {400, 401, 403, 404, 408, 410, 413, 429, 500, 503}) {
        for (const std::string_view body :
             {"", "<html>UNREGISTERED</html>", "UNREGISTERED", "{\"errorCode\":\"UNREGISTERED\"}"}) {
            bounded_json reader;
            const auto found = find_cause(read_error(status, body, reader), taken);
            EXPECT_NE(row_of(found).action, drop_token) << status << ' ' << body;
            EXPECT_NE(row_of(found).action, doubt_token) << status << ' ' << body;
        }
    }
}

TEST(FcmCauses, HaveOneRowEach) {
    std::set<cause> seen;
    for (const auto& row : cause_table()) {
        EXPECT_TRUE(seen.insert(row.why).second);
        EXPECT_EQ(&row_of(row.why), &row);
        EXPECT_FALSE(row.meaning.empty());
        EXPECT_FALSE(row.remedy.empty());
    }
}

TEST(FcmCauses, ExplainTheirOwnWords) {
    EXPECT_NE(explain(404, "UNREGISTERED").find("no longer on the device"), std::string::npos);
    EXPECT_NE(explain(401, "THIRD_PARTY_AUTH_ERROR").find("APNs key"), std::string::npos);
    EXPECT_NE(explain(401, "BadEnvironmentKeyInToken").find("APNs key"), std::string::npos);
    EXPECT_NE(explain(401, "ACCESS_TOKEN_EXPIRED").find("access token"), std::string::npos);
    EXPECT_NE(explain(429, "RATE_LIMIT_EXCEEDED").find("quota"), std::string::npos);
    EXPECT_NE(explain(0, "Timeout").find("no answer"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::fcm
