#include "providers/fcm/judgement.hpp"

#include "engine/core/rfc3339.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
const wall_time now = *parse_rfc3339("2026-11-23T06:00:00Z");

std::optional<std::chrono::milliseconds> pause(
    int status, std::string_view body, std::uint32_t attempts, std::string_view retry_after = "") {
    answer given;
    given.status = status;
    given.body = body;
    given.retry_after = retry_after;
    return judgement(given, {}, attempts, now).what().retry_after;
}

TEST(FcmJudgement, WaitsAMinuteForAQuotaUnlessToldOtherwise) {
    EXPECT_EQ(pause(429, "", 0), 60s);
    EXPECT_EQ(pause(429, "", 5), 60s);
    EXPECT_EQ(pause(429, "", 0, "120"), 120s);
    EXPECT_EQ(pause(429, "", 0, "Mon, 23 Nov 2026 06:02:00 GMT"), 120s);
    EXPECT_EQ(pause(429, "", 0, "soon"), 60s);
}

TEST(FcmJudgement, WaitsLongerEachTimeForAServerButNeverLessThanTenSeconds) {
    EXPECT_EQ(pause(500, "", 0), 10s);
    EXPECT_EQ(pause(500, "", 1), 20s);
    EXPECT_EQ(pause(503, "", 2), 40s);
    EXPECT_EQ(pause(503, "", 100), 10min);
    EXPECT_EQ(pause(503, "", 0, "1"), 10s);
    EXPECT_EQ(pause(503, "", 4, "30"), 30s);
}

TEST(FcmJudgement, ReadsARetryDelayOfTheBody) {
    EXPECT_EQ(
        pause(503, R"({"error":{"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"45s"}]}})", 0),
        45s);
}

TEST(FcmJudgement, SaysNothingOfTimeWhenNothingIsTriedAgain) {
    EXPECT_EQ(pause(400, "", 0, "30"), std::nullopt);
    EXPECT_EQ(pause(403, "", 0, "30"), std::nullopt);
}

TEST(FcmJudgement, AWebPageIsNoSuccess) {
    answer given;
    given.status = 200;
    given.body = "\n<!DOCTYPE html><title>Welcome</title>";
    const judgement made(given, {}, 0, now);
    EXPECT_EQ(made.what().action, reaction::pause_app);
    EXPECT_EQ(made.what().reason, "WebPage");
    EXPECT_NE(explain(200, "WebPage").find("no FCM at this address"), std::string::npos);
    given.body = R"({"name":"projects/p/messages/1"})";
    EXPECT_EQ(judgement(given, {}, 0, now).what().action, reaction::accept);
}

TEST(FcmJudgement, TriesTheUnknownOnceAndGivesUp) {
    answer given;
    given.status = 418;
    EXPECT_EQ(judgement(given, {}, 0, now).what().action, reaction::retry_here);
    EXPECT_EQ(judgement(given, {}, 1, now).what().action, reaction::reject_push);
}

TEST(FcmJudgement, SanitisesTheWordAndTheSentence) {
    answer given;
    given.status = 400;
    given.body = "{\"error\":{\"status\":\"A B\\n\",\"message\":\"line\\nbreak \xC3\xA9\"}}";
    const judgement made(given, {}, 0, now);
    EXPECT_EQ(made.what().reason, "Unknown");
    EXPECT_EQ(made.sentence(), "line?break ??");

    const std::string long_text(3'000, 'x');
    const std::string body = "{\"error\":{\"status\":\"OK\",\"message\":\"" + long_text + "\"}}";
    given.body = body;
    EXPECT_EQ(judgement(given, {}, 0, now).sentence().size(), 200U);
}

TEST(FcmJudgement, FindsTheNameOfAnAcceptedMessage) {
    EXPECT_EQ(message_name(R"({"name":"projects/p/messages/0:1"})"), "projects/p/messages/0:1");
    EXPECT_EQ(message_name("{\n  \"name\": \"projects/p/messages/0:1\"\n}\n"), "projects/p/messages/0:1");
    for (const std::string_view body :
         {"", "{}", "\"name\"", R"({"name":)", R"({"name":7})", R"({"name":"unfinished)",
          R"({"name":"a\"b"})"}) {
        EXPECT_EQ(message_name(body), "") << body;
    }
}

}  // namespace
}  // namespace tocsin::fcm
