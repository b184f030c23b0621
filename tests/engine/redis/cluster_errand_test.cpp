#include "engine/redis/cluster_errand.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/reply_reader.hpp"
#include "engine/redis/slot.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// What becomes of a request in a cluster, with the answers of its nodes made up.

namespace tocsin::redis {
namespace {

using parts = std::vector<std::shared_ptr<cluster_part>>;

class RedisClusterErrand : public ::testing::Test {
protected:
    std::shared_ptr<cluster_node> node(std::uint16_t port) {
        return std::make_shared<cluster_node>(
            endpoint{"10.0.0.1", port},
            std::make_shared<connection>(
                loop.get_executor(), address(), std::make_shared<dialer>(loop.get_executor()), time, log,
                client_options(), connection::patience::refuses));
    }
    /// The commands `which` of `job`, on their way to a node.
    static std::shared_ptr<cluster_part> send(
        cluster_errand& job, const std::shared_ptr<cluster_node>& to, const std::vector<std::size_t>& which,
        bool asking = false) {
        cluster_parcel parcel{to, asking, {}, {}};
        for (const std::size_t index : which) {
            job.add_to(parcel, index);
        }
        return std::make_shared<cluster_part>(std::move(parcel), nullptr);
    }
    static std::shared_ptr<cluster_part> answered(
        std::shared_ptr<cluster_part> part, const std::string& bytes) {
        reply_reader reader;
        reader.feed(bytes);
        while (reader.next(part->answers).value() == reply_reader::progress::complete) {
        }
        part->ran = true;
        part->done = true;
        return part;
    }
    static std::shared_ptr<cluster_part> failed(
        std::shared_ptr<cluster_part> part, redis_errc why, bool ran) {
        part->failure = why;
        part->ran = ran;
        part->done = true;
        return part;
    }
    static request gets(const std::vector<std::string>& keys) {
        request out;
        for (const std::string& key : keys) {
            out.add("GET", key);
        }
        return out;
    }
    static std::vector<std::string> texts(const replies& all) {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < all.size(); ++i) {
            out.emplace_back(all[i].text());
        }
        return out;
    }

    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    std::shared_ptr<cluster_node> a = node(7001);
    std::shared_ptr<cluster_node> b = node(7002);
};

TEST_F(RedisClusterErrand, EachCommandGoesByItsKeyAndOneThatNoNodeCanHaveIsToldBefore) {
    request what = gets({"k"});
    what.add("ROLE").beside("other");
    what.add("PING");
    what.add("FLUSHALL");
    const cluster_errand job(std::move(what));
    ASSERT_TRUE(job.routable());
    ASSERT_EQ(job.size(), 4U);
    EXPECT_EQ(job[0].to, command_route::destination::key);
    EXPECT_EQ(job[0].slot, key_slot("k"));
    EXPECT_EQ(job[1].to, command_route::destination::key) << "the key beside which it was put";
    EXPECT_EQ(job[1].slot, key_slot("other"));
    EXPECT_EQ(job[2].to, command_route::destination::any_master);
    EXPECT_EQ(job[3].to, command_route::destination::every_master);
    request bad = gets({"k"});
    bad.add("MULTI");
    EXPECT_FALSE(cluster_errand(std::move(bad)).routable());
}

TEST_F(RedisClusterErrand, TheRepliesOfSeveralNodesStandInTheOrderOfTheRequest) {
    cluster_errand job(gets({"x", "y", "z"}));
    const auto how = job.take(
        {answered(send(job, a, {0, 2}), "+x\r\n+z\r\n"), answered(send(job, b, {1}), "+y\r\n")}, false);
    EXPECT_FALSE(how.failure);
    EXPECT_FALSE(how.pause || how.refresh || how.redirected);
    ASSERT_TRUE(job.finished());
    EXPECT_EQ(texts(job.collect()), (std::vector<std::string>{"x", "y", "z"}));
}

TEST_F(RedisClusterErrand, AMovedCommandIsSentAgainAloneAndTheMoveIsTold) {
    cluster_errand job(gets({"x", "y"}));
    auto how = job.take({answered(send(job, a, {0, 1}), "-MOVED 7 10.0.0.1:7002\r\n+y\r\n")}, false);
    EXPECT_TRUE(how.redirected);
    EXPECT_FALSE(how.pause);
    ASSERT_EQ(how.moved.size(), 1U);
    EXPECT_EQ(how.moved[0].slot, 7);
    EXPECT_EQ(how.moved[0].to, b->where);
    EXPECT_FALSE(job.finished());
    EXPECT_FALSE(job[0].answered);
    EXPECT_FALSE(job[0].ask.has_value());
    EXPECT_TRUE(job[1].answered);
    job.begin_round();
    how = job.take({answered(send(job, b, {0}), "+x\r\n")}, false);
    EXPECT_FALSE(how.redirected);
    ASSERT_TRUE(job.finished());
    EXPECT_EQ(texts(job.collect()), (std::vector<std::string>{"x", "y"}));
}

TEST_F(RedisClusterErrand, AnAskedCommandIsPrecededByAskingAndTheSlotStaysWhereItIs) {
    cluster_errand job(gets({"x", "y"}));
    auto how =
        job.take({answered(send(job, a, {0, 1}), "-ASK 7 10.0.0.1:7002\r\n-ASK 7 10.0.0.1:7002\r\n")}, false);
    EXPECT_TRUE(how.redirected);
    EXPECT_TRUE(how.moved.empty());
    ASSERT_TRUE(job[0].ask.has_value());
    EXPECT_EQ(*job[0].ask, b->where);
    job.begin_round();
    const auto part = send(job, b, {0, 1}, true);
    EXPECT_EQ(part->what.count(), 4U) << "ASKING holds for one command";
    how = job.take({answered(part, "+OK\r\n+x\r\n+OK\r\n+y\r\n")}, false);
    ASSERT_TRUE(job.finished());
    EXPECT_EQ(texts(job.collect()), (std::vector<std::string>{"x", "y"}));
}

TEST_F(RedisClusterErrand, ARefusalThatPassesIsTriedAgainAfterAPause) {
    struct row {
        std::string refusal;
        bool again;
        bool refresh;
    };
    for (const row& one : std::vector<row>{
             {"TRYAGAIN Multiple keys request", true, false},
             {"CLUSTERDOWN The cluster is down", true, true},
             {"LOADING Redis is loading", true, true},
             {"MASTERDOWN Link with MASTER is down", true, true},
             {"UNBLOCKED force unblock from blocking operation", true, true},
             {"ERR TRYAGAIN", false, false},
             {"OOM command not allowed", false, false},
             {"READONLY You can't write", false, false}}) {
        cluster_errand job(gets({"x"}));
        const auto how = job.take({answered(send(job, a, {0}), "-" + one.refusal + "\r\n")}, false);
        EXPECT_FALSE(how.failure);
        EXPECT_EQ(how.pause, one.again) << one.refusal;
        EXPECT_EQ(how.refresh, one.refresh) << one.refusal;
        EXPECT_EQ(job.finished(), !one.again) << one.refusal;
    }
}

TEST_F(RedisClusterErrand, InTheLastRoundARefusalIsTheAnswer) {
    for (const std::string refusal :
         {"TRYAGAIN Multiple keys request", "MOVED 7 10.0.0.1:7002", "ASK 7 10.0.0.1:7002"}) {
        cluster_errand job(gets({"x"}));
        const auto how = job.take({answered(send(job, a, {0}), "-" + refusal + "\r\n")}, true);
        EXPECT_FALSE(how.pause || how.redirected);
        ASSERT_TRUE(job.finished()) << refusal;
        EXPECT_EQ(texts(job.collect()), std::vector<std::string>{refusal});
    }
}

TEST_F(RedisClusterErrand, WhatStandsBesideAKeyIsNotAskedOfAnotherNodeLater) {
    request what;
    what.add("ROLE").beside("k");
    cluster_errand job(std::move(what));
    const auto how = job.take({answered(send(job, a, {0}), "-LOADING Redis is loading\r\n")}, false);
    EXPECT_FALSE(how.pause);
    EXPECT_TRUE(job.finished());
}

TEST_F(RedisClusterErrand, WhatGoesToEveryNodeIsAnsweredByAllAndTheFirstErrorCounts) {
    const auto flush = [] {
        request out;
        out.add("FLUSHALL");
        return out;
    };
    cluster_errand job(flush());
    auto first = answered(send(job, a, {0}), "+OK\r\n");
    auto second = answered(send(job, b, {0}), "-ERR no\r\n");
    static_cast<void>(job.take({first, second}, false));
    ASSERT_TRUE(job.finished());
    EXPECT_EQ(texts(job.collect()), std::vector<std::string>{"ERR no"});

    cluster_errand errors(flush());
    first = answered(send(errors, a, {0}), "-ERR first\r\n");
    second = answered(send(errors, b, {0}), "-ERR second\r\n");
    static_cast<void>(errors.take({first, second}, false));
    EXPECT_EQ(texts(errors.collect()), std::vector<std::string>{"ERR first"});

    cluster_errand half(flush());
    first = answered(send(half, a, {0}), "+OK\r\n");
    second = answered(send(half, b, {0}), "-LOADING Redis is loading\r\n");
    static_cast<void>(half.take({first, second}, false));
    EXPECT_FALSE(half.finished());
    half.begin_round();
    EXPECT_EQ(half[0].copies, 0U) << "all are asked again";
    EXPECT_FALSE(half[0].has_answer);
}

struct failure_case {
    const char* name;
    redis_errc why;
    bool ran;   ///< Something of the request may have.
    bool last;  ///< There is no time for another round.
    std::optional<redis_errc> failure;
    bool pause;
    bool refresh;
};

class RedisClusterErrandFailure : public RedisClusterErrand,
                                  public ::testing::WithParamInterface<failure_case> {};

TEST_P(RedisClusterErrandFailure, SaysThatCommandsDidNotRunOnlyIfNoneHas) {
    const failure_case& given = GetParam();
    cluster_errand job(gets({"x", "y"}));
    parts round{failed(send(job, a, {0}), given.why, false)};
    if (given.ran) {
        round.push_back(answered(send(job, b, {1}), "+y\r\n"));
    }
    const auto how = job.take(std::move(round), given.last);
    EXPECT_EQ(how.failure, given.failure ? make_error_code(*given.failure) : error_code());
    EXPECT_EQ(how.pause, given.pause);
    EXPECT_EQ(how.refresh, given.refresh);
    EXPECT_EQ(
        job.given_up(), make_error_code(given.ran ? redis_errc::connection_lost : redis_errc::unreachable));
}

using enum redis_errc;

INSTANTIATE_TEST_SUITE_P(
    Failures, RedisClusterErrandFailure,
    ::testing::Values(
        failure_case{"Unreachable", unreachable, false, false, {}, true, true},
        failure_case{"UnreachableToTheEnd", unreachable, false, true, unreachable, false, true},
        failure_case{"UnreachableInPart", unreachable, true, true, connection_lost, false, true},
        failure_case{"Overloaded", overloaded, false, false, overloaded, false, false},
        failure_case{"OverloadedInPart", overloaded, true, false, connection_lost, false, false},
        failure_case{"Closed", closed, false, false, closed, false, false},
        failure_case{"Refused", refused, false, false, refused, false, false},
        failure_case{"Lost", connection_lost, false, false, connection_lost, false, true},
        failure_case{"TimedOut", timed_out, true, false, timed_out, false, true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(RedisClusterErrand, OfSeveralFailuresNonePromisesThatNothingRanIfOneOfThemMayHave) {
    for (const bool worse_first : {false, true}) {
        cluster_errand job(gets({"x", "y"}));
        parts round{failed(send(job, a, {0}), overloaded, false), failed(send(job, b, {1}), timed_out, true)};
        if (worse_first) {
            std::swap(round[0], round[1]);
        }
        const error_code failure = job.take(std::move(round), false).failure;
        EXPECT_TRUE(failure == timed_out || failure == connection_lost) << failure.message();
    }
}

}  // namespace
}  // namespace tocsin::redis
