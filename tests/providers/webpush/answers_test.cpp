#include "providers/webpush/answers.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using enum reaction;

constexpr wall_time now{std::chrono::milliseconds{1'795'420'800'000}};

struct row {
    int status;
    std::string_view body;
    reaction action;
    std::string_view reason;
};

// RFC 8030, Apple's "Sending web push notifications in web apps and browsers", Mozilla's autopush errors.
constexpr auto rows = std::to_array<row>({
    {201, "", accept, ""},
    {200, "", accept, ""},
    {202, "", accept, ""},
    {404, "", drop_token, "NotFound"},
    {404, R"({"code":404,"errno":102,"error":"Not Found"})", drop_token, "InvalidEndpoint"},
    {410, "", drop_token, "Gone"},
    {410, R"({"code":410,"errno":103})", drop_token, "ExpiredEndpoint"},
    {410, R"({"code":410,"errno":106})", drop_token, "InvalidSubscription"},
    {410, R"({"reason":"Unregistered"})", drop_token, "Unregistered"},
    {410, "push subscription has unsubscribed or expired.\n", drop_token, "Gone"},
    {410, "<HTML>\n<HEAD>\n<TITLE>NotRegistered</TITLE>", drop_token, "Gone"},
    {404, "No such subscription", drop_token, "NotFound"},
    {404, R"({"error":"unknown endpoint"})", drop_token, "NotFound"},
    {404, R"({"code":404,"errno":999})", drop_token, "NotFound"},
    {404, " \r\n", drop_token, "NotFound"},
    {410, "Gone", drop_token, "Gone"},
    {410, "{}", drop_token, "Gone"},
    {404, "Not Found", drop_token, "NotFound"},
    {404, "\x1F\x8B\x08 compressed", retry_here, "WebPage"},
    {410, "\x1F\x8B\x08 compressed", retry_here, "WebPage"},
    {200, "\x1F\x8B\x08 compressed", retry_here, "WebPage"},
    {400, "UnauthorizedRegistration", pause_app, "VapidRefused"},
    {400, "<HTML>\n<TITLE>MismatchSenderId</TITLE>", pause_app, "VapidRefused"},
    {400, "the authorization header is not what it should be", pause_app, "VapidRefused"},
    {410, "<html>", retry_here, "WebPage"},
    {404, "<html><head><title>404 Not Found</title></head>", retry_here, "WebPage"},
    {404, "\xEF\xBB\xBF\r\n <!DOCTYPE html>", retry_here, "WebPage"},
    {200, "<html>Please log in</html>", retry_here, "WebPage"},
    {400, "<html>The plain HTTP request was sent to HTTPS port</html>", retry_here, "WebPage"},
    {405, "<html>405 Not Allowed</html>", retry_here, "WebPage"},
    {407, "<html>Proxy authentication required</html>", retry_here, "WebPage"},
    {421, "<html>", retry_here, "WebPage"},
    {400, "<html>bad JWT</html>", pause_app, "VapidRefused"},
    {401, "<html>", pause_app, "Unauthorized"},
    {403, "<html>", pause_app, "Forbidden"},
    {429, "<html>", retry_here, "TooManyRequests"},
    {413, "<html>", reject_push, "PayloadTooLarge"},
    {302, "<html>", reject_push, "Redirected"},
    {200, "Message Sent", accept, ""},
    {200, R"({"reason":"page"})", accept, ""},
    {413, "", reject_push, "PayloadTooLarge"},
    {413, R"({"errno":104})", reject_push, "PayloadTooLarge"},
    {429, "", retry_here, "TooManyRequests"},
    {503, "", retry_here, "ServiceUnavailable"},
    {503, R"({"errno":201})", retry_here, "BackOff"},
    {500, "", retry_here, "ServerError"},
    {502, "<html>502</html>", retry_here, "ServerError"},
    {400, R"({"reason":"VapidPkHashMismatch"})", pause_app, "VapidPkHashMismatch"},
    {403, R"({"reason":"BadJwtToken"})", pause_app, "BadJwtToken"},
    {400, R"({"reason":"BadAuthorizationHeader"})", pause_app, "BadAuthorizationHeader"},
    {400, R"({"reason":"BadVapidPublicKey"})", pause_app, "BadVapidPublicKey"},
    {400, "Invalid VAPID credentials", pause_app, "VapidRefused"},
    {400, "bad JWT", pause_app, "VapidRefused"},
    {401, "", pause_app, "Unauthorized"},
    {401, R"({"code":401,"errno":109})", pause_app, "InvalidAuthentication"},
    {403, "the key does not match", pause_app, "Forbidden"},
    {400, "", reject_push, "BadRequest"},
    {400, R"({"reason":"BadWebPushTopic"})", reject_push, "BadWebPushTopic"},
    {400, R"({"reason":"InventedNextYear"})", reject_push, "InventedNextYear"},
    {400, R"({"reason":"not a word"})", reject_push, "BadRequest"},
    {405, "", reject_push, "MethodNotAllowed"},
    {301, "", reject_push, "Redirected"},
    {302, "", reject_push, "Redirected"},
    {307, "", reject_push, "Redirected"},
    {308, "", reject_push, "Redirected"},
    {418, "", reject_push, "BadRequest"},
    {999, "", reject_push, "Unknown"},
});

TEST(WebPushAnswersTest, EveryAnswerHasItsReactionAndItsWord) {
    for (const row& each : rows) {
        answer said;
        said.status = each.status;
        said.body = each.body;
        judgement given(said, now);
        EXPECT_EQ(given.what().action, each.action) << each.status << ' ' << each.body;
        EXPECT_EQ(given.what().reason, each.reason) << each.status << ' ' << each.body;
        EXPECT_TRUE(given.what().of_one_service);
    }
}

TEST(WebPushAnswersTest, WhatTheServiceSaysOfTimeGoesBeforeOurOwn) {
    answer said;
    said.status = 503;
    said.retry_after = "120";
    judgement told(said, now);
    EXPECT_EQ(told.what().retry_after, 120s);
    EXPECT_TRUE(told.what().told);
    said.retry_after = "";
    judgement silent(said, now);
    EXPECT_FALSE(silent.what().retry_after);
    said.status = 410;
    said.retry_after = "120";
    judgement gone(said, now);
    EXPECT_FALSE(gone.what().retry_after);
}

TEST(WebPushAnswersTest, EveryRowCanBeExplained) {
    for (const answer_row& each : answer_table().first(answer_table().size() - 1)) {
        EXPECT_NE(explain(each.first, each.word).find(each.meaning), std::string::npos) << each.word;
    }
    EXPECT_NE(explain(999, "Unknown").find(answer_table().back().meaning), std::string::npos);
    EXPECT_NE(explain(0, address_not_allowed).find("app.webpush.services"), std::string::npos);
    for (const char* const of_a_clock : {"BadJwtToken", "ExpiredJwtToken"}) {
        EXPECT_NE(explain(403, of_a_clock).find("clock"), std::string::npos) << of_a_clock;
    }
    EXPECT_FALSE(explain(0, "ConnectionLost").empty());
    EXPECT_FALSE(explain(400, "InventedNextYear").empty());
}

}  // namespace
}  // namespace tocsin::webpush
