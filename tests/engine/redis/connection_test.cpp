#include "engine/redis/connection.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/redis/scripted_peer.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/reserved_port.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

#include <gtest/gtest.h>

// What one connection does with operations; how it fares with a real Redis: client_test.cpp and its
// neighbours.

namespace tocsin::redis {
namespace {

using patience = connection::patience;

class RedisConnection : public ::testing::Test {
protected:
    ~RedisConnection() override {
        if (subject) {
            subject->close();
        }
        loop.restart();
        loop.poll();
    }

    void make(const endpoint& at, patience while_away) {
        address where;
        where.host = at.host;
        where.port = at.port;
        subject = std::make_shared<connection>(
            loop.get_executor(), where, std::make_shared<dialer>(loop.get_executor()), time, log, options,
            while_away);
        subject->tell(refusals);
    }
    /// Where nobody listens.
    endpoint nowhere() const { return {"127.0.0.1", unused.number()}; }
    static std::shared_ptr<operation> operation_of(const std::string& command) {
        return std::make_shared<operation>(request(command));
    }
    bool done(const std::shared_ptr<operation>& what) {
        return testing::loop_until(loop, [&] { return what->done; });
    }

    testing::reserved_port unused;
    boost::asio::io_context loop{1};
    system_time_source time;
    null_logger log;
    client_options options;
    std::shared_ptr<error_replies> refusals = std::make_shared<error_replies>();
    std::shared_ptr<connection> subject;
};

TEST_F(RedisConnection, OneThatRefusesSaysSoAtOnceWhileItIsAway) {
    make(nowhere(), patience::refuses);
    const auto first = operation_of("PING");
    EXPECT_FALSE(subject->submit(first)) << "before it has tried, it may be there";
    ASSERT_TRUE(done(first));
    EXPECT_EQ(first->failure, redis_errc::unreachable);
    EXPECT_EQ(subject->submit(operation_of("PING")), redis_errc::unreachable);
    EXPECT_EQ(refusals->count(), 1U);
}

TEST_F(RedisConnection, OneThatWaitsKeepsWhatItIsGivenWhileItIsAway) {
    make(nowhere(), patience::waits);
    const auto first = operation_of("PING");
    EXPECT_FALSE(subject->submit(first));
    ASSERT_TRUE(testing::loop_until(loop, [&] { return refusals->count() == 2; }));
    EXPECT_FALSE(first->done);
    EXPECT_FALSE(subject->submit(operation_of("PING")));
    subject->close();
    EXPECT_EQ(first->failure, redis_errc::closed) << "it never ran";
    EXPECT_EQ(subject->submit(operation_of("PING")), redis_errc::closed);
}

TEST_F(RedisConnection, OneThatIsRefusedFailsWhatWaitsHoweverPatientItIs) {
    const scripted_peer peer(
        loop, {scripted_peer::conversation{"+OK\r\n-NOAUTH Authentication required.\r\n"}});
    make(peer.where(), patience::waits);
    const auto first = operation_of("PING");
    EXPECT_FALSE(subject->submit(first));
    ASSERT_TRUE(done(first));
    EXPECT_EQ(first->failure, redis_errc::refused);
}

TEST_F(RedisConnection, KeepsSoManyBytesAndNotOneMore) {
    const std::size_t one = request("PING").size_bytes();
    options.max_queued_bytes = 2 * one;
    make(nowhere(), patience::waits);
    EXPECT_FALSE(subject->submit(operation_of("PING")));
    EXPECT_EQ(subject->submit(operation_of("PINGS")), redis_errc::overloaded);
    EXPECT_FALSE(subject->submit(operation_of("PING")));
    EXPECT_EQ(subject->submit(operation_of("X")), redis_errc::overloaded);
}

TEST_F(RedisConnection, AServerThatWasDemotedIsLeftUnlessItIsANodeOfACluster) {
    const std::string demoted = "-READONLY You can't write against a read only replica.\r\n";
    for (const auto while_away : {patience::waits, patience::refuses}) {
        const scripted_peer peer(loop, {scripted_peer::conversation{welcome, demoted}});
        make(peer.where(), while_away);
        const auto asked = operation_of("INCR");
        EXPECT_FALSE(subject->submit(asked));
        ASSERT_TRUE(done(asked));
        if (while_away == patience::waits) {
            EXPECT_EQ(asked->failure, redis_errc::connection_lost);
        } else {
            EXPECT_FALSE(asked->failure) << "the node says MOVED, or this";
            EXPECT_TRUE(asked->answers.front().is_error());
        }
        subject->close();
    }
}

TEST_F(RedisConnection, WhatIsAbandonedBeforeItIsWrittenIsNeverWritten) {
    const scripted_peer peer(loop, {scripted_peer::conversation{welcome, "+first\r\n"}});
    make(peer.where(), patience::waits);
    const auto given_up = operation_of("FLUSHALL");
    const auto kept = operation_of("GET");
    EXPECT_FALSE(subject->submit(given_up));
    EXPECT_FALSE(subject->submit(kept));
    subject->abandon(*given_up);
    ASSERT_TRUE(done(kept));
    EXPECT_EQ(kept->answers.front().text(), "first");
    EXPECT_EQ(peer.read().find("FLUSHALL"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::redis
