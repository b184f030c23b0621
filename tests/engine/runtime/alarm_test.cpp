#include "engine/runtime/alarm.hpp"

#include "tests/support/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

struct AlarmTest : ::testing::Test {
    void run() {
        loop.restart();
        loop.poll();
    }
    testing::manual_time time;
    boost::asio::io_context loop{1};
    alarm subject{loop.get_executor(), time};
    int calls = 0;
};

TEST_F(AlarmTest, CallsOnceAndNotBeforeItsInstant) {
    subject.set(time.now() + 10s, [this] { ++calls; });
    time.advance(9s);
    run();
    EXPECT_EQ(calls, 0);
    time.advance(1s);
    run();
    EXPECT_EQ(calls, 1);
    time.advance(1h);
    run();
    EXPECT_EQ(calls, 1);
}

TEST_F(AlarmTest, AnInstantThatIsPastIsDueAtOnce) {
    subject.set(time.now() - 1s, [this] { ++calls; });
    run();
    EXPECT_EQ(calls, 1);
}

TEST_F(AlarmTest, SetAnewItForgetsWhatItWasSetToAlsoIfThatIsDueAlready) {
    subject.set(time.now() + 1s, [this] { calls += 100; });
    time.advance(1s);
    subject.set(time.now() + 1s, [this] { ++calls; });
    run();
    EXPECT_EQ(calls, 0);
    time.advance(1s);
    run();
    EXPECT_EQ(calls, 1);
}

TEST_F(AlarmTest, CancelledItNeverCallsAndLetsGoOfWhatItHeld) {
    const auto held = std::make_shared<int>(0);
    subject.set(time.now() + 1s, [this, held] { ++calls; });
    subject.cancel();
    time.advance(1h);
    run();
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(time.next_waking(), time_point::max());
}

TEST_F(AlarmTest, MaySetItselfAgainFromItsCall) {
    subject.set(time.now() + 1s, [this] {
        ++calls;
        subject.set(time.now() + 1s, [this] { ++calls; });
    });
    time.advance(1s);
    run();
    EXPECT_EQ(calls, 1);
    time.advance(1s);
    run();
    EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace tocsin
