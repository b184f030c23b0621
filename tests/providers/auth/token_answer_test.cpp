#include "providers/auth/oauth_exchange.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;
const wall_time now(std::chrono::milliseconds(1'795'000'000'000));

exchange_outcome read(int status, std::string_view body, std::string_view retry_after = "") {
    return read_token_answer(status, body, retry_after, now);
}

TEST(TokenAnswer, GrantsATokenForAsLongAsItSays) {
    const auto outcome = read(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})");
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->access_token, "ya29.x");
    EXPECT_EQ(outcome->lifetime, 3599s);
}

TEST(TokenAnswer, IsNotBelievedIfItIsNoToken) {
    for (const std::string& body :
         {std::string(), std::string("<html>"), std::string("{}"), std::string(R"({"access_token":"x"})"),
          std::string(R"({"access_token":"","expires_in":60})"),
          std::string(R"({"access_token":"x","expires_in":0})"),
          std::string(R"({"access_token":"x","expires_in":"3600"})"),
          std::string(R"({"access_token":"x\r\nevil: 1","expires_in":60})"),
          std::string(R"({"access_token":"x y","expires_in":60})"),
          R"({"expires_in":60,"access_token":")" + std::string(9000, 'x') + "\"}"}) {
        const auto outcome = read(200, body);
        ASSERT_TRUE(outcome.has_error()) << body;
        EXPECT_FALSE(outcome.error().configuration);
    }
}

TEST(TokenAnswer, InvalidGrantIsAConfigurationError) {
    const auto outcome =
        read(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
    ASSERT_TRUE(outcome.has_error());
    EXPECT_TRUE(outcome.error().configuration);
    EXPECT_NE(outcome.error().sentence.find("Invalid JWT Signature."), std::string::npos);
    EXPECT_NE(outcome.error().sentence.find("clock"), std::string::npos);
}

TEST(TokenAnswer, RefusalsAreConfigurationAndTroublesAreNot) {
    for (const int status : {301, 400, 401, 403, 404}) {
        EXPECT_TRUE(read(status, "").error().configuration) << status;
    }
    for (const int status : {408, 429, 500, 502, 503}) {
        EXPECT_FALSE(read(status, "<html>").error().configuration) << status;
    }
    EXPECT_EQ(read(429, "", "120").error().retry_after, 120s);
}

TEST(TokenAnswer, CannotBreakALogLine) {
    const auto outcome =
        read(400, "{\"error\":\"a\\nb\",\"error_description\":\"" + std::string(5000, 'x') + "\"}");
    ASSERT_TRUE(outcome.has_error());
    EXPECT_EQ(outcome.error().sentence.find('\n'), std::string::npos);
    EXPECT_LT(outcome.error().sentence.size(), 600U);
}

}  // namespace
}  // namespace tocsin::auth
