#include "providers/apns/judgement.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
const wall_time now(std::chrono::milliseconds(1'795'000'000'000));

answer said(int status, std::string_view body, std::string_view retry_after = "") {
    answer out;
    out.status = status;
    out.body = body;
    out.retry_after = retry_after;
    out.apns_id = "an-id";
    return out;
}

TEST(ApnsJudgement, ReadsTheReasonAndSinceWhenTheTokenIsDead) {
    const judgement given(said(410, R"({"reason":"Unregistered","timestamp":1763870000123})"), 0, now);
    EXPECT_EQ(given.what().action, reaction::drop_token);
    EXPECT_EQ(given.what().status, 410);
    EXPECT_EQ(given.what().reason, "Unregistered");
    EXPECT_EQ(given.what().dead_since, wall_time(1'763'870'000'123ms));
    EXPECT_EQ(given.what().provider_id, "an-id");
}

TEST(ApnsJudgement, DropsNoTokenWithoutATimestampOfWhenItDied) {
    for (const std::string_view body :
         {R"({"reason":"Unregistered"})", R"({"reason":"Unregistered","timestamp":"1763870000123"})",
          R"({"reason":"Unregistered","timestamp":-1})", R"({"reason":"Unregistered","timestamp":1e300})",
          R"({"reason":"Unregistered","timestamp":null})"}) {
        const judgement given(said(410, body), 0, now);
        EXPECT_EQ(given.what().action, reaction::doubt_token) << body;
        EXPECT_FALSE(given.what().dead_since.has_value()) << body;
    }
}

TEST(ApnsJudgement, NobodyIsDeadSinceATimeThatIsStillToCome) {
    const auto since = [](wall_time when) {
        const auto ms = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
        const judgement given(
            said(410, R"({"reason":"Unregistered","timestamp":)" + std::to_string(ms) + "}"), 0, now);
        return given.what().action;
    };
    EXPECT_EQ(since(now), reaction::drop_token);
    EXPECT_EQ(since(now + 10min), reaction::drop_token) << "our clock may be behind";
    EXPECT_EQ(since(now + 24h), reaction::doubt_token);
    EXPECT_EQ(since(now + 24h * 365 * 200), reaction::doubt_token);
}

TEST(ApnsJudgement, A410ThatIsNotInApplesFormDropsNothing) {
    for (const std::string_view body :
         {"", "<html>Gone</html>", "{}", "[]", R"({"reason":"Gone","timestamp":1763870000123})",
          R"({"timestamp":1763870000123})", R"({"reason":"BadDeviceToken","timestamp":1763870000123})",
          R"({"error":{"reason":"Unregistered","timestamp":1763870000123}})"}) {
        EXPECT_EQ(judgement(said(410, body), 0, now).what().action, reaction::doubt_token) << body;
    }
}

TEST(ApnsJudgement, OfABodyThatCannotBeReadGoesByTheStatusAndDropsNothing) {
    for (const std::string& body :
         {std::string(), std::string("{\"reason\":\"BadDev"), std::string("Bad Request"), std::string("[]"),
          std::string("\"BadDeviceToken\""), std::string(R"({"reason":["BadDeviceToken"]})"),
          std::string(R"({"error":"BadDeviceToken"})"), std::string(16'000, '['),
          std::string("\xff\xfe\0", 3)}) {
        const judgement given(said(400, body), 0, now);
        EXPECT_EQ(given.what().action, reaction::reject_push) << body;
        EXPECT_EQ(given.what().reason, "Unknown") << body;
    }
}

TEST(ApnsJudgement, AWebPageIsNotApplesWhateverStatusItNames) {
    for (const int status : {200, 201, 400, 404, 405}) {
        const judgement given(said(status, "<!DOCTYPE html><title>Welcome</title>"), 0, now);
        EXPECT_EQ(given.what().action, reaction::retry_elsewhere) << status;
        EXPECT_EQ(given.what().reason, "WebPage") << status;
        EXPECT_NE(explain(static_cast<std::uint16_t>(status), "WebPage").find("web page"), std::string::npos);
    }
    EXPECT_EQ(judgement(said(410, "<html>"), 0, now).what().action, reaction::doubt_token);
    EXPECT_EQ(judgement(said(503, "<html>"), 0, now).what().action, reaction::retry_elsewhere);
}

TEST(ApnsJudgement, KeepsAnUnknownReasonThatIsAWord) {
    const judgement given(said(400, R"({"reason":"InventedNextYear"})"), 0, now);
    EXPECT_EQ(given.what().action, reaction::reject_push);
    EXPECT_EQ(given.what().reason, "InventedNextYear");
}

TEST(ApnsJudgement, ReplacesAReasonThatIsNoWord) {
    for (const std::string& body :
         {std::string(R"({"reason":"two words"})"), std::string(R"({"reason":"a\nb"})"),
          std::string(R"({"reason":"\"} 1"})"), "{\"reason\":\"" + std::string(65, 'a') + "\"}"}) {
        const judgement given(said(400, body), 0, now);
        EXPECT_EQ(given.what().reason, "Unknown") << body;
    }
}

TEST(ApnsJudgement, OfASuccessHasNoReason) {
    const judgement given(said(200, ""), 0, now);
    EXPECT_EQ(given.what().action, reaction::accept);
    EXPECT_EQ(given.what().reason, "");
}

TEST(ApnsJudgement, AThrottledDeviceWaitsTwiceAsLongEachTime) {
    const auto pause = [](std::uint32_t attempts) {
        return judgement(said(429, R"({"reason":"TooManyRequests"})"), attempts, now).what().retry_after;
    };
    EXPECT_EQ(pause(0), 60s);
    EXPECT_EQ(pause(1), 120s);
    EXPECT_EQ(pause(2), 240s);
    EXPECT_EQ(pause(200), 16min);
}

TEST(ApnsJudgement, AnOutageIsTriedOnceSoonAndThenWaitsTwiceAsLongEachTime) {
    for (const std::string_view body :
         {R"({"reason":"InternalServerError"})", R"({"reason":"ServiceUnavailable"})",
          R"({"reason":"Shutdown"})"}) {
        const int status = body.find("Internal") != std::string_view::npos ? 500 : 503;
        EXPECT_EQ(judgement(said(status, body), 0, now).what().retry_after, std::nullopt);
        EXPECT_EQ(judgement(said(status, body), 1, now).what().retry_after, 1min);
        EXPECT_EQ(judgement(said(status, body), 2, now).what().retry_after, 2min);
        EXPECT_EQ(judgement(said(status, body), 3, now).what().retry_after, 4min);
        EXPECT_EQ(judgement(said(status, body), 200, now).what().retry_after, 15min);
    }
}

TEST(ApnsJudgement, ARetryAfterGoesBeforeOurOwnPause) {
    const judgement given(said(503, R"({"reason":"ServiceUnavailable"})", "7"), 3, now);
    EXPECT_EQ(given.what().retry_after, 7s);
}

TEST(ApnsJudgement, AnIdleConnectionCostsNoTime) {
    const judgement given(said(400, R"({"reason":"IdleTimeout"})"), 0, now);
    EXPECT_EQ(given.what().retry_after, 0ms);
    EXPECT_EQ(given.row().connection, http2::connection_advice::drain);
}

TEST(ApnsJudgement, OfAnImpossibleStatusIsNoStatus) {
    for (const int status : {0, -1, 70'000}) {
        const judgement given(said(status, ""), 0, now);
        EXPECT_EQ(given.what().status, 0);
        EXPECT_EQ(given.what().action, reaction::retry_elsewhere);
    }
}

}  // namespace
}  // namespace tocsin::apns
