#include "providers/http2/dial_schedule.hpp"

#include "tests/support/manual_time.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST(DialSchedule, FirstConnectionMayBeOpenedAtOnce) {
    testing::manual_time time;
    dial_schedule schedule(1);
    EXPECT_LE(schedule.earliest(), time.now());
}

TEST(DialSchedule, FurtherConnectionsKeepTheirDistance) {
    testing::manual_time time;
    dial_schedule schedule(1);
    for (int i = 0; i < 100; ++i) {
        schedule.dialled(time.now());
        EXPECT_GE(schedule.earliest(), time.now() + 50ms);
        EXPECT_LE(schedule.earliest(), time.now() + 200ms);
        time.advance(schedule.earliest() - time.now());
    }
}

TEST(DialSchedule, FailuresBackOffToSomeSecondsAndSpread) {
    constexpr int schedules = 200;
    for (std::uint32_t failures = 1; failures <= 10; ++failures) {
        const duration ceiling = std::min<duration>(16s, 1s * (1 << (failures - 1)));
        duration longest{};
        duration sum{};
        for (std::uint64_t seed = 0; seed < schedules; ++seed) {
            testing::manual_time time;
            dial_schedule schedule(seed);
            for (std::uint32_t i = 0; i < failures; ++i) {
                time.advance(std::max<duration>(schedule.earliest() - time.now(), 0s));
                schedule.failed(time.now(), time.now());
            }
            const duration wait = schedule.earliest() - time.now();
            EXPECT_GE(wait, ceiling / 2);
            EXPECT_LE(wait, ceiling);
            longest = std::max(longest, wait);
            sum += wait;
        }
        EXPECT_GT(longest, ceiling * 9 / 10);
        EXPECT_GT(sum / schedules, ceiling * 7 / 10);
        EXPECT_LT(sum / schedules, ceiling * 8 / 10);
    }
}

TEST(DialSchedule, ADialThatTookItsTimeToFailHasWaitedAlready) {
    testing::manual_time time;
    dial_schedule schedule(1);
    for (int i = 0; i < 20; ++i) {
        time.advance(std::max<duration>(schedule.earliest() - time.now(), 0s));
        const time_point dialled = time.now();
        schedule.dialled(dialled);
        time.advance(10s);
        schedule.failed(time.now(), dialled);
        EXPECT_LE(schedule.earliest(), dialled + 16s);
        EXPECT_GE(schedule.earliest(), time.now() + 50ms);
    }
}

TEST(DialSchedule, RefusingHostIsDialledAHandfulOfTimesAMinute) {
    testing::manual_time time;
    dial_schedule schedule(42);
    const time_point end = time.now() + 1h;
    int dials = 0;
    while (time.now() < end) {
        schedule.dialled(time.now());
        ++dials;
        schedule.failed(time.now(), time.now());
        time.advance(schedule.earliest() - time.now());
    }
    EXPECT_LT(dials, 350);
    EXPECT_GT(dials, 250);
}

TEST(DialSchedule, ProofForgivesEarlierFailures) {
    testing::manual_time time;
    dial_schedule schedule(1);
    for (int i = 0; i < 8; ++i) {
        schedule.failed(time.now(), time.now());
    }
    schedule.proven();
    time.advance(1min);
    schedule.failed(time.now(), time.now());
    EXPECT_LE(schedule.earliest(), time.now() + 1s);
}

TEST(DialSchedule, ProofEndsTheWaitThatFailuresHaveLaidDown) {
    testing::manual_time time;
    dial_schedule schedule(1, 8);
    for (int i = 0; i < 8; ++i) {
        schedule.failed(time.now(), time.now());
    }
    ASSERT_GT(schedule.earliest(), time.now() + 7s);
    schedule.proven();
    EXPECT_LE(schedule.earliest(), time.now() + 200ms);
    EXPECT_TRUE(schedule.may_open_many(time.now()));
}

TEST(DialSchedule, ProofDoesNotEndTheCalmThatThePeerAskedFor) {
    testing::manual_time time;
    dial_schedule schedule(1, 8);
    schedule.calm_down(time.now());
    schedule.failed(time.now(), time.now());
    schedule.proven();
    EXPECT_GE(schedule.earliest(), time.now() + 5s);
    EXPECT_GE(schedule.earliest_urgent(), time.now() + 5s);
    EXPECT_FALSE(schedule.may_open_many(time.now()));
}

TEST(DialSchedule, WhatIsUrgentWaitsASecondHoweverManyHaveFailed) {
    testing::manual_time time;
    dial_schedule schedule(1);
    for (int i = 0; i < 8; ++i) {
        time.advance(std::max<duration>(schedule.earliest() - time.now(), 0s));
        schedule.dialled(time.now());
        schedule.failed(time.now(), time.now());
    }
    ASSERT_GT(schedule.earliest(), time.now() + 7s);
    EXPECT_GE(schedule.earliest_urgent(), time.now() + 50ms);
    EXPECT_LE(schedule.earliest_urgent(), time.now() + 1s);
}

TEST(DialSchedule, AnAlertThatLastsAsLongAsAnOutageDialsAHandfulOfTimesAMinute) {
    testing::manual_time time;
    dial_schedule schedule(1);
    int dials = 0;
    const time_point end = time.now() + 5min;
    while (time.now() < end) {
        if (time.now() >= schedule.earliest_urgent()) {
            const time_point dialled = time.now();
            schedule.dialled(dialled);
            ++dials;
            time.advance(5ms);
            schedule.failed(time.now(), dialled);
        }
        time.advance(100ms);
    }
    EXPECT_LT(dials, 60);
    EXPECT_GT(dials, 20);
}

TEST(DialSchedule, ForKnownWorkABurstIsOpenedAtOnceAndThenItKeepsItsDistance) {
    testing::manual_time time;
    dial_schedule schedule(1, 8);
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(schedule.may_open_many(time.now()));
        schedule.dialled(time.now());
    }
    EXPECT_FALSE(schedule.may_open_many(time.now()));
    EXPECT_GE(schedule.earliest(), time.now() + 50ms);
    time.advance(10s);
    EXPECT_TRUE(schedule.may_open_many(time.now())) << "it may again after a while";
}

TEST(DialSchedule, WhatWasDialledTogetherFailsTogetherAndCountsOnce) {
    testing::manual_time time;
    dial_schedule schedule(1, 32);
    const time_point dialled = time.now();
    time.advance(10ms);
    for (int i = 0; i < 32; ++i) {
        schedule.failed(time.now(), dialled);
        time.advance(1ms);
    }
    EXPECT_EQ(schedule.failures_in_a_row(), 1U);
    EXPECT_LE(schedule.earliest(), time.now() + 1s);
    EXPECT_FALSE(schedule.may_open_many(time.now() + 1h)) << "one alone finds out whether it works again";
    schedule.proven();
    EXPECT_TRUE(schedule.may_open_many(time.now() + 1h));
}

TEST(DialSchedule, ARequestForCalmHoldsKnownWorkToo) {
    testing::manual_time time;
    dial_schedule schedule(1, 8);
    schedule.calm_down(time.now());
    EXPECT_FALSE(schedule.may_open_many(time.now()));
    time.advance(30s);
    EXPECT_TRUE(schedule.may_open_many(time.now()));
}

TEST(DialSchedule, CalmIsKeptForSeconds) {
    testing::manual_time time;
    dial_schedule schedule(1);
    schedule.calm_down(time.now());
    EXPECT_GE(schedule.earliest(), time.now() + 5s);
    EXPECT_LE(schedule.earliest(), time.now() + 30s);
}

}  // namespace
}  // namespace tocsin::http2
