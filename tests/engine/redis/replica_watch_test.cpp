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

/// The same with a replica, which follows when the test begins.
class ReplicaWatchWithOneTest : public ReplicaWatchTest {
protected:
    void SetUp() override {
        // A new replica is on the master's list up to a second before it hears anything.
        request what = command("INCR", "count");
        what.add("WAIT", 1, 20'000).expect_delay(20s);
        ASSERT_EQ(ask(*redis, std::move(what)).value().back().integer(), 1);
    }

    testing::redis_server followed{on_a_port()};
    const testing::redis_failover pair{followed};
    const std::unique_ptr<client> redis = connect(followed.url());
};

TEST_F(ReplicaWatchWithOneTest, WhatIsWrittenIsKnownToTheReplicaFromTheFirstWriteOn) {
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 2U);  // ROLE, and the wait that it called for.
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 1U);
}

TEST_F(ReplicaWatchWithOneTest, OneThatHangsIsWaitedForOnceUntilTheNextLook) {
    ASSERT_EQ(write(*redis), fine);
    pair.replica().pause();
    now += 6s;
    EXPECT_EQ(write(*redis), behind);
    EXPECT_EQ(write(*redis), fine);
    EXPECT_EQ(commands, 0U);
    pair.replica().resume();
    now += 6s;
    EXPECT_EQ(write(*redis), fine);
    EXPECT_GE(commands, 1U);
}

TEST_F(ReplicaWatchWithOneTest, AMasterThatIsDemotedMeanwhileMayHaveLostWhatWasWritten) {
    watch = replica_watch(20s);
    ASSERT_EQ(write(*redis), fine);
    pair.cut_off_replica();
    request what = command("INCR", "count");
    const auto asked = watch.ask(what, "count", now);
    ASSERT_TRUE(asked.wait);
    const auto waiting = start(*redis, std::move(what));
    run_until_blocked(followed);
    followed.cli({"REPLICAOF", "127.0.0.1", std::to_string(pair.replica().port())});
    const auto got = wait(waiting);
    // Redis hangs up after the answer; whichever is seen first says the same.
    EXPECT_TRUE(got.has_error() || watch.read(asked, *got, 1, now) == lost);
}

TEST_F(ReplicaWatchWithOneTest, AUserWhoMayWaitForNobodyGoesOn) {
    followed.cli({"ACL", "SETUSER", "default", "-wait"});
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
