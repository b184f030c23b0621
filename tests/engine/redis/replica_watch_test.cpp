#include "engine/redis/replica_watch.hpp"

#include "tests/engine/redis/client_fixture.hpp"
#include "tests/support/redis_failover.hpp"

namespace tocsin::redis {
namespace {

using namespace std::chrono_literals;
using enum replica_watch::answer;

testing::redis_server_options on_a_port() {
    testing::redis_server_options out;
    out.tcp = true;
    return out;
}

class ReplicaWatchTest : public redis_client_test {
protected:
    /// Writes something and reads the watch's answer; how many commands it took is in `commands`.
    replica_watch::answer write(client& redis) {
        request what = command("INCR", "count");
        const auto asked = watch.ask(what, "count", now);
        commands = what.count() - 1;
        const auto got = ask(redis, std::move(what)).value();
        auto answer = watch.read(asked, got, 1, now);
        if (answer == owed) {
            ++commands;
            answer = watch.read_wait(ask(redis, watch.wait_for("count")).value().front(), now);
        }
        return answer;
    }

    const testing::redis_server master{on_a_port()};
    replica_watch watch{200ms};
    time_point now{};
    std::size_t commands = 0;
};

TEST_F(ReplicaWatchTest, WithoutAReplicaARoleEveryFewSecondsIsAllItCosts) {
    const auto redis = connect(master.url());
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 1U);
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 0U);
    now += 6s;
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 1U);
}

TEST_F(ReplicaWatchTest, WhatIsWrittenIsKnownToTheReplicaFromTheFirstWriteOn) {
    testing::redis_server first{on_a_port()};
    const testing::redis_failover pair(first);
    const auto redis = connect(first.url());
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 2U);  // ROLE, and the wait that it called for.
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 1U);
    EXPECT_NE(first.cli({"INFO", "commandstats"}).find("cmdstat_wait:calls=2"), std::string::npos);
}

TEST_F(ReplicaWatchTest, AReplicaThatHangsIsWaitedForOnceUntilTheNextLook) {
    testing::redis_server first{on_a_port()};
    testing::redis_server_options following = on_a_port();
    following.extra = {"--replicaof", "127.0.0.1", std::to_string(first.port())};
    first.cli({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
    testing::redis_server replica(following);
    const auto redis = connect(first.url());
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (write(*redis) != fine || commands == 0 ||
           !ask(*redis, command("ROLE")).value().front()[2].size()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        now += 6s;
    }
    replica.pause();
    now += 6s;
    EXPECT_EQ(write(*redis), behind);
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 0U);
    replica.resume();
    now += 6s;
    EXPECT_EQ(write(*redis), fine);
    EXPECT_GE(commands, 1U);
}

TEST_F(ReplicaWatchTest, AMasterThatIsDemotedMeanwhileMayHaveLostWhatWasWritten) {
    testing::redis_server first{on_a_port()};
    const testing::redis_failover pair(first);
    const auto redis = connect(first.url());
    watch = replica_watch(20s);
    ASSERT_EQ(write(*redis), fine);
    pair.cut_off_replica();
    request what = command("INCR", "count");
    const auto asked = watch.ask(what, "count", now);
    ASSERT_TRUE(asked.wait);
    const auto waiting = start(*redis, std::move(what));
    run_until_blocked(first);
    first.cli({"REPLICAOF", "127.0.0.1", std::to_string(pair.replica().port())});
    const auto got = wait(waiting);
    // Redis hangs up after the answer; whichever is seen first says the same.
    EXPECT_TRUE(got.has_error() || watch.read(asked, *got, 1, now) == lost);
}

TEST_F(ReplicaWatchTest, AUserWhoMayWaitForNobodyGoesOn) {
    testing::redis_server first{on_a_port()};
    const testing::redis_failover pair(first);
    first.cli({"ACL", "SETUSER", "default", "-wait"});
    const auto redis = connect(first.url());
    EXPECT_EQ(write(*redis), behind);
    EXPECT_EQ(write(*redis), fine);
}

TEST_F(ReplicaWatchTest, AUserWhoMayNotAskGoesOnAsIfThereWereNone) {
    master.cli({"ACL", "SETUSER", "default", "-role", "-wait"});
    const auto redis = connect(master.url());
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 0U);
}

TEST_F(ReplicaWatchTest, ItCanBeTurnedOff) {
    watch = replica_watch(0ms);
    const auto redis = connect(master.url());
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 0U);
}

}  // namespace
}  // namespace tocsin::redis
