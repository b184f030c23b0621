#include "engine/redis_watch.hpp"

#include "tests/engine/delivery/removal_stage.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class RedisWatchTest : public ::testing::Test {
protected:
    RedisWatchTest() { clock.set_wall(system_time_source().wall_now()); }

    void sample() {
        testing::run_to_end(loop, [](redis_watch& who) -> boost::asio::awaitable<bool> {
            co_await who.sample();
            co_return true;
        }(watch));
    }
    double gauge(metric which, const std::string& stream) { return shard.gauge(which, {stream}).read(); }

    testing::redis_server server;
    testing::manual_time clock;
    boost::asio::io_context loop{1};
    testing::remembering_log told;
    const keyspace keys{"tocsin"};
    redis::client redis{loop.get_executor(), redis::parse_address(server.url()).value(), clock, told};
    metrics numbers;
    metrics_shard& shard = numbers.add_shard();
    health_flag flag{"not known yet"};
    redis_watch watch{redis, keys, "the address", clock, told, shard, flag};
};

TEST_F(RedisWatchTest, ARedisThatDoesWhatItIsAskedIsReady) {
    sample();
    EXPECT_EQ(flag.problem(), "");
}

TEST_F(RedisWatchTest, WhatItRefusesIsToldWithWhatToDoAndLoggedOnce) {
    server.cli({"SET", keys.events(), "x"});
    sample();
    EXPECT_TRUE(flag.problem().starts_with("Redis at the address says: WRONGTYPE")) << flag.problem();
    EXPECT_NE(flag.problem().find("Another program has written a key of ours"), std::string::npos);
    EXPECT_EQ(told.events["redis.refuses"], 1);
    sample();
    EXPECT_EQ(told.events["redis.refuses"], 1);
    server.cli({"DEL", keys.events()});
    clock.advance(5s);
    sample();
    EXPECT_NE(flag.problem(), "") << "it may say so again";
    clock.advance(1s);
    sample();
    EXPECT_EQ(flag.problem(), "");
    server.cli({"SET", keys.events(), "x"});
    sample();
    EXPECT_EQ(told.events["redis.refuses"], 2) << "it is news again";
}

TEST_F(RedisWatchTest, WhatAnotherConnectionIsRefusedCountsAsWell) {
    redis::client another(loop.get_executor(), redis::parse_address(server.url()).value(), clock, told);
    watch.also_watch(another);
    redis::request wrong;
    wrong.add("SET", "k", "x").add("LPUSH", "k", "x");
    ASSERT_TRUE(testing::run_to_end(loop, another.execute(std::move(wrong))).has_value());
    sample();
    EXPECT_NE(flag.problem().find("WRONGTYPE"), std::string::npos) << flag.problem();
    EXPECT_EQ(shard.counter(metric::redis_errors_total, {}).read(), 1U);
    sample();
    EXPECT_EQ(shard.counter(metric::redis_errors_total, {}).read(), 1U) << "each is counted once";
}

TEST_F(RedisWatchTest, TheWordsWithWhichRedisTurnsAnyConnectionAwayAreTold) {
    auto where = redis::parse_address(server.url()).value();
    where.password = "wrong";
    redis::client another(loop.get_executor(), where, clock, told);
    watch.also_watch(another);
    redis::request ask;
    ask.add("PING");
    ASSERT_TRUE(testing::run_to_end(loop, another.execute(std::move(ask))).has_error());
    sample();
    EXPECT_NE(flag.problem().find("AUTH"), std::string::npos) << flag.problem();
}

TEST_F(RedisWatchTest, AMasterThatIsDemotedBehindTheSameAddressIsNotReady) {
    redis::client writer(loop.get_executor(), redis::parse_address(server.url()).value(), clock, told);
    watch.also_watch(writer);
    server.cli({"REPLICAOF", "127.0.0.1", "1"});
    redis::request ask;
    ask.add("SET", "a", "1");
    ASSERT_TRUE(testing::run_to_end(loop, writer.execute(std::move(ask))).has_error());
    sample();
    EXPECT_NE(flag.problem().find("READONLY"), std::string::npos) << flag.problem();
    EXPECT_NE(flag.problem().find("This is a replica"), std::string::npos) << flag.problem();
}

TEST_F(RedisWatchTest, ALostConnectionIsToldAtTheThirdLook) {
    sample();
    ASSERT_EQ(flag.problem(), "");
    watch.look();
    server.kill();
    ASSERT_TRUE(testing::loop_until(loop, [&] { return !redis.connected(); }));
    watch.look();
    watch.look();
    EXPECT_EQ(flag.problem(), "") << "it mostly comes back by itself";
    watch.look();
    EXPECT_EQ(flag.problem(), "Redis at the address is not connected.");
}

TEST_F(RedisWatchTest, HowFarTheStreamsAreReadIsMeasured) {
    server.cli({"XGROUP", "CREATE", keys.registrations(), "tocsin", "0", "MKSTREAM"});
    for (int n = 0; n < 5; ++n) {
        server.cli({"XADD", keys.registrations(), "*", "registration", "{}"});
    }
    server.cli({"XREADGROUP", "GROUP", "tocsin", "one", "COUNT", "2", "STREAMS", keys.registrations(), ">"});
    sample();
    EXPECT_EQ(gauge(metric::pending, "registrations"), 2);
    EXPECT_EQ(gauge(metric::stream_lag, "registrations"), 3);
    EXPECT_EQ(gauge(metric::pending, "events"), 0);
}

TEST_F(RedisWatchTest, AClockThatDiffersByMoreThanThreeSecondsIsLoggedOnce) {
    sample();
    EXPECT_NEAR(shard.gauge(metric::clock_offset_seconds, {}).read(), 0, 3);
    EXPECT_EQ(told.events["clock.differs"], 0);
    for (const auto apart : {60s, -60s}) {
        clock.set_wall(system_time_source().wall_now() + apart);
        const int before = told.events["clock.differs"];
        sample();
        EXPECT_NEAR(
            shard.gauge(metric::clock_offset_seconds, {}).read(), static_cast<double>(apart.count()), 3);
        EXPECT_EQ(told.events["clock.differs"], before + 1);
        sample();
        EXPECT_EQ(told.events["clock.differs"], before + 1);
        clock.set_wall(system_time_source().wall_now());
        sample();
    }
}

TEST_F(RedisWatchTest, TheAgeOfTheLastCanaryIsCountedByTheClockOfRedis) {
    const auto now = system_time_source().wall_now().time_since_epoch().count();
    server.cli({"HSET", keys.canary(), "at", std::to_string(now - 90'000)});
    clock.set_wall(system_time_source().wall_now() + 1h);
    sample();
    EXPECT_NEAR(shard.gauge(metric::canary_age_seconds, {}).read(), 90, 5);
    server.cli({"HSET", keys.canary(), "at", std::to_string(now + 3'600'000)});
    sample();
    EXPECT_EQ(shard.gauge(metric::canary_age_seconds, {}).read(), 0) << "none is younger than that";
}

}  // namespace
}  // namespace tocsin
