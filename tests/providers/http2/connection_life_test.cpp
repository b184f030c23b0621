#include "tests/providers/http2/pool_fixture.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2PoolTest, CutConnectionLeavesUnknownsAndIsReplaced) {
    serve();
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (server->peers().size() > 1) {
            peer.http2.respond(stream, "200");
        } else if (peer.http2.requests().size() == 50) {
            for (std::int32_t id = 1; id <= 19; id += 2) {
                peer.http2.respond(id, "200");
            }
        }
    };
    open();
    client.add_many(50, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 10; }));
    server->peers().front()->cut();
    ASSERT_TRUE(run_until([&] { return client.settled() == 50; }));
    EXPECT_EQ(client.count(failure::unknown), 40U);
    EXPECT_EQ(pool_->statistics().ready, 0U);
    client.add_many(50, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 100; }));
    expect_each_settled_once(100);
    EXPECT_EQ(client.answered, 60U);
    EXPECT_EQ(server->peers().size(), 2U);
}

TEST_F(Http2PoolTest, APeerThatBreaksTheRulesIsToldSoThoughRequestsAreInFlight) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream == 5) {  // DATA on stream 0.
            peer.http2.send_raw(std::string("\x00\x00\x01\x00\x00\x00\x00\x00\x00x", 10));
        }
    };
    open();
    client.add_many(3, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 3; }));
    EXPECT_EQ(client.count(failure::unknown), 3U);
    ASSERT_TRUE(run_until([&] { return server->peers().front()->gone(); }));
    EXPECT_TRUE(server->peers().front()->http2.said_goodbye());
}

TEST_F(Http2PoolTest, ProbeGoesAloneUntilItIsAnswered) {
    serve();
    std::size_t seen_before_answer = 0;
    std::vector<std::int32_t> held;
    h2_tls_server::peer* peer = nullptr;
    server->on_request = [&](auto& from, std::int32_t stream, const auto&) {
        if (seen_before_answer == 0 || held.empty()) {
            peer = &from;
        }
        held.push_back(stream);
        if (client.answered != 0) {
            from.http2.respond(stream, "200");
        }
    };
    policy.probe_first = true;
    policy.max_connections = 1;
    open();
    client.add_many(20, "x");
    go();
    ASSERT_TRUE(run_until([&] { return !held.empty(); }));
    run_for(50ms);
    seen_before_answer = held.size();
    EXPECT_EQ(seen_before_answer, 1U);
    peer->http2.respond(held.front(), "400");
    peer->flush();
    ASSERT_TRUE(run_until([&] { return client.answered == 20; }));
    EXPECT_GT(peer->http2.most_open(), 1U);
}

TEST_F(Http2PoolTest, AdviceToDrainReplacesTheConnectionAfterItsAnswers) {
    serve();
    open();
    client.advice = connection_advice::drain;
    client.add("first");
    go();
    ASSERT_TRUE(run_until([&] { return server->open() == 0 && !server->peers().empty(); }));
    EXPECT_TRUE(server->peers().front()->http2.said_goodbye());
    client.advice = connection_advice::keep;
    client.add("second");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 2; }));
    EXPECT_NE(client.outcomes[0].connection, client.outcomes[1].connection);
}

TEST_F(Http2PoolTest, DrainWaitsForTheOthersAndGivesUpAtItsTimeout) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream == 5) {
            peer.http2.respond(1, "200");
        }
    };
    policy.drain_timeout = 50ms;
    open();
    client.advice = connection_advice::drain;
    client.add_many(3, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    EXPECT_EQ(pool_->statistics().draining, 1U);
    ASSERT_TRUE(run_until([&] { return client.settled() == 3; }));
    EXPECT_EQ(client.outcomes[1].why, failure::unknown);
    EXPECT_EQ(client.outcomes[1].detail, http2_errc::drain_timeout);
}

TEST_F(Http2PoolTest, AnAlertDoesNotWaitForTheBackOffOfConnectionsThatWork) {
    serve();
    open();
    client.advice = connection_advice::drain;  // As after an answer of 500: nothing is proven.
    client.is_urgent = true;
    const time_point begun = time.now();
    for (std::size_t i = 1; i <= 5; ++i) {
        client.add("x");
        go();
        ASSERT_TRUE(run_until([&] { return client.answered == i; }));
    }
    EXPECT_LT(time.now() - begun, 6s) << "1, 2, 4 and 8 seconds, less up to half, would be more";
}

TEST_F(Http2PoolTest, HoweverManyDrainThereIsOneThatTakesWhatIsNew) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream == 1) {
            peer.http2.respond(stream, "200");
        } else {
            peer.http2.go_away(stream, NGHTTP2_NO_ERROR, "");
        }
    };
    policy.max_connections = 2;
    open();
    for (std::size_t draining = 1; draining <= 2 * policy.max_connections; ++draining) {
        client.add_many(2, "x");
        go();
        ASSERT_TRUE(run_until([&] { return pool_->statistics().draining == draining; })) << draining;
    }
    client.add("x");
    go();
    run_for(400ms);
    EXPECT_EQ(pool_->statistics().dials, 2 * policy.max_connections);
}

TEST_F(Http2PoolTest, GoAwayMovesTheUnprocessedToANewConnection) {
    serve();
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (server->peers().size() > 1) {
            peer.http2.respond(stream, "200");
        } else if (stream == 39) {
            peer.http2.go_away(19, NGHTTP2_NO_ERROR, "server_shutting_down");
            for (std::int32_t id = 1; id <= 19; id += 2) {
                peer.http2.respond(id, "200");
            }
        }
    };
    open();
    client.send_again = true;
    client.on_requeue = [this] { go(); };
    client.add_many(20, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 20; }));
    EXPECT_EQ(client.failed, 10U);
    EXPECT_EQ(client.count(failure::not_processed), 10U);
    EXPECT_EQ(log.count("http2.goaway"), 1);
}

TEST_F(Http2PoolTest, WhatGoAwaySaysIsHeardBeforeTheFailuresThatFollow) {
    serve();
    server->on_request = [](auto& peer, std::int32_t, const auto&) {
        peer.http2.go_away(0, NGHTTP2_NO_ERROR, R"({"reason":"BadCertificate"})");
    };
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 1; }));
    ASSERT_EQ(client.words.size(), 1U);
    EXPECT_EQ(client.words[0].what, peer_word::kind::going_away);
    EXPECT_EQ(client.words[0].code, 0U);
    EXPECT_EQ(client.words[0].text, R"({"reason":"BadCertificate"})");
    EXPECT_EQ(client.words[0].failed_before, 0U);
    EXPECT_FALSE(client.words[0].about_our_certificate);
}

TEST_F(Http2PoolTest, AnAlertAboutOurCertificateIsHeard) {
    h2_tls_server::options given;
    given.asks_for_certificate = true;
    serve(given);
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return !client.words.empty(); }));
    EXPECT_EQ(client.words[0].what, peer_word::kind::tls_alert);
    EXPECT_EQ(client.words[0].code, 116U);  // certificate_required
    EXPECT_TRUE(client.words[0].about_our_certificate);
    EXPECT_EQ(client.settled(), 0U);
}

TEST_F(Http2PoolTest, IdleConnectionIsClosed) {
    serve();
    policy.idle_timeout = 30ms;
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    ASSERT_TRUE(run_until([&] { return server->open() == 0; }));
    EXPECT_EQ(pool_->statistics().ready, 0U);
    EXPECT_TRUE(server->peers().front()->http2.said_goodbye());
    EXPECT_EQ(server->peers().front()->http2.pings(), 0U);
    EXPECT_EQ(pool_->statistics().dials_failed, 0U);
}

TEST_F(Http2PoolTest, OldConnectionIsReplaced) {
    serve();
    policy.max_age = 30ms;
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1 && server->open() == 0; }));
    client.add("y");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 2; }));
    EXPECT_EQ(server->peers().size(), 2U);
}

TEST_F(Http2PoolTest, SilentPeerIsPingedAndGivenUp) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) { peer.muted = stream == 5; };
    policy.silence_before_ping = 30ms;
    policy.ping_timeout = 30ms;
    open();
    client.add_many(3, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 3; }));
    EXPECT_EQ(client.count(failure::unknown), 3U);
    EXPECT_EQ(client.outcomes[0].detail, http2_errc::connection_silent);
}

TEST_F(Http2PoolTest, PingThatIsAnsweredKeepsTheConnection) {
    serve();
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    policy.silence_before_ping = 20ms;
    policy.ping_timeout = 5s;
    open();
    client.add("slow");
    go();
    ASSERT_TRUE(
        run_until([&] { return !server->peers().empty() && server->peers().front()->http2.pings() >= 3; }));
    EXPECT_EQ(client.settled(), 0U);
    server->peers().front()->http2.respond(1, "200");
    server->peers().front()->flush();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
}

TEST_F(Http2PoolTest, ForgottenConnectionCostsAnAlertNeitherTimeNorDoubt) {
    serve();
    policy.silence_before_probe = 50ms;
    policy.probe_timeout = 100ms;
    open();
    client.add("before the silence");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    run_for(60ms);
    server->peers().front()->muted = true;
    client.add_many(300, "alert");
    const auto begun = clock::now();
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 301; }));
    EXPECT_LT(clock::now() - begun, 3s);
    EXPECT_EQ(client.answered, 301U);
    expect_each_settled_once(301);
    EXPECT_EQ(server->peers().front()->http2.requests().size(), 1U);
}

TEST_F(Http2PoolTest, WhatForgotOneConnectionHasForgottenTheOthersToo) {
    h2_tls_server::options given;
    given.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}};
    serve(given);
    std::vector<std::pair<h2_tls_server::peer*, std::int32_t>> held;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (server->peers().size() < 4) {
            held.emplace_back(&peer, stream);
        } else {
            peer.http2.respond(stream, "200");
        }
    };
    policy.silence_before_probe = 300ms;
    policy.probe_timeout = 1s;
    open();
    client.add_many(200, "x");
    go();
    ASSERT_TRUE(run_until([&] { return server->peers().size() == 4; }));
    for (const auto& [peer, stream] : held) {
        peer->http2.respond(stream, "200");
        peer->flush();
    }
    ASSERT_TRUE(run_until([&] { return client.answered == 200; }));
    const std::size_t before = server->peers().size();
    run_for(350ms);
    for (const auto& peer : server->peers()) {
        peer->muted = true;
    }
    client.add("alert");
    const auto begun = clock::now();
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 201; }));
    EXPECT_LT(clock::now() - begun, 3 * policy.probe_timeout) << "one after the other";
    EXPECT_EQ(server->peers().size(), before + 1);
    EXPECT_EQ(pool_->statistics().ready, 1U);
}

TEST_F(Http2PoolTest, ConnectionThatAnswersItsProbeIsUsedAgain) {
    serve();
    policy.silence_before_probe = 20ms;
    policy.probe_timeout = 5s;
    open();
    for (std::size_t round = 1; round <= 3; ++round) {
        client.add("x");
        go();
        ASSERT_TRUE(run_until([&] { return client.answered == round; }));
        EXPECT_EQ(server->peers().front()->http2.pings(), round - 1);
        run_for(30ms);
    }
    EXPECT_EQ(server->peers().size(), 1U);
}

TEST_F(Http2PoolTest, IdleConnectionIsNeverPinged) {
    serve();
    policy.silence_before_ping = 10ms;
    policy.ping_timeout = 10ms;
    policy.silence_before_probe = 10ms;
    open();
    client.add("x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    run_for(100ms);
    EXPECT_EQ(server->peers().front()->http2.pings(), 0U);
    EXPECT_EQ(pool_->statistics().ready, 1U);
}

TEST_F(Http2PoolTest, AnswerThatNeverComesTimesOut) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream != 1) {
            peer.http2.respond(stream, "200");
        }
    };
    policy.request_timeout = 40ms;
    open();
    client.add_many(2, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 2; }));
    EXPECT_EQ(client.outcomes[0].why, failure::timed_out);
    EXPECT_EQ(client.outcomes[1].status, 200);
    ASSERT_TRUE(run_until([&] { return server->peers().front()->http2.requests().at(1).reset; }));
    EXPECT_EQ(pool_->statistics().ready, 1U);
}

TEST_F(Http2PoolTest, FiveTimeoutsInARowRetireTheConnection) {
    serve();
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    policy.request_timeout = 40ms;
    open();
    client.add_many(5, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 5 && server->open() == 0; }));
    EXPECT_EQ(client.count(failure::timed_out), 5U);
    EXPECT_EQ(pool_->statistics().ready, 0U);
}

class Http2ResetTest : public Http2PoolTest, public ::testing::WithParamInterface<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(
    ForEveryReason, Http2ResetTest,
    ::testing::Values(
        NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_STREAM_CLOSED,
        NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INADEQUATE_SECURITY, NGHTTP2_HTTP_1_1_REQUIRED,
        0xbad));

TEST_P(Http2ResetTest, ThreeInARowRetireTheConnectionWhateverTheirReason) {
    serve();
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (&peer != server->peers().front().get()) {
            peer.http2.respond(stream, "200");
        } else if (stream > 1 && stream <= 7) {
            peer.http2.reset(stream, GetParam());
        }
    };
    policy.max_connections = 1;
    open();
    client.add_many(4, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.count(failure::unknown) == 3; }));
    // What is in flight on it is still answered; what is new goes elsewhere.
    client.add("late");
    go();
    ASSERT_TRUE(run_until([&] { return client.outcomes[4].answers == 1; }));
    EXPECT_EQ(server->peers().size(), 2U);
    server->peers().front()->http2.respond(1, "200");
    server->peers().front()->flush();
    ASSERT_TRUE(run_until([&] { return client.settled() == 5 && server->open() == 1; }));
    expect_each_settled_once(5);
    EXPECT_EQ(client.outcomes[0].status, 200);
}

TEST_F(Http2PoolTest, RefusingEverythingForSomeTimeRetiresTheConnection) {
    serve();
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (&peer != server->peers().front().get()) {
            peer.http2.respond(stream, "200");
        } else {
            peer.http2.reset(stream, NGHTTP2_REFUSED_STREAM);
        }
    };
    policy.max_connections = 1;
    policy.settings_timeout = 100ms;
    open();
    int asked = 0;
    ASSERT_TRUE(run_until([&] {
        if (client.settled() == static_cast<std::size_t>(asked)) {
            client.add("request " + std::to_string(asked++));
            go();
        }
        return client.answered == 1;
    }));
    EXPECT_EQ(server->peers().size(), 2U);
    EXPECT_EQ(client.count(failure::unknown), 0U) << "none of them is in doubt";
}

TEST_F(Http2PoolTest, ALimitThatIsLowerThanWeKnewRetiresNothing) {
    serve();
    int refused = 0;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (++refused <= 50) {
            peer.http2.reset(stream, NGHTTP2_REFUSED_STREAM);
        } else {
            peer.http2.respond(stream, "200");
        }
    };
    policy.max_connections = 1;
    open();
    client.add_many(60, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 60; }));
    EXPECT_EQ(client.answered, 10U);
    EXPECT_EQ(server->peers().size(), 1U);
}

TEST_F(Http2PoolTest, InternalErrorResetsBetweenAnswersRetireNothing) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream % 6 == 1) {
            peer.http2.respond(stream, "200");
        } else {
            peer.http2.reset(stream, NGHTTP2_INTERNAL_ERROR);
        }
    };
    // One after another, so that two resets lie between two answers and never three.
    policy.stream_cap = 1;
    policy.max_connections = 1;
    open();
    client.add_many(30, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 30; }));
    EXPECT_EQ(client.answered, 10U);
    EXPECT_EQ(client.count(failure::unknown), 20U);
    EXPECT_EQ(server->peers().size(), 1U);
}

TEST_F(Http2PoolTest, GarbageAfterTheHandshakeEndsTheConnection) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        if (stream == 5) {
            peer.http2.send_raw("HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    };
    open();
    client.add_many(3, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 3; }));
    EXPECT_EQ(client.count(failure::unknown), 3U);
    EXPECT_EQ(client.outcomes[0].detail, http2_errc::protocol_violation);
}

}  // namespace
}  // namespace tocsin::http2
