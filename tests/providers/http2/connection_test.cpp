#include "providers/http2/connection.hpp"

#include "tests/support/h2_tls_server.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/recorded_client.hpp"
#include "tests/support/recorded_log.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <fmt/chrono.h>

// One connection and its owner, without a pool: over TLS on loopback, with the manual clock.

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;
using testing::h2_tls_server;
using testing::recorded_client;

class ConnectionTest : public ::testing::Test, private connection_owner {
protected:
    ~ConnectionTest() override {
        if (subject) {
            subject->close();
        }
        loop.restart();
        loop.poll();  // The handlers of what was closed.
    }

    void connect(std::uint32_t streams = 100) {
        h2_tls_server::options given;
        given.http2.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}};
        server = std::make_unique<h2_tls_server>(loop, ca, given);
        // So that streams, and not what may be sent on all of them, are what limits.
        server->on_greeting = [](auto& peer) { peer.http2.give_window(0, 8 * 1024 * 1024); };
        server->on_request = [](auto&, std::int32_t, const auto&) {};
        net::tls_options options;
        options.ca_file = ca.file();
        options.alpn = "h2";
        context.emplace(connection_context{
            loop.get_executor(),
            {"127.0.0.1", server->port()},
            net::tls_context::create(options).value(),
            policy,
            time,
            log,
            std::make_shared<turns>(loop.get_executor(), time, rhythm),
            std::make_shared<dial_gate>(),
            std::make_shared<thread_buffers>()});
        connection_owner& owner = *this;
        subject = std::make_shared<connection>(*context, connection::next_id(), owner, 7);
        subject->start(nullptr, nullptr);
        ASSERT_TRUE(run_until(
            [&] { return subject->streams(time.now()) == streams || subject->on_trial(time.now()); }));
    }
    [[nodiscard]] bool run_until(const std::function<bool()>& done) {
        return testing::loop_until(loop, done);
    }
    std::size_t submit(const std::string& body = "x") {
        const std::size_t index = client.add(body);
        subject->submit(client, client.make(index), time.now());
        return index;
    }
    [[nodiscard]] h2_tls_server::peer& peer() const { return *server->peers().front(); }
    /// The answer to the request with that stream, and all that follows from it.
    void answer(
        std::int32_t stream, const char* status = "200", const testing::h2_test_server::fields& more = {}) {
        ASSERT_TRUE(run_until([&] { return peer().http2.requests().contains(stream); }));
        const std::size_t before = client.answered;
        peer().http2.respond(stream, status, "", more);
        peer().flush();
        ASSERT_TRUE(run_until([&] { return client.answered > before; }));
    }
    /// Another limit, and the peer has heard that it is known here.
    void limit(std::uint32_t streams) {
        peer().http2.set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams);
        peer().flush();
        ASSERT_TRUE(run_until([&] { return peer().http2.settings_acknowledged(); }));
    }
    void exchange(connection_advice advice) {
        client.advice = advice;
        submit();
        subject->flush(time.now());
        answer(static_cast<std::int32_t>(2 * client.outcomes.size() + 1));
    }

    boost::asio::io_context loop{1};
    testing::throw_away_ca ca;
    std::unique_ptr<h2_tls_server> server;
    testing::manual_time time;
    testing::recorded_log log;
    pool_policy policy;
    turn_policy rhythm;
    std::optional<connection_context> context;
    std::shared_ptr<connection> subject;
    recorded_client client;
    int proofs = 0;
    int sent_away = 0;
    std::optional<connection_end> ended;

private:
    void on_ready(connection&) noexcept override {}
    void on_room(connection&) noexcept override {}
    void on_proof(connection&) noexcept override { ++proofs; }
    void on_sent_away(connection&) noexcept override { ++sent_away; }
    void on_peer_word(const peer_word&) noexcept override {}
    bool on_too_narrow(connection&) noexcept override { return false; }
    void on_ticket(ticket_handle) noexcept override {}
    void on_ended(connection&, const connection_end& end) noexcept override { ended = end; }
};

struct room_case {
    std::uint32_t streams;
    std::size_t for_most;
};

class ConnectionRoomTest : public ConnectionTest, public ::testing::WithParamInterface<room_case> {};

TEST_P(ConnectionRoomTest, KeepsOneStreamInAHundredForWhatIsUrgent) {
    connect(GetParam().streams);
    EXPECT_EQ(subject->room(client), GetParam().for_most);
    client.is_urgent = true;
    EXPECT_EQ(subject->room(client), GetParam().streams);
}

INSTANTIATE_TEST_SUITE_P(
    Streams, ConnectionRoomTest,
    ::testing::Values(
        room_case{1, 1}, room_case{19, 19}, room_case{20, 19}, room_case{100, 99}, room_case{199, 198},
        room_case{200, 198}, room_case{1000, 990}),
    [](const auto& test) { return std::to_string(test.param.streams); });

TEST_F(ConnectionTest, IsSaturatedWhenOnlyTheStreamsForWhatIsUrgentAreLeft) {
    connect(20);
    for (int i = 0; i < 18; ++i) {
        submit();
    }
    EXPECT_EQ(subject->room(client), 1U);
    EXPECT_FALSE(subject->saturated());
    submit();
    EXPECT_EQ(subject->room(client), 0U);
    EXPECT_TRUE(subject->saturated());
    client.is_urgent = true;
    EXPECT_EQ(subject->room(client), 1U);
    EXPECT_EQ(subject->streams(time.now()), 20U);
}

TEST_F(ConnectionTest, OnTrialCarriesOneRequestAtATimeUntilOneIsTaken) {
    policy.probe_first = true;
    connect();
    EXPECT_EQ(subject->room(client), 1U);
    EXPECT_EQ(subject->streams(time.now()), 0U);
    submit();
    EXPECT_EQ(subject->room(client), 0U);
    EXPECT_TRUE(subject->saturated());
    subject->flush(time.now());
    client.advice = connection_advice::doubt;
    answer(1, "500");
    EXPECT_TRUE(subject->on_trial(time.now()));
    EXPECT_EQ(subject->room(client), 1U);
    EXPECT_FALSE(subject->proven());
    exchange(connection_advice::keep);
    EXPECT_FALSE(subject->on_trial(time.now()));
    EXPECT_EQ(subject->room(client), 99U);
    exchange(connection_advice::keep);
    EXPECT_EQ(proofs, 1) << "its owner is told once";
}

TEST_F(ConnectionTest, OneStreamAfterTheTrialSaysNothingUntilThePeerHasHadAMomentToRaiseItsLimit) {
    policy.probe_first = true;
    connect(1);
    exchange(connection_advice::keep);
    EXPECT_TRUE(subject->on_trial(time.now())) << "the limit comes after the answer";
    EXPECT_EQ(subject->streams(time.now()), 0U);
    EXPECT_EQ(subject->room(client), 1U);
    limit(1'000);
    EXPECT_FALSE(subject->on_trial(time.now()));
    EXPECT_EQ(subject->streams(time.now()), 1'000U);
}

TEST_F(ConnectionTest, APeerThatLeavesItAtOneStreamIsBelieved) {
    policy.probe_first = true;
    connect(1);
    exchange(connection_advice::keep);
    time.advance(199ms);
    EXPECT_TRUE(subject->on_trial(time.now()));
    time.advance(1ms);
    EXPECT_FALSE(subject->on_trial(time.now()));
    EXPECT_EQ(subject->streams(time.now()), 1U);
}

// As APNs does after a rejection, until it accepts a push again.
TEST_F(ConnectionTest, ALimitThatDropsToOneForAMomentIsNotWhatTheConnectionCarries) {
    policy.probe_first = true;
    connect(1'000);
    exchange(connection_advice::keep);
    time.advance(1min);
    for (int i = 0; i < 3; ++i) {
        submit();
    }
    subject->flush(time.now());
    limit(1);
    EXPECT_TRUE(subject->on_trial(time.now()));
    EXPECT_EQ(subject->streams(time.now()), 0U);
    EXPECT_EQ(subject->room(client), 0U);
    limit(1'000);
    EXPECT_EQ(subject->streams(time.now()), 1'000U);
    limit(1);
    time.advance(200ms);
    EXPECT_FALSE(subject->on_trial(time.now()));
}

TEST_F(ConnectionTest, APeerThatIsNotTriedIsBelievedAtOnce) {
    connect(1);
    EXPECT_EQ(subject->streams(time.now()), 1U);
    limit(50);
    EXPECT_EQ(subject->streams(time.now()), 50U);
    limit(1);
    EXPECT_EQ(subject->streams(time.now()), 1U);
}

TEST_F(ConnectionTest, TakesNoMoreThanOneWriteHolds) {
    connect();
    const std::string large(16 * 1024, 'x');
    for (int i = 0; i < 3; ++i) {
        submit(large);
    }
    EXPECT_GT(subject->room(client), 0U);
    submit(large);
    EXPECT_EQ(subject->room(client), 0U);
    client.is_urgent = true;
    EXPECT_EQ(subject->room(client), 0U);
    client.is_urgent = false;
    subject->flush(time.now());
    EXPECT_EQ(subject->room(client), 0U) << "as much again would wait in the socket";
    EXPECT_TRUE(run_until([&] { return subject->room(client) > 0; }));
}

TEST_F(ConnectionTest, WhileItGathersOnlyTheUrgentAndThoseWhoPaceThemselvesHaveRoom) {
    rhythm.gather_above = 0;
    connect();
    submit();
    submit();
    subject->flush(time.now());
    ASSERT_TRUE(run_until([&] { return peer().http2.requests().contains(1); }));
    peer().http2.respond(1, "200");
    peer().flush();
    ASSERT_TRUE(run_until([&] { return subject->gathers(); }));
    const std::size_t free = 100 - subject->in_flight();
    EXPECT_EQ(subject->room(client), 0U);
    client.is_slow = true;
    EXPECT_EQ(subject->room(client), free - 1);
    client.is_slow = false;
    client.is_urgent = true;
    EXPECT_EQ(subject->room(client), free);
}

TEST_F(ConnectionTest, AfterASilenceItHasNoRoomBeforeItAnswersAProbe) {
    connect();
    time.advance(policy.silence_before_probe - 1ms);
    EXPECT_FALSE(subject->doubtful(time.now()));
    EXPECT_EQ(subject->room(client), 99U);
    time.advance(1ms);
    EXPECT_TRUE(subject->doubtful(time.now()));
    EXPECT_EQ(subject->room(client), 0U);
    subject->probe(time.now());
    EXPECT_TRUE(subject->probing());
    ASSERT_TRUE(run_until([&] { return !subject->probing(); }));
    EXPECT_EQ(subject->room(client), 99U);
}

TEST_F(ConnectionTest, OneThatLeavesItsProbeUnansweredIsForgottenAtItsTimeout) {
    connect();
    peer().muted = true;
    time.advance(policy.silence_before_probe);
    subject->probe(time.now());
    time.advance(policy.probe_timeout - 1ms);
    EXPECT_FALSE(ended.has_value());
    time.advance(1ms);
    ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    EXPECT_TRUE(ended->was_ready);
    EXPECT_TRUE(ended->forgotten);
}

TEST_F(ConnectionTest, ARequestThatFitsNoFrameIsHandedBackAndHarmsNoOther) {
    connect();
    const std::size_t fits = submit();
    client.token = std::string(20 * 1024, 'x');
    const std::size_t too_large = submit();
    ASSERT_EQ(client.failed, 1U);
    EXPECT_EQ(client.outcomes[too_large].why, failure::not_processed);
    EXPECT_EQ(client.outcomes[too_large].connection, subject->id());
    subject->flush(time.now());
    answer(1);
    EXPECT_EQ(client.outcomes[fits].status, 200);
}

TEST_F(ConnectionTest, ClosesOnTheAdviceOfAnAnswerAndIsSentAwayIfItHasProvenNothing) {
    connect();
    exchange(connection_advice::drain);
    ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    EXPECT_EQ(sent_away, 1);
    EXPECT_FALSE(ended->in_vain) << "its owner was told before";
}

TEST_F(ConnectionTest, OneThatWasSentAwayIsNotInVainASecondTimeWhenItIsLost) {
    connect();
    submit();
    client.advice = connection_advice::drain;
    submit();
    subject->flush(time.now());
    answer(1);
    EXPECT_EQ(sent_away, 1);
    EXPECT_FALSE(ended.has_value()) << "the other request is open";
    peer().cut();
    ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    EXPECT_FALSE(ended->in_vain);
}

TEST_F(ConnectionTest, OneThatHasProvenItselfIsNotSentAway) {
    connect();
    exchange(connection_advice::keep);
    exchange(connection_advice::drain);
    ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    EXPECT_EQ(sent_away, 0);
    EXPECT_FALSE(ended->in_vain);
}

enum class life : std::uint8_t { unused_short, unused_long, doubted, proven, ours };

struct end_case {
    const char* name;
    life before;
    bool in_vain;
};

class ConnectionEndTest : public ConnectionTest, public ::testing::WithParamInterface<end_case> {};

TEST_P(ConnectionEndTest, SaysWhetherItsPeerWorksWithUs) {
    connect();
    switch (GetParam().before) {
        case life::unused_short: time.advance(10s - 1ms); break;
        case life::unused_long: time.advance(10s); break;
        case life::doubted:
            exchange(connection_advice::doubt);
            time.advance(10s);
            break;
        case life::proven: exchange(connection_advice::keep); break;
        case life::ours: subject->close(); break;
    }
    if (!ended) {
        peer().cut();
        ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    }
    EXPECT_TRUE(ended->was_ready);
    EXPECT_EQ(ended->in_vain, GetParam().in_vain);
    EXPECT_FALSE(ended->forgotten);
    EXPECT_FALSE(ended->calm);
}

INSTANTIATE_TEST_SUITE_P(
    Lives, ConnectionEndTest,
    ::testing::Values(
        end_case{"AShortOneWithoutARequest", life::unused_short, true},
        end_case{"ALongOneWithoutARequest", life::unused_long, false},
        end_case{"OneWithAnswersThatProveNothing", life::doubted, true},
        end_case{"OneThatHasProvenItself", life::proven, false},
        end_case{"OneThatWeClose", life::ours, false}),
    [](const auto& test) { return std::string(test.param.name); });

// The manual clock stands in November 2026.
constexpr const char* long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST_F(ConnectionTest, ThePeersClockIsLookedAtOnceAMinute) {
    connect();
    std::int32_t stream = -1;
    const auto answered_with = [&](const std::string& date) {
        submit();
        subject->flush(time.now());
        answer(stream += 2, "200", {{"date", date}});
        return log.count("clock.differs");
    };
    const auto ours = [&] {
        return fmt::format(
            "{:%a, %d %b %Y %T} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(time.wall_now())));
    };
    EXPECT_EQ(answered_with(long_ago), 1);
    time.advance(59s);
    EXPECT_EQ(answered_with(ours()), 1);
    time.advance(1s);
    EXPECT_EQ(answered_with(long_ago), 1) << "that they had agreed meanwhile was not looked at";
    time.advance(60s);
    EXPECT_EQ(answered_with(ours()), 1);
    time.advance(60s);
    EXPECT_EQ(answered_with(long_ago), 2) << "that they had agreed was seen";
}

TEST_F(ConnectionTest, APeerThatAsksForCalmIsHeard) {
    connect();
    peer().http2.go_away(0, NGHTTP2_ENHANCE_YOUR_CALM, "");
    peer().flush();
    ASSERT_TRUE(run_until([&] { return ended.has_value(); }));
    EXPECT_TRUE(ended->calm);
}

}  // namespace
}  // namespace tocsin::http2
