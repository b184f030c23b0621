#include "providers/http2/pool.hpp"

#include "tests/providers/http2/pool_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST_F(Http2PoolTest, OpensNothingUntilWoken) {
    serve();
    open();
    run_for(30ms);
    EXPECT_EQ(pool_->statistics().connecting + pool_->statistics().ready, 0U);
    EXPECT_TRUE(server->peers().empty());
}

TEST_F(Http2PoolTest, OneRequestIsAnswered) {
    serve();
    server->on_request = [](auto& peer, std::int32_t stream, const auto& request) {
        EXPECT_EQ(request.body, "{\"aps\":{}}");
        peer.http2.respond(stream, "410", R"({"reason":"Unregistered"})", {{"apns-id", "abc"}});
    };
    open();
    client.add("{\"aps\":{}}");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    const auto& outcome = client.outcomes.at(0);
    EXPECT_EQ(outcome.status, 410);
    EXPECT_EQ(outcome.body, R"({"reason":"Unregistered"})");
    EXPECT_EQ(outcome.provider_id, "abc");
    EXPECT_NE(outcome.connection, 0U);
    EXPECT_TRUE(outcome.written);
    EXPECT_EQ(pool_->statistics().ready, 1U);
    EXPECT_EQ(pool_->statistics().last_dial_error, "");
}

TEST_F(Http2PoolTest, AnAnswerThatNamesAnotherTimeThanOursIsToldOnceByAllConnections) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}};
    serve(options);
    server->on_request = [](auto& peer, std::int32_t stream, const auto&) {
        peer.http2.respond(stream, "200", "", {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
    };
    policy.max_connections = 3;
    open();
    client.add_many(2'000, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 2'000; }));
    EXPECT_EQ(log.count("clock.differs"), 1);
}

TEST_F(Http2PoolTest, ManyRequestsOverSeveralConnectionsAreEachAnsweredOnce) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    serve(options);
    std::vector<std::pair<h2_tls_server::peer*, std::int32_t>> held;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        // Nobody is answered before three connections are open, so that the pool must grow.
        held.emplace_back(&peer, stream);
        if (server->peers().size() >= 3) {
            for (const auto& [from, id] : std::exchange(held, {})) {
                from->http2.respond(id, "200");
                from->flush();
            }
        }
    };
    policy.max_connections = 3;
    open();
    client.add_many(20'000, std::string(180, 'x'));
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 20'000; }));
    expect_each_settled_once(20'000);
    EXPECT_EQ(client.failed, 0U);
    EXPECT_EQ(server->peers().size(), 3U);
    EXPECT_EQ(client.given_to.size(), 3U);
    std::set<std::string> paths;
    for (const auto& peer : server->peers()) {
        EXPECT_LE(peer->http2.most_open(), 100U);
        EXPECT_TRUE(peer->http2.healthy());
        EXPECT_GT(peer->http2.requests().size(), 2000U) << "requests must spread over the connections";
        for (const auto& [stream, request] : peer->http2.requests()) {
            paths.insert(request.headers.at(":path"));
        }
    }
    EXPECT_EQ(paths.size(), 20'000U);
}

TEST_F(Http2PoolTest, SmallEventNeedsNoSecondConnection) {
    serve();
    open();
    client.add_many(100, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 100; }));
    EXPECT_EQ(server->peers().size(), 1U);
}

TEST_F(Http2PoolTest, ForAKnownAlertConnectionsAreOpenedTogether) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    serve(options);
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    policy.max_connections = 8;
    policy.stream_cap = 100;
    open();
    client.tells_backlog = true;
    client.is_urgent = true;
    client.add_many(5'000, "alert");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().connecting != 0; }));
    EXPECT_EQ(pool_->statistics().connecting, 8U) << "at once, and not when the first ones are full";
    EXPECT_TRUE(run_until([&] { return pool_->statistics().in_flight == 800; }));
}

TEST_F(Http2PoolTest, WhatIsComingIsDialledForBeforeItCanBeTaken) {
    serve();
    open();
    recorded_client coming;
    pool_->attach(coming);
    coming.tells_backlog = true;
    coming.add("alert");
    pool_->prepare();
    EXPECT_TRUE(run_until([&] { return pool_->statistics().ready == 1; }));
    EXPECT_EQ(coming.open_requests(), 0U);
    pool_->wake(coming);
    EXPECT_TRUE(run_until([&] { return coming.answered == 1; }));
    pool_->detach(coming);
}

TEST_F(Http2PoolTest, AKnownVillageOpensOneConnection) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    serve(options);
    policy.max_connections = 8;
    policy.stream_cap = 100;
    open();
    alert_a_village();
    EXPECT_EQ(server->peers().size(), 1U);
}

/// When a peer that begins with one stream allows more.
enum class raise : std::uint8_t { before_the_answer, after_the_answer, a_moment_later };

class Http2PoolRaiseTest : public Http2PoolTest, public ::testing::WithParamInterface<raise> {};

TEST_P(Http2PoolRaiseTest, AKnownVillageOpensOneConnectionWheneverTheLimitIsRaised) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}};
    serve(options);
    boost::asio::steady_timer later(loop);
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        const auto allow_more = [&peer] {
            peer.http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1'000);
            peer.flush();
        };
        if (stream == 1 && GetParam() == raise::before_the_answer) {
            allow_more();
        }
        peer.http2.respond(stream, "200");
        peer.flush();
        if (stream == 1 && GetParam() == raise::after_the_answer) {
            allow_more();
        } else if (stream == 1 && GetParam() == raise::a_moment_later) {
            later.expires_after(30ms);
            later.async_wait([allow_more](const error_code&) { allow_more(); });
        }
    };
    policy.probe_first = true;
    open();
    alert_a_village();
    EXPECT_EQ(server->peers().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Moments, Http2PoolRaiseTest,
    ::testing::Values(raise::before_the_answer, raise::after_the_answer, raise::a_moment_later),
    [](const auto& test) {
        return test.param == raise::before_the_answer  ? "BeforeTheAnswer"
               : test.param == raise::after_the_answer ? "AfterTheAnswer"
                                                       : "AMomentLater";
    });

TEST_F(Http2PoolTest, AHostThatRefusesIsNotStormedHoweverMuchIsKnown) {
    policy.max_connections = 8;
    policy.stream_cap = 100;
    open();  // Nobody listens there.
    client.tells_backlog = true;
    client.is_urgent = true;
    client.add_many(5'000, "alert");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().dials_failed == 8; }));
    run_for(300ms);
    EXPECT_LE(pool_->statistics().dials_failed + pool_->statistics().connecting, 10U);
}

TEST_F(Http2PoolTest, LoweredLimitIsHonouredAndRefusalsComeBack) {
    serve();
    bool lowered = false;
    std::size_t most_since = 0;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        const std::size_t seen = peer.http2.requests().size();
        if (seen == 200 && !lowered) {
            // What APNs does after a rejection: one stream, and REFUSED_STREAM for those in flight.
            lowered = true;
            peer.http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
            for (std::int32_t id = 1; id <= stream; id += 2) {
                peer.http2.refuse(id);
            }
        } else if (lowered) {
            most_since = std::max(most_since, seen);
            peer.http2.respond(stream, "200");
            if (seen == 260) {
                peer.http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 500);
            }
        }
    };
    policy.max_connections = 1;
    open();
    client.send_again = true;
    client.on_requeue = [this] { go(); };
    client.add_many(200, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 200; }));
    EXPECT_EQ(client.count(failure::not_processed), 200U);
    EXPECT_EQ(server->peers().size(), 1U);
    EXPECT_TRUE(server->peers().front()->http2.healthy());
}

TEST_F(Http2PoolTest, ClientsTakeTurns) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}};
    serve(options);
    policy.max_connections = 1;
    open();
    recorded_client second;
    pool_->attach(second);
    client.add_many(500, "x");
    second.add_many(500, "y");
    pool_->wake(client);
    pool_->wake(second);
    ASSERT_TRUE(run_until([&] { return client.answered + second.answered >= 400; }));
    EXPECT_GT(client.answered, 150U);
    EXPECT_GT(second.answered, 150U);
    pool_->detach(second);
}

TEST_F(Http2PoolTest, UrgentClientOvertakes) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10}};
    serve(options);
    policy.max_connections = 1;
    open();
    recorded_client alert;
    pool_->attach(alert);
    client.add_many(5000, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered >= 50; }));
    const std::size_t before = client.answered;
    alert.is_urgent = true;
    alert.add_many(50, "alert");
    pool_->wake(alert);
    ASSERT_TRUE(run_until([&] { return alert.answered == 50; }));
    EXPECT_LT(client.answered - before, 100U);
    pool_->detach(alert);
}

TEST_F(Http2PoolTest, WhoMakesFewRequestsAtATimeDoesNotWaitForATurnWithEach) {
    serve();
    constexpr std::size_t many = 100;
    std::size_t taken = 0;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        if (++taken == many) {
            peer.http2.respond(stream, "200");  // With so many open, its answer begins the gathering.
        }
    };
    rhythm.shortest = rhythm.longest = 1h;
    policy.silence_before_ping = policy.request_timeout = 1h;  // Each of which would end the gathering.
    policy.max_connections = 1;
    open();
    client.add_many(many, "x");
    go();
    ASSERT_TRUE(run_until([&] { return client.answered == 1; }));
    client.add_many(1, "x");
    go();
    run_for(50ms);
    ASSERT_EQ(taken, many) << "the next turn is in an hour";
    client.is_slow = true;
    go();
    EXPECT_TRUE(run_until([&] { return taken == many + 1; }));
}

TEST_F(Http2PoolTest, AnAlertFindsAStreamThoughNobodyIsAnswered) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    serve(options);
    std::size_t alerts = 0;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto& request) {
        if (request.body == "alert") {
            ++alerts;
            peer.http2.respond(stream, "200");
        }
    };
    policy.max_connections = 1;
    open();
    recorded_client alert;
    pool_->attach(alert);
    client.add_many(500, "x");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().saturated == 1; }));
    EXPECT_EQ(pool_->statistics().in_flight, 99U);
    alert.is_urgent = true;
    alert.add_many(20, "alert");
    pool_->wake(alert);
    EXPECT_TRUE(run_until([&] { return alert.answered == 20; }));
    EXPECT_EQ(alerts, 20U);
    EXPECT_EQ(pool_->statistics().in_flight, 99U);
    pool_->detach(alert);
}

TEST_F(Http2PoolTest, AClientThatNobodyAnswersLeavesStreamsToTheOthers) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 40}};
    serve(options);
    server->on_request = [&](auto& peer, std::int32_t stream, const auto& request) {
        if (request.body == "other") {
            peer.http2.respond(stream, "200");
        }
    };
    policy.max_connections = 4;
    policy.stream_cap = 40;
    open();
    recorded_client other;
    pool_->attach(other);
    client.add_many(1'000, "unanswered");
    go();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().in_flight == 120; }));
    other.add_many(2'000, "other");
    pool_->wake(other);
    EXPECT_TRUE(run_until([&] { return other.answered == 2'000; }));
    EXPECT_EQ(client.open_requests(), 120U);
    EXPECT_EQ(client.answered, 0U);
    pool_->detach(other);
}

TEST_F(Http2PoolTest, DetachedClientHearsNothingMore) {
    serve();
    std::int32_t asked = 0;
    server->on_request = [&](auto&, std::int32_t stream, const auto&) { asked = stream; };
    open();
    auto gone = std::make_unique<recorded_client>();
    pool_->attach(*gone);
    gone->add("x");
    pool_->wake(*gone);
    ASSERT_TRUE(run_until([&] { return asked == 1; }));
    pool_->detach(*gone);
    gone.reset();
    server->peers().front()->http2.respond(1, "200");
    server->peers().front()->flush();
    ASSERT_TRUE(run_until([&] { return pool_->statistics().in_flight == 0; }));
}

TEST_F(Http2PoolTest, CloseClassifiesEverythingOnceAndIsIdempotent) {
    serve();
    server->on_request = [](auto&, std::int32_t, const auto&) {};
    open();
    client.add_many(30, "x");
    go();
    ASSERT_TRUE(run_until([&] { return server->requests() == 30; }));
    pool_->close();
    pool_->close();
    EXPECT_EQ(client.count(failure::unknown), 30U);
    EXPECT_EQ(client.outcomes[0].detail, http2_errc::closed_here);
    expect_each_settled_once(30);
    EXPECT_EQ(pool_->statistics().ready, 0U);
    client.add("late");
    go();
    run_for(20ms);
    EXPECT_EQ(client.settled(), 30U);
    EXPECT_EQ(server->peers().size(), 1U);
}

TEST_F(Http2PoolTest, CloseFromInsideAnAnswerIsSafe) {
    struct closing_client final : recorded_client {
        connection_advice on_response(const response& answer) noexcept override {
            owner->close();
            return recorded_client::on_response(answer);
        }
        pool* owner = nullptr;
    };
    serve();
    open();
    closing_client closing;
    closing.owner = pool_.get();
    pool_->attach(closing);
    closing.add_many(10, "x");
    pool_->wake(closing);
    ASSERT_TRUE(run_until([&] { return closing.settled() == 10; }));
    EXPECT_EQ(pool_->statistics().ready, 0U);
    pool_->detach(closing);
}

TEST_F(Http2PoolTest, RandomCutsLoseAndRepeatNothing) {
    h2_tls_server::options options;
    options.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 50}};
    serve(options);
    std::size_t seen = 0;
    server->on_request = [&](auto& peer, std::int32_t stream, const auto&) {
        peer.http2.respond(stream, "200");
        if (++seen % 700 == 0) {
            boost::asio::post(loop, [&peer] { peer.cut(); });
        } else if (seen % 500 == 0) {
            peer.http2.go_away(stream);
        }
    };
    policy.max_connections = 2;
    open();
    client.add_many(5000, std::string(200, 'x'));
    go();
    ASSERT_TRUE(run_until([&] { return client.settled() == 5000; }));
    expect_each_settled_once(5000);
    EXPECT_GT(client.answered, 4000U);
    for (const auto& peer : server->peers()) {
        EXPECT_TRUE(peer->http2.healthy());
    }
}

TEST_F(Http2PoolTest, AConnectionThatTakesNoHeaderAsLargeAsOursIsReplacedByOneThatDoes) {
    h2_tls_server::options narrow;
    narrow.http2.settings = {{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 200}};
    for (const bool probe_first : {false, true}) {
        policy.probe_first = probe_first;
        client.outcomes.clear();
        client.answered = 0;
        serve(narrow);
        open();
        client.add_many(50, "{}");
        go();
        ASSERT_TRUE(run_until([&] { return server->peers().size() == 1; }));
        server->speak({});
        ASSERT_TRUE(run_until([&] { return client.outcomes.size() == 50; }));
        EXPECT_EQ(client.answered, 49U) << "all but the one that found it out";
        EXPECT_EQ(server->peers().size(), 2U);
        EXPECT_EQ(server->open(), 1U);
        pool_->detach(client);
    }
}

TEST_F(Http2PoolTest, AHeaderThatNoConnectionTakesIsHandedBackAndCostsThreeDials) {
    h2_tls_server::options narrow;
    narrow.http2.settings = {{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 200}};
    serve(narrow);
    open();
    client.add_many(50, "{}");
    go();
    ASSERT_TRUE(run_until([&] { return client.outcomes.size() == 50; }));
    EXPECT_EQ(client.count(failure::not_processed), 50U);
    EXPECT_EQ(client.outcomes[49].detail, http2_errc::header_too_large);
    EXPECT_EQ(server->peers().size(), 3U);
}

}  // namespace
}  // namespace tocsin::http2
