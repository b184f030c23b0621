#include "tests/engine/redis/client_fixture.hpp"
#include "tests/engine/redis/scripted_peer.hpp"

#include <algorithm>

namespace tocsin::redis {
namespace {

using testing::redis_server;
using testing::redis_server_options;
using namespace std::chrono_literals;

class RedisClientFaults : public redis_client_test {
protected:
    static redis_server_options durable() {
        redis_server_options options;
        options.tcp = true;
        options.append_only = true;
        return options;
    }
    std::size_t count_event(std::string_view event) const {
        return static_cast<std::size_t>(std::count(log.events.begin(), log.events.end(), event));
    }
};

TEST_F(RedisClientFaults, AServerKilledInTheMiddleLosesTheRequestAndIsFoundAgain) {
    redis_server server(durable());
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("SET", "k", "kept")), "OK");
    const auto in_flight = start(*redis, command("BLPOP", "nothing", 0));
    const auto behind = start(*redis, command("PING"));
    run_until_blocked(server);
    server.kill();
    EXPECT_EQ(wait(in_flight).error(), redis_errc::connection_lost);
    EXPECT_EQ(wait(behind).error(), redis_errc::connection_lost);
    EXPECT_FALSE(redis->connected());

    const auto patient = start(*redis, command("GET", "k"));
    ASSERT_TRUE(run_until([&] { return redis->errors() >= 3; }));
    EXPECT_FALSE(patient->answer.has_value());
    server.restart();
    EXPECT_EQ(wait(patient).value().front().text(), "kept");
    EXPECT_TRUE(redis->connected());
}

TEST_F(RedisClientFaults, LossAndReturnAreLoggedOncePerChange) {
    redis_server server(durable());
    const auto redis = connect(server.url());
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    server.kill();
    ASSERT_TRUE(run_until([&] { return redis->errors() >= 3; }));
    server.restart();
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    const std::vector<std::string> story{
        "redis.connected", "redis.connection_lost", "redis.connect_failed", "redis.connected"};
    EXPECT_EQ(log.events, story);
}

TEST_F(RedisClientFaults, AScriptSurvivesARestartThatForgotIt) {
    redis_server server(durable());
    const auto redis = connect(server.url());
    const script one("one", "return redis.call('INCR', 'runs')");
    for (int run = 1; run <= 3; ++run) {
        request eval;
        eval.add_script(one, {}, {});
        EXPECT_EQ(ask(*redis, std::move(eval)).value().front().integer(), run);
        server.restart();
        ASSERT_TRUE(run_until([&] { return !redis->connected(); }));
    }
}

TEST_F(RedisClientFaults, WithoutAServerARequestFailsInItsTime) {
    client_options options;
    options.reply_timeout = 200ms;
    const auto redis = connect("unix:///no/such/redis.sock", options);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::unreachable);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
    EXPECT_GE(redis->errors(), 1U);
    EXPECT_EQ(count_event("redis.connect_failed"), 1U);
}

TEST_F(RedisClientFaults, SilenceTimesOutTheOldestAndGivesUpTheConnection) {
    const redis_server server(durable());
    client_options options;
    options.reply_timeout = 300ms;
    options.connect_timeout = 300ms;
    const auto redis = connect(server.url(), options);
    EXPECT_EQ(text(*redis, command("PING")), "PONG");
    server.pause();
    const auto oldest = start(*redis, command("INCR", "n"));
    const auto behind = start(*redis, command("INCR", "n"));
    EXPECT_EQ(wait(oldest).error(), redis_errc::timed_out);
    EXPECT_EQ(wait(behind).error(), redis_errc::connection_lost);
    EXPECT_FALSE(redis->connected());
    server.resume();
    ASSERT_TRUE(run_until([&] { return redis->connected(); }));
    EXPECT_EQ(text(*redis, command("ECHO", "aligned")), "aligned");
}

TEST_F(RedisClientFaults, APeerThatIsNotRedisIsTold) {
    scripted_peer peer(loop, {{welcome, "HTTP/1.1 400 Bad Request\r\n\r\n"}});
    const auto redis = connect(peer.url());
    const auto head = start(*redis, command("PING"));
    EXPECT_EQ(wait(head).error(), redis_errc::protocol);
    EXPECT_EQ(count_event("redis.connection_lost"), 1U);
}

TEST_F(RedisClientFaults, AReplyNobodyAskedForEndsTheConnection) {
    scripted_peer peer(loop, {{welcome, "+one\r\n+two\r\n"}, {welcome, "+three\r\n"}});
    const auto redis = connect(peer.url());
    EXPECT_EQ(text(*redis, command("A")), "one");
    EXPECT_EQ(text(*redis, command("B")), "three");
    EXPECT_EQ(peer.connections(), 2U);
}

TEST_F(RedisClientFaults, AHalfReplyIsNotCarriedIntoTheNextConnection) {
    scripted_peer peer(loop, {{welcome, "*2\r\n$5\r\nhal", ""}, {welcome, "*1\r\n$3\r\nnew\r\n"}});
    const auto redis = connect(peer.url());
    EXPECT_EQ(ask(*redis, command("A")).error(), redis_errc::connection_lost);
    const auto got = ask(*redis, command("B")).value();
    ASSERT_EQ(got.front().size(), 1U);
    EXPECT_EQ(got.front()[0].text(), "new");
}

TEST_F(RedisClientFaults, WaitsForAServerThatStillLoadsItsData) {
    const std::string loading = "+OK\r\n-LOADING Redis is loading the dataset in memory\r\n";
    scripted_peer peer(loop, {{loading}, {loading}, {welcome, "+ready\r\n"}});
    const auto redis = connect(peer.url());
    EXPECT_EQ(text(*redis, command("GET", "k")), "ready");
    EXPECT_EQ(peer.connections(), 3U);
    EXPECT_EQ(redis->errors(), 2U);
    EXPECT_EQ(count_event("redis.connect_failed"), 1U);
}

TEST_F(RedisClientFaults, AServerThatTurnsUsAwayAndHangsUpIsHeard) {
    redis_server_options options = durable();
    options.extra = {"--maxclients", "1"};
    const redis_server server(options);
    const auto lucky = connect(server.url());
    EXPECT_EQ(text(*lucky, command("PING")), "PONG");
    const auto late = connect(server.url());
    const auto waits = start(*late, command("PING"));
    ASSERT_TRUE(run_until([&] { return late->errors() >= 1; }));
    EXPECT_NE(log.details.find("max number of clients"), std::string::npos) << log.details;
    ASSERT_TRUE(late->last_error().has_value());
    EXPECT_NE(late->last_error()->text.find("max number of clients"), std::string::npos);
    EXPECT_FALSE(waits->answer.has_value());
    lucky->close();
    EXPECT_EQ(wait(waits).value().front().text(), "PONG");
}

TEST_F(RedisClientFaults, APeerThatAcceptsAndSaysNothingTimesOutTheAttempt) {
    scripted_peer peer(loop, {{}, {welcome, "+there\r\n"}});
    client_options options;
    options.connect_timeout = 150ms;
    const auto redis = connect(peer.url(), options);
    EXPECT_EQ(text(*redis, command("A")), "there");
    EXPECT_EQ(redis->errors(), 1U);
}

TEST_F(RedisClientFaults, ClosingWhileAwayEndsTheLoop) {
    const auto redis = connect("unix:///no/such/redis.sock");
    const auto waits = start(*redis, command("PING"));
    ASSERT_TRUE(run_until([&] { return redis->errors() >= 2; }));
    redis->close();
    EXPECT_EQ(wait(waits).error(), redis_errc::closed);
    loop.restart();
    loop.run_for(10s);
    EXPECT_TRUE(loop.stopped());
}

}  // namespace
}  // namespace tocsin::redis
