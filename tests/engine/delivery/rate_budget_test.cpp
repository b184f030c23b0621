#include "engine/delivery/rate_budget.hpp"

#include "tests/support/manual_time.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// A lane's part of 1,000 pushes a second: a slice of 50 ms is 50 pushes.
class RateBudgetTest : public ::testing::Test {
protected:
    int take_all() {
        int taken = 0;
        while (budget.try_take(time.now())) {
            ++taken;
        }
        return taken;
    }
    void grant(std::uint32_t pushes, duration from, duration length = 50ms) {
        budget.granted({pushes, time.now() + from, time.now() + from + length}, time.now());
    }

    testing::manual_time time;
    rate_budget budget{1'000, time.now()};
};

TEST_F(RateBudgetTest, NothingLeavesBeforeASliceWasGiven) {
    EXPECT_EQ(take_all(), 0);
    EXPECT_EQ(budget.ready_at(time.now()), time_point::max());
}

TEST_F(RateBudgetTest, AsksForWhatWaitsAndNoMoreThanASlice) {
    struct row {
        std::uint64_t rate;
        std::size_t waiting;
        std::uint32_t wanted;
    };
    const std::vector<row> rows{
        {1'000, 0, 0},       {1'000, 1, 1},  {1'000, 49, 49}, {1'000, 50, 50}, {1'000, 51, 50},
        {1'000, 90'000, 50}, {1, 90'000, 1}, {19, 90'000, 1}, {40, 90'000, 2}, {100'000, 90'000, 5'000},
    };
    for (const row& each : rows) {
        rate_budget one(each.rate, time.now());
        EXPECT_EQ(one.ask(each.waiting, time.now()), each.wanted) << each.rate << "/s, " << each.waiting;
    }
}

TEST_F(RateBudgetTest, AsksOnceUntilItIsAnswered) {
    EXPECT_EQ(budget.ask(10, time.now()), 10U);
    EXPECT_EQ(budget.ask(10, time.now()), 0U);
    budget.failed(time.now());
    EXPECT_EQ(budget.ask(10, time.now()), 10U);
    grant(10, 0s);
    EXPECT_EQ(budget.ask(10, time.now()), 0U) << "what waits is in hand";
    EXPECT_EQ(budget.ask(11, time.now()), 1U);
}

TEST_F(RateBudgetTest, HasOneSliceInUseAndOneAtHandAndNoMore) {
    ASSERT_NE(budget.ask(1'000, time.now()), 0U);
    grant(50, 0ms);
    ASSERT_NE(budget.ask(1'000, time.now()), 0U);
    grant(50, 50ms);
    EXPECT_EQ(budget.ask(1'000, time.now()), 0U);
    time.advance(50ms);
    EXPECT_EQ(take_all(), 51) << "the first, and the first of the next";
    EXPECT_NE(budget.ask(1'000, time.now()), 0U);
}

TEST_F(RateBudgetTest, ASliceIsSpentEvenlyOverItsTime) {
    grant(50, 10ms);
    EXPECT_EQ(take_all(), 0) << "it has not begun";
    EXPECT_EQ(budget.ready_at(time.now()), time.now() + 10ms);
    time.advance(10ms);
    int sent = 0;
    for (int ms = 0; ms < 50; ++ms) {
        sent += take_all();
        EXPECT_GE(sent, ms);
        EXPECT_LE(sent, ms + 1);
        EXPECT_GT(budget.ready_at(time.now()), time.now()) << "a lane that is told now asks again at once";
        if (sent < 50) {
            EXPECT_LE(budget.ready_at(time.now()), time.now() + 4ms);
        }
        time.advance(1ms);
    }
    EXPECT_EQ(sent + take_all(), 50);
}

TEST_F(RateBudgetTest, WhatIsNotUsedInTimeIsLost) {
    grant(50, 0ms);
    time.advance(150ms);
    EXPECT_EQ(take_all(), 50) << "a short while is no harm";
    grant(50, 0ms);
    time.advance(151ms);
    EXPECT_EQ(take_all(), 0);
}

TEST_F(RateBudgetTest, AnEmptyAnswerIsAnAnswer) {
    ASSERT_NE(budget.ask(10, time.now()), 0U);
    grant(0, 0ms);
    EXPECT_EQ(take_all(), 0);
    EXPECT_EQ(budget.ask(10, time.now()), 10U);
}

TEST_F(RateBudgetTest, WhileNobodyAnswersItsUsualPartIsSpent) {
    budget.failed(time.now());
    time.advance(50ms);
    EXPECT_EQ(take_all(), 0) << "nothing is usual yet";
    // For two seconds it is given half of the rate.
    for (int slices = 0; slices < 40; ++slices) {
        grant(25, 0ms);
        time.advance(50ms);
        EXPECT_EQ(take_all(), 25);
    }
    grant(0, 0ms);
    int sent = 0;
    for (int failures = 0; failures < 20; ++failures) {
        budget.failed(time.now());
        time.advance(50ms);
        sent += take_all();
    }
    EXPECT_NEAR(sent, 500, 20) << "of the second that these take";
}

TEST_F(RateBudgetTest, FailuresOneAfterAnotherGiveNoMoreThanTheUsualPart) {
    for (int slices = 0; slices < 40; ++slices) {
        grant(25, 0ms);
        time.advance(50ms);
        take_all();
    }
    grant(0, 0ms);
    for (int failures = 0; failures < 100; ++failures) {
        budget.failed(time.now());
    }
    time.advance(50ms);
    EXPECT_LE(take_all(), 26);
    time.advance(1s);
    EXPECT_EQ(take_all(), 0) << "and what is left of it is stale after a while";
}

TEST_F(RateBudgetTest, WhatIsUsualIsNeverMoreThanTheRate) {
    grant(90'000, 0ms, 1ms);
    time.advance(2s);
    grant(90'000, 0ms, 1ms);
    time.advance(1s);
    EXPECT_EQ(take_all(), 0) << "stale";
    budget.failed(time.now());
    time.advance(50ms);
    EXPECT_LE(take_all(), 50);
}

}  // namespace
}  // namespace tocsin
