#include "engine/redis/cluster.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/redis/client_fixture.hpp"
#include "tests/engine/redis/scripted_peer.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

// How a cluster client goes on when its nodes send it elsewhere, with nodes that say what a test wants; with
// real ones: client_cluster_test.cpp.

namespace tocsin::redis {
namespace {

using namespace std::chrono_literals;

const std::string key = "k";
const std::string slot = "7629";  // Of that key.

class RedisCluster : public ::testing::Test {
protected:
    /// A node that is asked for the slots, greeted, and asked for the key.
    struct node {
        node(boost::asio::io_context& loop, std::function<std::string(int)> answer)
            : peer(
                  loop, [this, answer = std::move(answer)](const std::string& read) -> scripted_peer::answer {
                      if (read.find("SETNAME") != std::string::npos) {
                          return {welcome};
                      }
                      return {read.find("SLOTS") != std::string::npos ? slots : answer(++asked)};
                  }) {}
        int asked = 0;
        std::string slots;
        scripted_peer peer;
    };

    ~RedisCluster() override {
        if (subject) {
            subject->close();
        }
        loop.restart();
        loop.poll();
    }
    static std::string all_slots_at(const node& owner) {
        return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n" + bulk("127.0.0.1") + ":" +
               std::to_string(owner.peer.where().port) + "\r\n";
    }
    std::string redirected_to(const char* how, const node& other) {
        return std::string("-") + how + " " + slot + " " + other.peer.where().to_string() + "\r\n";
    }
    result<replies> get(const node& seed) {
        if (!subject) {
            address where;
            where.kind = topology::cluster;
            where.seeds = {seed.peer.where()};
            subject = std::make_shared<cluster>(loop.get_executor(), where, time, log, options);
        }
        return testing::run_to_end(loop, cluster::execute(subject, request("GET", key)));
    }
    /// The text of the answer, or why there is none.
    std::string text(const node& seed) {
        const auto answer = get(seed);
        return answer.has_value() ? std::string(answer->front().text()) : answer.error().message();
    }

    boost::asio::io_context loop{1};
    system_time_source time;
    event_log log;
    client_options options;
    std::shared_ptr<cluster> subject;
};

TEST_F(RedisCluster, ASlotThatHasMovedIsAskedForWhereItIsFromThenOn) {
    node second(loop, [](int) { return "+there\r\n"; });
    node first(loop, [&](int) { return redirected_to("MOVED", second); });
    first.slots = all_slots_at(first);
    second.slots = all_slots_at(second);
    EXPECT_EQ(text(first), "there");
    EXPECT_EQ(text(first), "there");
    EXPECT_EQ(first.asked, 1);
    EXPECT_EQ(second.asked, 2);
}

TEST_F(RedisCluster, ASlotThatIsMovingIsAskedForElsewhereOnce) {
    node second(loop, [](int) { return "+OK\r\n+there\r\n"; });
    node first(loop, [&](int turn) { return turn == 1 ? redirected_to("ASK", second) : "+here\r\n"; });
    first.slots = all_slots_at(first);
    EXPECT_EQ(text(first), "there");
    EXPECT_NE(second.peer.read().find("ASKING"), std::string::npos);
    EXPECT_EQ(text(first), "here");
}

TEST_F(RedisCluster, WhatPassesIsWaitedForWithoutTheCallerKnowing) {
    node only(loop, [](int turn) { return turn < 3 ? "-TRYAGAIN Multiple keys\r\n" : "+now\r\n"; });
    only.slots = all_slots_at(only);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(text(only), "now");
    EXPECT_EQ(only.asked, 3);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 100ms) << "it paused each time";
}

TEST_F(RedisCluster, NodesThatSendACommandToAndFroEndInTheLastOfTheirAnswers) {
    node only(loop, [&](int) { return redirected_to("MOVED", only); });
    only.slots = all_slots_at(only);
    const std::string answer = text(only);
    EXPECT_TRUE(answer.starts_with("MOVED")) << answer;
    EXPECT_EQ(only.asked, 33) << "32 redirections";
}

TEST_F(RedisCluster, WhatIsRefusedToTheEndIsAnsweredWithTheRefusalInItsTime) {
    options.reply_timeout = 200ms;
    node only(loop, [](int) { return "-TRYAGAIN Multiple keys\r\n"; });
    only.slots = all_slots_at(only);
    const std::string answer = text(only);
    EXPECT_TRUE(answer.starts_with("TRYAGAIN")) << answer;
}

TEST_F(RedisCluster, ANodeWhoseClusterServesNoSlotIsNoCluster) {
    options.reply_timeout = 200ms;
    node only(loop, [](int) { return "+never\r\n"; });
    only.slots = "*0\r\n";
    EXPECT_EQ(get(only).error(), redis_errc::unreachable);
    EXPECT_EQ(only.asked, 0);
    EXPECT_NE(log.details.find("no node of its cluster has any slots"), std::string::npos) << log.details;
    EXPECT_EQ(log.events, std::vector<std::string>{"redis.cluster_not_found"})
        << "once, however often it is asked";
}

TEST_F(RedisCluster, AWrongPasswordIsToldAtOnce) {
    node only(loop, [](int) { return "+never\r\n"; });
    only.slots = "-NOAUTH Authentication required.\r\n";
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(get(only).error(), redis_errc::refused);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, options.reply_timeout / 2);
}

}  // namespace
}  // namespace tocsin::redis
