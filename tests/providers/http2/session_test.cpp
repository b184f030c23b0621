#include "providers/http2/session.hpp"

#include "tests/providers/http2/session_fixture.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2SessionTest, DeliversHeadersAndBodyAndTheAnswer) {
    exchange();
    const auto index = post(R"({"aps":{"alert":"flood"}})");
    exchange();
    const auto& request = server->requests().at(1);
    EXPECT_EQ(request.body, R"({"aps":{"alert":"flood"}})");
    EXPECT_TRUE(request.ended);
    EXPECT_EQ(request.headers.at(":path"), "/3/device/0");
    EXPECT_EQ(request.headers.at("authorization"), "bearer abcdefghij");

    server->respond(
        1, "429", R"({"reason":"TooManyRequests"})",
        {{"apns-id", "11111111-2222-3333-4444-555555555555"},
         {"retry-after", "7"},
         {"content-type", "application/json"}});
    exchange();
    const auto& outcome = client.outcomes.at(index);
    EXPECT_EQ(outcome.answers, 1U);
    EXPECT_EQ(outcome.failures, 0U);
    EXPECT_EQ(outcome.status, 429);
    EXPECT_EQ(outcome.body, R"({"reason":"TooManyRequests"})");
    EXPECT_EQ(outcome.provider_id, "11111111-2222-3333-4444-555555555555");
    EXPECT_EQ(outcome.retry_after, "7");
    EXPECT_EQ(outcome.content_type, "application/json");
    EXPECT_TRUE(outcome.written);
    EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(Http2SessionTest, RequestWithoutBodyEndsWithItsHeaders) {
    exchange();
    post("");
    exchange();
    EXPECT_TRUE(server->requests().at(1).ended);
    EXPECT_EQ(server->requests().at(1).body, "");
}

TEST_F(Http2SessionTest, PingIsPendingUntilItIsAcknowledged) {
    exchange();
    session_->ping();
    session_->ping();
    EXPECT_TRUE(session_->ping_pending());
    send();
    EXPECT_TRUE(session_->ping_pending());
    EXPECT_EQ(server->pings(), 1U);
    exchange();
    EXPECT_FALSE(session_->ping_pending());
}

TEST_F(Http2SessionTest, PeersPingIsAnsweredBeforeAnythingElse) {
    exchange();
    nghttp2_submit_ping(server->native(), NGHTTP2_FLAG_NONE, nullptr);
    ASSERT_FALSE(session_->feed(server->take_output(), time.now()));
    ASSERT_EQ(session_->output().size(), 17U);
    EXPECT_EQ(session_->output()[3], NGHTTP2_PING);
}

TEST_F(Http2SessionTest, AnswerWithoutBodyIsAnAnswer) {
    exchange();
    const auto good = post();
    const auto bad = post();
    exchange();
    server->respond(1, "200");
    server->respond(3, "503");
    exchange();
    EXPECT_EQ(client.outcomes[good].status, 200);
    EXPECT_EQ(client.outcomes[bad].status, 503);
    EXPECT_EQ(client.outcomes[bad].body, "");
}

TEST_F(Http2SessionTest, AnswerMayArriveByteByByte) {
    exchange();
    const auto index = post();
    exchange();
    server->respond(1, "400", R"({"reason":"BadDeviceToken"})", {{"apns-id", "abc"}});
    const std::string bytes = server->take_output();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        EXPECT_EQ(client.answered, 0U);
        ASSERT_FALSE(session_->feed(std::string_view(bytes).substr(i, 1), time.now()));
    }
    EXPECT_EQ(client.outcomes[index].body, R"({"reason":"BadDeviceToken"})");
    EXPECT_EQ(client.outcomes[index].provider_id, "abc");
}

TEST_F(Http2SessionTest, HugeAnswerIsCutAt16KiBAndDoesNotStall) {
    exchange();
    const auto index = post();
    exchange();
    server->respond(1, "500", std::string(3'000'000, 'e'));
    exchange();
    EXPECT_EQ(client.outcomes[index].answers, 1U);
    EXPECT_EQ(client.outcomes[index].body, std::string(16 * 1024, 'e'));
}

TEST_F(Http2SessionTest, InterimAnswerIsNotTheAnswer) {
    exchange();
    const auto index = post();
    exchange();
    server->respond_interim(1, "103", {{"retry-after", "99"}});
    exchange();
    EXPECT_EQ(client.answered, 0U);
    server->respond_interim(1, "100");
    server->respond(1, "200", "done");
    exchange();
    EXPECT_EQ(client.outcomes[index].answers, 1U);
    EXPECT_EQ(client.outcomes[index].status, 200);
    EXPECT_EQ(client.outcomes[index].retry_after, "");
    EXPECT_EQ(client.outcomes[index].body, "done");
}

TEST_F(Http2SessionTest, ResetWithoutErrorAfterACompleteAnswerDoesNotUndoIt) {
    restart({.settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2000}}, .give_credit = false});
    exchange();
    const auto index = post(std::string(4000, 'x'));
    exchange();
    server->respond(1, "413", R"({"reason":"PayloadTooLarge"})");
    const std::string answer = server->take_output();
    server->reset(1, NGHTTP2_NO_ERROR);
    ASSERT_FALSE(session_->feed(answer + server->take_output(), time.now()));
    EXPECT_EQ(client.outcomes[index].answers, 1U);
    EXPECT_EQ(client.outcomes[index].failures, 0U);
    EXPECT_EQ(client.outcomes[index].status, 413);
    exchange();
    EXPECT_TRUE(server->healthy());
    EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(Http2SessionTest, AnswerBeforeTheBodyWasSentFreesTheStream) {
    restart(
        {.settings =
             {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2000}, {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}},
         .give_credit = false});
    exchange();
    const auto index = post(std::string(4000, 'x'));
    exchange();
    server->respond(1, "413");
    exchange();
    EXPECT_EQ(client.outcomes[index].status, 413);
    EXPECT_TRUE(server->requests().at(1).reset);
    EXPECT_EQ(session_->credit(), 1U);
}

TEST_F(Http2SessionTest, TrailersDoNotChangeTheAnswer) {
    exchange();
    const auto index = post();
    exchange();
    // HEADERS (:status 200), DATA, HEADERS with END_STREAM (retry-after: 5) as a peer with trailers sends.
    server->send_raw(std::string("\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88", 10));
    server->send_raw(std::string("\x00\x00\x02\x00\x00\x00\x00\x00\x01ok", 11));
    server->send_raw(std::string("\x00\x00\x0f\x01\x05\x00\x00\x00\x01\x00\x0bretry-after\x01\x35", 24));
    exchange();
    EXPECT_EQ(client.outcomes[index].answers, 1U);
    EXPECT_EQ(client.outcomes[index].status, 200);
    EXPECT_EQ(client.outcomes[index].body, "ok");
    EXPECT_EQ(client.outcomes[index].retry_after, "");
}

TEST_F(Http2SessionTest, AnswerThatBreaksItsContentLengthIsUnknown) {
    exchange();
    const auto index = post();
    exchange();
    server->respond(1, "200", "four", {{"content-length", "400"}});
    exchange();
    EXPECT_EQ(client.outcomes[index].answers, 0U);
    EXPECT_EQ(client.outcomes[index].why, failure::unknown);
    EXPECT_EQ(client.outcomes[index].detail, http2_errc::malformed_answer);
    EXPECT_TRUE(session_->accepting());
}

}  // namespace
}  // namespace tocsin::http2
