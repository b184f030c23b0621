#include "engine/ops/health.hpp"

#include "tests/support/manual_time.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class HealthTest : public ::testing::Test {
protected:
    testing::manual_time time;
    health checks{time, 10s};
};

TEST_F(HealthTest, LoopThatTurnsIsAlive) {
    heartbeat& beat = checks.add_loop("thread 0");
    time.advance(9s);
    beat.beat(time.now());
    time.advance(9s);
    EXPECT_TRUE(checks.liveness().good());
}

TEST_F(HealthTest, LoopThatIsStuckIsNamedWithItsAge) {
    heartbeat& turning = checks.add_loop("thread 0");
    (void)checks.add_loop("thread 1");
    time.advance(11s);
    turning.beat(time.now());
    const health_report report = checks.liveness();
    EXPECT_FALSE(report.good());
    ASSERT_EQ(report.lines.size(), 2U);
    EXPECT_EQ(report.lines[0].problem, "");
    EXPECT_EQ(report.lines[1].name, "thread 1");
    EXPECT_EQ(report.lines[1].problem, "the event loop has not turned for 11 s");
}

TEST_F(HealthTest, FlagFailsUntilItIsFulfilled) {
    health_flag& redis = checks.add_flag("redis", "not connected yet");
    EXPECT_EQ(checks.readiness().lines[0].problem, "not connected yet");
    redis.fulfilled();
    EXPECT_TRUE(checks.readiness().good());
    redis.failing("the connection was lost");
    EXPECT_FALSE(checks.readiness().good());
    EXPECT_TRUE(checks.liveness().good());
}

TEST_F(HealthTest, CheckIsAskedEachTime) {
    std::string problem = "no";
    checks.add_check("lag", [&] { return problem; });
    EXPECT_FALSE(checks.readiness().good());
    problem.clear();
    EXPECT_TRUE(checks.readiness().good());
}

TEST_F(HealthTest, ShuttingDownIsNotReadyButAlive) {
    checks.shutting_down();
    EXPECT_FALSE(checks.readiness().good());
    EXPECT_TRUE(checks.liveness().good());
}

TEST_F(HealthTest, BeatingGoesOnUntilCancelled) {
    boost::asio::io_context loop;
    heartbeat& beat = checks.add_loop("thread 0");
    boost::asio::cancellation_signal stop;
    bool ended = false;
    boost::asio::co_spawn(
        loop, keep_beating(beat, time, 1ms),
        boost::asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; }));
    for (int i = 0; i < 3; ++i) {
        time.advance(1h);
        while (beat.last() != time.now()) {
            ASSERT_NE(loop.run_one_for(5s), 0U);
        }
    }
    stop.emit(boost::asio::cancellation_type::terminal);
    loop.run_for(5s);
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace tocsin
