#include "engine/runtime/timer.hpp"

#include "tests/support/manual_time.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class TimerTest : public ::testing::Test {
protected:
    /// Counts in `woken` when a wait until `when` ends.
    void sleep_until(time_point when) {
        boost::asio::co_spawn(
            loop,
            [](timer& until, time_point instant, int& count) -> boost::asio::awaitable<void> {
                co_await until.wait_until(instant);
                ++count;
            }(bell, when, woken),
            boost::asio::detached);
        run();
    }
    void run() {
        loop.restart();
        loop.poll();
    }

    boost::asio::io_context loop{1};
    testing::manual_time time;
    timer bell{loop.get_executor(), time};
    int woken = 0;
};

TEST_F(TimerTest, WakesWhenTheInjectedClockSaysSoAndNotBefore) {
    sleep_until(time.now() + 1h);
    time.advance(59min);
    run();
    EXPECT_EQ(woken, 0);
    time.advance(1min);
    run();
    EXPECT_EQ(woken, 1);
}

TEST_F(TimerTest, AnInstantThatHasPassedIsNotWaitedFor) {
    sleep_until(time.now());
    EXPECT_EQ(woken, 1);
}

TEST_F(TimerTest, WhoIsToBeWokenSoonerIs) {
    sleep_until(time_point::max());
    time.advance(24h);
    run();
    EXPECT_EQ(woken, 0);
    bell.wake_all();
    run();
    EXPECT_EQ(woken, 1);
}

TEST_F(TimerTest, TheTimeMayPassBeforeTheWaitBegins) {
    bell.expires_at(time.now() + 1s);
    time.advance(1s);
    sleep_until(bell.expiry());
    EXPECT_EQ(woken, 1);
}

TEST_F(TimerTest, NobodyWakesATimerThatIsGone) {
    auto gone = std::make_unique<timer>(loop.get_executor(), time);
    gone->expires_at(time.now() + 1s);
    gone.reset();
    EXPECT_EQ(time.next_waking(), time_point::max());
    time.advance(1s);
}

TEST_F(TimerTest, RunsWithTheSteadyClockIfItsClockDoes) {
    system_time_source real;
    timer quick(loop.get_executor(), real);
    bool done = false;
    boost::asio::co_spawn(
        loop,
        [](timer& until, bool& over) -> boost::asio::awaitable<void> {
            co_await until.wait_for(1ms);
            over = true;
        }(quick, done),
        boost::asio::detached);
    loop.restart();
    loop.run_for(20s);  // A bound, so that a hang fails.
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tocsin
