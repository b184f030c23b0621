#include "tests/faults/fault_fixture.hpp"
#include "tests/support/redis_failover.hpp"

#include <chrono>
#include <string>
#include <vector>

// Redis ends without warning and comes back with what it had acknowledged.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::crowd;
using testing::eventually;
using testing::number;

testing::redis_server_options durable() {
    testing::redis_server_options out;
    out.append_only = true;  // With appendfsync always: what was answered is on disk.
    return out;
}

class RedisDeathTest : public testing::fault_fixture {
protected:
    RedisDeathTest() : fault_fixture(durable()) {
        options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::uniform, 5, 30};
        options.initial.of(sim::provider::apns).delay = {sim::latency::shape::uniform, 5, 30};
    }
};

TEST_F(RedisDeathTest, TwoKillsOfADurableRedisLoseNobodyAndRepeatNothing) {
    crowd all;
    all.count = 40'000;
    register_crowds({all});
    lease = std::chrono::seconds(30);  // Longer than Redis is away: nobody is to be taken for dead.
    auto& only = launch("one");
    const std::string event = publish_to(all);
    for (const std::size_t percent : {25U, 60U}) {
        wait_for_requests(all.count * percent / 100);
        redis.kill();
        redis.restart();
    }
    expect_everybody_accepted(wait_for_result(event), all);
    EXPECT_EQ(look_at(all).repeats, 0U);
    EXPECT_EQ(stop(only), 0);
}

TEST_F(RedisDeathTest, AStopEndsWithinItsTimeoutWhileRedisHangsOrIsGoneAndLosesNobody) {
    shutdown_timeout = std::chrono::seconds(3);
    crowd all;
    all.count = 4'000;
    for (const bool hangs : {true, false}) {
        all.first += all.count;
        all.commune = hangs ? "21231" : "21054";
        register_crowds({all});
        auto& only = launch(hangs ? "one" : "two");
        const std::uint64_t before = all_requests();
        const std::string event = publish_to(all);
        wait_for_requests(before + all.count / 4);
        hangs ? redis.pause() : redis.kill();
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_EQ(stop(only), 0);
        EXPECT_LT(std::chrono::steady_clock::now() - begun, shutdown_timeout + std::chrono::seconds(1));
        hangs ? redis.resume() : redis.restart();
        auto& next = launch(hangs ? "three" : "four");
        testing::expect_sums_agree(wait_for_result(event));
        EXPECT_EQ(look_at(all).missing, 0U);
        EXPECT_EQ(stop(next), 0);
    }
}

TEST_F(RedisDeathTest, AnEventThatRedisForgetsUnderWayIsToldOnceByItsIdAndTheNextOneIsSent) {
    crowd all;
    all.count = 20'000;
    register_crowds({all});
    auto& one = launch("one");
    auto& two = launch("two");
    const std::string event = publish_to(all);
    wait_for_requests(all.count / 4);
    redis.cli({"FLUSHALL"});
    wait_for_length("dead-letters", 1);
    const std::string letter = entries("dead-letters").front();
    EXPECT_NE(letter.find("event_vanished"), std::string::npos) << letter;
    EXPECT_NE(letter.find(event), std::string::npos) << letter;

    crowd others;
    others.first = all.count;
    others.count = 500;
    others.commune = "21054";
    register_crowds({others});
    expect_everybody_accepted(wait_for_result(publish_to(others)), others);
    EXPECT_EQ(stop(one), 0);
    EXPECT_EQ(stop(two), 0);
    EXPECT_EQ(entries("dead-letters").size(), 1U);
}

TEST_F(RedisDeathTest, AnEventPublishedWhileNoEngineRunsOutlivesRedis) {
    crowd all;
    all.count = 2'000;
    register_crowds({all});
    const std::string event = publish_to(all);
    redis.kill();
    redis.restart();
    launch("one");
    const json::object result = wait_for_result(event);
    expect_everybody_accepted(result, all);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
}

TEST_F(RedisDeathTest, ARedisThatIsAwayForLongerThanALeaseLosesNobodyAndRepeatsAreCounted) {
    crowd all;
    all.count = 30'000;
    register_crowds({all});
    launch("one");
    launch("other");
    const std::string event = publish_to(all);
    wait_for_requests(all.count / 3);
    // Stopped, not ended: connections stay open, and both engines fall silent at once.
    redis.pause();
    const auto back = std::chrono::steady_clock::now() + lease + std::chrono::seconds(1);
    ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() >= back; }, lease * 10));
    redis.resume();
    expect_everybody_accepted(wait_for_result(event), all);
}

/// A master that a Sentinel watches, with a replica: what the master had acknowledged a moment before its
/// end may be unknown to the replica.
class FailoverTest : public testing::fault_fixture {
protected:
    FailoverTest() : servers(redis) {
        options.redis_url = servers.url();
        options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::uniform, 5, 30};
        options.initial.of(sim::provider::apns).delay = {sim::latency::shape::uniform, 5, 30};
        lease = std::chrono::seconds(30);  // Longer than the failover.
        // What is promised holds as long as a replica keeps up, which on a busy machine takes it longer.
        replica_wait = std::chrono::seconds(1);
    }
    std::string ask_redis(const std::vector<std::string>& command) override {
        return servers.master().cli(command);
    }

    testing::redis_failover servers;
};

TEST_F(FailoverTest, AFailoverInMidEventLosesNobodyAndCountsWhatItRepeats) {
    crowd all;
    all.count = 30'000;
    register_crowds({all});
    servers.wait_until_replicated();
    launch("one");
    const std::string event = publish_to(all);
    servers.wait_until_replicated();
    wait_for_requests(all.count / 3);
    servers.kill_master();
    // Replication is asynchronous: pages whose end was lost are sent again. But the replica knew of all that
    // were open.
    expect_everybody_accepted(wait_for_result(event), all);
}

TEST_F(FailoverTest, WhatTheReplicaNeverHeardOfTheEndOfPagesIsSentAgainAndCounted) {
    // Pages of some five devices, each of which answers when it likes: all pages are opened at once, and one
    // after another ends over the next seconds, however fast the machine is.
    options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::uniform, 500, 3'000};
    options.initial.of(sim::provider::apns).delay = options.initial.of(sim::provider::fcm).delay;
    crowd all;
    all.count = 300;
    register_crowds({all});
    servers.wait_until_replicated();
    pages_in_flight = 64;             // All there are: none is opened when the replica has gone.
    lease = std::chrono::seconds(6);  // What the replica takes for unfinished is taken up again after it.
    launch("one");
    const std::string event = publish_to(all);
    const auto pages = [&](const testing::redis_server& at, const std::string& which) {
        return std::stoi(at.cli({"BITCOUNT", "tocsin:{e:" + event + "}:" + which}));
    };
    const std::string planned = "tocsin:{e:" + event + "}:ledger";
    ASSERT_TRUE(eventually([&] {
        const std::string all_pages = servers.master().cli({"HGET", planned, "pages_planned"});
        return !all_pages.empty() && pages(servers.replica(), "opened") >= std::stoi(all_pages);
    }));
    // That pages end the master alone learns.
    servers.cut_off_replica();
    const int known = pages(servers.replica(), "settled");
    ASSERT_TRUE(
        eventually([&] { return pages(servers.master(), "settled") > known + 2; }, std::chrono::seconds(8)));
    servers.kill_master();
    expect_everybody_accepted(wait_for_result(event), all);
    EXPECT_GT(look_at(all).repeats, 0U);  // Else nothing was shown.
}

}  // namespace
}  // namespace tocsin
