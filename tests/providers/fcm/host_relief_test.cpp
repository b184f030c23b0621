#include "providers/fcm/host_relief.hpp"

#include "tests/support/manual_time.hpp"

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

class HostReliefTest : public ::testing::Test {
protected:
    /// Waits until the next try is allowed, and makes it.
    time_point probe() {
        time.advance(subject.next_try() - time.now());
        EXPECT_TRUE(subject.may_send(time.now()));
        return time.now();
    }

    testing::manual_time time;
    host_relief subject{1};
};

TEST_F(HostReliefTest, HoldsNothingWhileAllIsWell) {
    EXPECT_TRUE(subject.may_send(time.now()));
    EXPECT_FALSE(subject.works(time.now()));
    EXPECT_FALSE(subject.turned_away(time.now(), time.now(), std::nullopt));
    EXPECT_TRUE(subject.may_send(time.now()));
}

TEST_F(HostReliefTest, AnOverloadedHostIsLeftAloneForTenSecondsAtLeast) {
    EXPECT_TRUE(subject.overloaded(time.now(), std::nullopt));
    EXPECT_FALSE(subject.overloaded(time.now(), std::nullopt)) << "told once";
    EXPECT_FALSE(subject.may_send(time.now()));
    EXPECT_GE(subject.next_try(), time.now() + 10s);
    EXPECT_LE(subject.next_try(), time.now() + 12s);
    time.advance(9'999ms);
    EXPECT_FALSE(subject.may_send(time.now()));
}

TEST_F(HostReliefTest, WhatTheHostAsksForIsGiven) {
    subject.overloaded(time.now(), 45s);
    EXPECT_GE(subject.next_try(), time.now() + 45s);
}

TEST_F(HostReliefTest, ProbesGoOneASecondUntilOneIsAnswered) {
    subject.overloaded(time.now(), std::nullopt);
    const time_point first = probe();
    EXPECT_FALSE(subject.may_send(time.now()));
    const time_point second = probe();
    EXPECT_EQ(second - first, 1s);
    EXPECT_TRUE(subject.works(first));
    EXPECT_FALSE(subject.in_trouble());
    EXPECT_TRUE(subject.may_send(time.now()));
    EXPECT_TRUE(subject.may_send(time.now()));
}

TEST_F(HostReliefTest, AProbeThatIsTurnedAwayDoublesThePause) {
    subject.overloaded(time.now(), std::nullopt);
    duration last = 10s;
    for (int i = 0; i < 6; ++i) {
        const time_point written = probe();
        EXPECT_TRUE(subject.turned_away(written, time.now(), std::nullopt));
        const duration pause = subject.next_try() - time.now();
        EXPECT_GE(pause, std::min<duration>(2 * last, 20s));
        EXPECT_LE(pause, 24s);
        last = std::min<duration>(2 * last, 20s);
    }
    EXPECT_EQ(last, 20s);
}

TEST_F(HostReliefTest, AnswersToWhatWasInFlightChangeNothing) {
    const time_point before = time.now();
    time.advance(1s);
    subject.overloaded(time.now(), std::nullopt);
    const time_point due = subject.next_try();
    EXPECT_FALSE(subject.works(before));
    EXPECT_FALSE(subject.turned_away(before, time.now(), std::nullopt));
    EXPECT_TRUE(subject.in_trouble());
    EXPECT_EQ(subject.next_try(), due);
}

TEST_F(HostReliefTest, ALaterTroubleBeginsWithAShortPauseAgain) {
    subject.overloaded(time.now(), std::nullopt);
    subject.turned_away(probe(), time.now(), std::nullopt);
    subject.works(probe());
    time.advance(1h);
    subject.overloaded(time.now(), std::nullopt);
    EXPECT_LE(subject.next_try(), time.now() + 12s);
}

TEST(OverloadWatch, FewOrAMinorityAreNoOverload) {
    testing::manual_time time;
    overload_watch subject;
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(subject.note(true, time.now())) << "twenty may be anything";
    }
    time.advance(2s);
    bool ever = false;
    for (int i = 0; i < 1'000; ++i) {
        ever = ever || subject.note(i % 10 == 9, time.now());
    }
    EXPECT_FALSE(ever) << "a tenth of many is no overload of the whole";
}

TEST(OverloadWatch, AMajorityOfManyIs) {
    testing::manual_time time;
    overload_watch subject;
    bool ever = false;
    for (int i = 0; i < 60; ++i) {
        ever = ever || subject.note(i % 3 != 0, time.now());
    }
    EXPECT_TRUE(ever);
}

}  // namespace
}  // namespace tocsin::fcm
