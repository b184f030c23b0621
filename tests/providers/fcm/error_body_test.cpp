#include "providers/fcm/error_body.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

TEST(FcmErrorBody, ReadsEveryDetail) {
    bounded_json reader;
    const auto facts = read_error(
        429, R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"QUOTA_EXCEEDED"},
        {"@type":"type.googleapis.com/google.firebase.fcm.v1.ApnsError","statusCode":410,"reason":"Unregistered"},
        {"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.token","description":"d"}]},
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":"device:1","description":"per device"}]},
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","metadata":{"quota_limit":"X"}},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"30s"},
        {"@type":"type.googleapis.com/google.rpc.Help","links":[]}]}})",
        reader);
    EXPECT_TRUE(facts.has_envelope);
    EXPECT_EQ(facts.status, 429);
    EXPECT_EQ(facts.message, "m");
    EXPECT_EQ(facts.rpc_status, "RESOURCE_EXHAUSTED");
    EXPECT_EQ(facts.fcm_code, "QUOTA_EXCEEDED");
    EXPECT_EQ(facts.apns_reason, "Unregistered");
    EXPECT_TRUE(facts.names_token_field);
    EXPECT_FALSE(facts.names_other_field);
    EXPECT_EQ(facts.quota_subject, "device:1");
    EXPECT_EQ(facts.quota_text, "per device");
    EXPECT_EQ(facts.info_reason, "RATE_LIMIT_EXCEEDED");
    EXPECT_EQ(facts.quota_limit, "X");
    EXPECT_EQ(facts.retry_delay, 30s);
}

TEST(FcmErrorBody, ThatIsNoEnvelopeSaysNothing) {
    for (const std::string& body :
         {std::string(), std::string("<html><title>502</title></html>"), std::string("{"), std::string("[]"),
          std::string("{}"), std::string(R"({"error":"x"})"), std::string(R"({"error":null})"),
          std::string(16'000, '['), "{\"error\":" + std::string(100, '{')}) {
        bounded_json reader;
        const auto facts = read_error(404, body, reader);
        EXPECT_FALSE(facts.has_envelope) << body;
        EXPECT_TRUE(facts.fcm_code.empty());
    }
}

TEST(FcmErrorBody, SkipsWhatHasTheWrongType) {
    for (const std::string_view body :
         {R"({"error":{"message":7,"status":[],"details":{}}})",
          R"({"error":{"details":[1,"x",null,[],{}]}})",
          R"({"error":{"details":[{"@type":7,"errorCode":"UNREGISTERED"}]}})",
          R"({"error":{"details":[{"@type":"x/google.firebase.fcm.v1.FcmError","errorCode":{"a":1}}]}})",
          R"({"error":{"details":[{"@type":"google.rpc.BadRequest","fieldViolations":[1,{"field":2}]}]}})",
          R"({"error":{"details":[{"@type":"google.rpc.QuotaFailure","violations":[7]}]}})",
          R"({"error":{"details":[{"@type":"google.rpc.ErrorInfo","metadata":[]}]}})"}) {
        bounded_json reader;
        const auto facts = read_error(400, body, reader);
        EXPECT_TRUE(facts.has_envelope) << body;
        EXPECT_TRUE(facts.fcm_code.empty()) << body;
        EXPECT_FALSE(facts.names_token_field) << body;
    }
}

}  // namespace
}  // namespace tocsin::fcm
