#include "tests/providers/http2/session_fixture.hpp"

#include <limits>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2SessionTest, RefusedStreamIsSafeToSendAgain) {
    exchange();
    const auto refused = post();
    const auto kept = post();
    exchange();
    server->refuse(1);
    server->respond(3, "200");
    exchange();
    EXPECT_EQ(client.outcomes[refused].why, failure::not_processed);
    EXPECT_EQ(client.outcomes[refused].detail, http2_errc::stream_refused);
    EXPECT_EQ(client.outcomes[kept].status, 200);
    EXPECT_TRUE(session_->accepting());
}

TEST_F(Http2SessionTest, OtherResetsLeaveItUnknown) {
    exchange();
    const auto cancelled = post();
    const auto calm = post();
    const auto old_http = post();
    const auto quiet = post();
    exchange();
    server->reset(1, NGHTTP2_CANCEL);
    server->reset(3, NGHTTP2_ENHANCE_YOUR_CALM);
    server->reset(5, NGHTTP2_HTTP_1_1_REQUIRED);
    server->reset(7, NGHTTP2_NO_ERROR);
    exchange();
    for (const auto index : {cancelled, calm, old_http, quiet}) {
        EXPECT_EQ(client.outcomes[index].why, failure::unknown);
        EXPECT_EQ(client.outcomes[index].failures, 1U);
    }
    EXPECT_EQ(client.outcomes[cancelled].detail, http2_errc::stream_reset);
    EXPECT_EQ(client.outcomes[calm].detail, http2_errc::enhance_your_calm);
    EXPECT_EQ(client.outcomes[old_http].detail, http2_errc::http_1_1_required);
}

TEST_F(Http2SessionTest, GoAwayInTheMiddleFreesTheUpperAndWaitsForTheLower) {
    exchange();
    for (int i = 0; i < 6; ++i) {
        post();
    }
    exchange();
    server->go_away(5, NGHTTP2_NO_ERROR, R"({"reason":"Shutdown"})");
    exchange();
    EXPECT_FALSE(session_->accepting());
    EXPECT_EQ(session_->credit(), 0U);
    EXPECT_EQ(events.goaway_text, R"({"reason":"Shutdown"})");
    EXPECT_EQ(client.count(failure::not_processed), 3U);
    EXPECT_EQ(session_->in_flight(), 3U);

    server->respond(5, "200");
    server->respond(1, "410", R"({"reason":"Unregistered"})");
    exchange();
    EXPECT_EQ(client.outcomes[0].status, 410);
    EXPECT_EQ(client.outcomes[2].status, 200);
    EXPECT_TRUE(session_->alive());
    server->respond(3, "200");
    exchange();
    EXPECT_EQ(client.answered, 3U);
    EXPECT_EQ(client.failed, 3U);
    EXPECT_FALSE(session_->alive());

    const auto late = client.add("late");
    EXPECT_EQ(session_->submit(client, client.make(late), time.now()), http2_errc::going_away);
}

TEST_F(Http2SessionTest, TwoStepGoAwayLosesNothingBetweenTheSteps) {
    exchange();
    for (int i = 0; i < 4; ++i) {
        post();
    }
    exchange();
    server->announce_shutdown();
    exchange();
    EXPECT_FALSE(session_->accepting());
    EXPECT_EQ(client.failed, 0U);
    server->go_away(3);
    server->respond(1, "200");
    server->respond(3, "200");
    exchange();
    EXPECT_EQ(events.goaways, 2);
    EXPECT_EQ(client.answered, 2U);
    EXPECT_EQ(client.count(failure::not_processed), 2U);
}

TEST_F(Http2SessionTest, GoAwayZeroFreesEverything) {
    exchange();
    for (int i = 0; i < 5; ++i) {
        post();
    }
    exchange();
    server->go_away(0, NGHTTP2_ENHANCE_YOUR_CALM);
    exchange();
    EXPECT_EQ(client.count(failure::not_processed), 5U);
    EXPECT_EQ(session_->in_flight(), 0U);
    EXPECT_EQ(session_->ending(), http2_errc::enhance_your_calm);
    EXPECT_EQ(events.goaway_code, h2_code::enhance_your_calm);
}

TEST_F(Http2SessionTest, ARefusalAfterThePeerHasBegunToAnswerIsNotBelieved) {
    exchange();
    const auto begun = post();
    exchange();
    server->send_raw(
        std::string("\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88", 10));  // :status 200, and more to come.
    exchange();
    server->refuse(1);
    exchange();
    EXPECT_EQ(client.outcomes[begun].why, failure::unknown);
}

TEST_F(Http2SessionTest, AGoAwayThatDeniesWhatWasAnsweredIsNotBelieved) {
    exchange();
    for (int i = 0; i < 4; ++i) {
        post();
    }
    exchange();
    server->respond(5, "200");
    exchange();
    server->go_away(0);
    exchange();
    EXPECT_EQ(client.answered, 1U);
    EXPECT_EQ(client.count(failure::unknown), 3U);
    EXPECT_EQ(client.count(failure::not_processed), 0U);
}

TEST_F(Http2SessionTest, GoAwayThatCrossesUnwrittenRequestsFreesThem) {
    exchange();
    server->go_away(0);
    const auto index = post();  // In frames, but the socket has not seen them.
    ASSERT_FALSE(session_->feed(server->take_output(), time.now()));
    EXPECT_EQ(client.outcomes[index].why, failure::not_processed);
    EXPECT_FALSE(client.outcomes[index].written);
    EXPECT_EQ(client.outcomes[index].failures, 1U);
}

TEST_F(Http2SessionTest, EndWithoutGoAwayTellsTheWrittenFromTheUnwritten) {
    exchange();
    const auto written = post();
    send();
    const auto unwritten = post();
    session_->fail_all(http2_errc::connection_lost);
    EXPECT_EQ(client.outcomes[written].why, failure::unknown);
    EXPECT_EQ(client.outcomes[unwritten].why, failure::not_processed);
    EXPECT_EQ(client.outcomes[written].detail, http2_errc::connection_lost);
    session_->fail_all(http2_errc::connection_lost);
    EXPECT_EQ(client.failed, 2U);
    EXPECT_FALSE(session_->accepting());
}

TEST_F(Http2SessionTest, LastStreamIdIsUsedAndThenTheConnectionIsOver) {
    restart({}, {.first_stream_id = std::numeric_limits<std::int32_t>::max() - 2});
    exchange();
    const auto before = post();
    EXPECT_TRUE(session_->accepting());
    const auto last = post();
    EXPECT_FALSE(session_->accepting());
    EXPECT_EQ(session_->ending(), http2_errc::ids_exhausted);
    EXPECT_EQ(session_->credit(), 0U);
    const auto late = client.add("late");
    EXPECT_EQ(session_->submit(client, client.make(late), time.now()), http2_errc::ids_exhausted);
    exchange();
    server->respond(std::numeric_limits<std::int32_t>::max() - 2, "200");
    server->respond(std::numeric_limits<std::int32_t>::max(), "200");
    exchange();
    EXPECT_EQ(client.outcomes[before].status, 200);
    EXPECT_EQ(client.outcomes[last].status, 200);
}

TEST_F(Http2SessionTest, DeadlineEndsARequestAndResetsItsStream) {
    restart({.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}}}, {.request_timeout = 20s});
    exchange();
    const auto first = post();
    time.advance(5s);
    const auto second = post();
    exchange();
    EXPECT_EQ(session_->next_deadline(), time.now() + 15s);
    time.advance(14'999ms);
    EXPECT_EQ(session_->expire(time.now()), 0U);
    time.advance(1ms);
    EXPECT_EQ(session_->expire(time.now()), 1U);
    EXPECT_EQ(client.outcomes[first].why, failure::timed_out);
    EXPECT_EQ(client.outcomes[first].detail, http2_errc::deadline_exceeded);
    EXPECT_EQ(session_->credit(), 1U);
    exchange();
    EXPECT_TRUE(server->requests().at(1).reset);
    server->respond(1, "200");  // Too late for the first, and nobody's business any more.
    server->respond(3, "200");
    exchange();
    EXPECT_EQ(client.outcomes[first].answers, 0U);
    EXPECT_EQ(client.outcomes[second].status, 200);
    EXPECT_EQ(session_->timeouts_in_a_row(), 0U);
    EXPECT_EQ(session_->next_deadline(), std::nullopt);
}

TEST_F(Http2SessionTest, ManyTimeoutsDoNotBecomeAStormOfResets) {
    restart({}, {.request_timeout = 1s});
    exchange();
    for (int i = 0; i < 100; ++i) {
        post();
    }
    exchange();
    time.advance(1s);
    EXPECT_EQ(session_->expire(time.now()), 100U);
    EXPECT_EQ(session_->timeouts_in_a_row(), 100U);
    exchange();
    std::size_t resets = 0;
    for (const auto& [stream, request] : server->requests()) {
        resets += request.reset ? 1 : 0;
    }
    EXPECT_EQ(resets, session::timeouts_to_retire);
    EXPECT_EQ(client.count(failure::timed_out), 100U);
    EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(Http2SessionTest, BytesThatAreNotHttp2EndItAndClassifyEverything) {
    exchange();
    const auto index = post();
    send();
    const error_code broken = session_->feed("HTTP/1.1 400 Bad Request\r\n\r\n", time.now());
    EXPECT_EQ(broken, http2_errc::protocol_violation);
    EXPECT_FALSE(session_->alive());
    EXPECT_FALSE(session_->output().empty());  // The GOAWAY that says why.
    session_->fail_all(broken);
    EXPECT_EQ(client.outcomes[index].why, failure::unknown);
    EXPECT_EQ(client.outcomes[index].detail, http2_errc::protocol_violation);
}

TEST_F(Http2SessionTest, RandomBytesNeverLoseARequest) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        restart({});
        client = {};
        exchange();
        for (int i = 0; i < 5; ++i) {
            post();
        }
        send();
        server->respond(1, "200", "ok");
        server->respond(5, "400", "no");
        std::string bytes = server->take_output();
        for (int flips = 0; flips < 3; ++flips) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        static_cast<void>(session_->feed(bytes, time.now()));
        session_->fail_all(http2_errc::connection_lost);
        ASSERT_EQ(client.settled(), 5U);
        for (const auto& [index, outcome] : client.outcomes) {
            ASSERT_EQ(outcome.answers + outcome.failures, 1U);
        }
    }
}

TEST_F(Http2SessionTest, RequestThatFitsNoFrameIsNotProcessed) {
    exchange();
    client.token = std::string(100'000, 't');
    const auto index = post();
    EXPECT_EQ(client.outcomes[index].why, failure::not_processed);
    EXPECT_EQ(client.outcomes[index].failures, 1U);
    client.token = "short";
    const auto next = post();
    exchange();
    server->respond(server->requests().rbegin()->first, "200");
    exchange();
    EXPECT_EQ(client.outcomes[next].status, 200);
    EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(Http2SessionTest, AnswersToAForgottenClientGoNowhere) {
    exchange();
    const auto kept = post();
    recorded_client gone;
    gone.add(std::string(100, 'x'));
    ASSERT_FALSE(session_->submit(gone, gone.make(0), time.now()));
    exchange();
    session_->forget(gone);
    server->respond(1, "200");
    server->respond(3, "200");
    exchange();
    EXPECT_EQ(client.outcomes[kept].answers, 1U);
    EXPECT_EQ(gone.settled(), 0U);
    EXPECT_EQ(session_->in_flight(), 0U);
}

TEST_F(Http2SessionTest, RestOfAForgottenClientsBodyIsNeverRead) {
    restart({.settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2000}}, .give_credit = false});
    exchange();
    auto gone = std::make_unique<recorded_client>();
    gone->add(std::string(4000, 'x'));
    ASSERT_FALSE(session_->submit(*gone, gone->make(0), time.now()));
    exchange();
    session_->forget(*gone);
    gone.reset();
    server->give_window(1, 10'000);
    exchange();
    EXPECT_TRUE(server->requests().at(1).reset);
    EXPECT_EQ(server->requests().at(1).body.size(), 2000U);
}

TEST_F(Http2SessionTest, RestsOfBodiesThatTimedOutAreNeverRead) {
    restart(
        {.settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2000}}, .give_credit = false},
        {.request_timeout = 1s});
    exchange();
    constexpr std::size_t count = 2 * session::timeouts_to_retire;
    auto gone = std::make_unique<recorded_client>();
    for (std::size_t i = 0; i < count; ++i) {
        gone->add(std::string(4000, 'x'));
        ASSERT_FALSE(session_->submit(*gone, gone->make(i), time.now()));
    }
    exchange();
    time.advance(1s);
    EXPECT_EQ(session_->expire(time.now()), count);
    gone.reset();
    for (std::size_t i = 0; i < count; ++i) {
        server->give_window(static_cast<std::int32_t>(2 * i + 1), 10'000);
    }
    exchange();
    for (const auto& [stream, request] : server->requests()) {
        EXPECT_TRUE(request.reset);
        EXPECT_EQ(request.body.size(), 2000U);
    }
}

TEST_F(Http2SessionTest, GoodbyeIsSaid) {
    exchange();
    session_->say_goodbye();
    EXPECT_FALSE(session_->accepting());
    send();
    EXPECT_TRUE(server->said_goodbye());
}

}  // namespace
}  // namespace tocsin::http2
