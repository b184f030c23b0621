#include "engine/delivery/retry_policy.hpp"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

int affordable(retry_budget& budget) {
    int count = 0;
    while (budget.affordable()) {
        budget.spend();
        ++count;
    }
    return count;
}

TEST(RetryBudget, IsSpentByAnOutageAndEarnedByFirstTries) {
    retry_budget budget;
    EXPECT_EQ(affordable(budget), 200);
    for (int i = 0; i < 1'000; ++i) {
        budget.first_try();
    }
    EXPECT_NEAR(affordable(budget), 200, 1);
}

TEST(RetryBudget, TimeFillsItUpToWhereItBegan) {
    retry_budget budget;
    affordable(budget);
    budget.time_passed(5s);
    EXPECT_EQ(affordable(budget), 50);
    budget.time_passed(1h);
    EXPECT_EQ(affordable(budget), 200);
}

TEST(RetryPolicy, WaitsAsLongAsTheProviderAsksAndATenthAtMostOnTop) {
    const retry_policy policy;
    std::minstd_rand random(1);
    for (int i = 0; i < 100; ++i) {
        const auto delay = policy.delay(1, 20s, true, random);
        EXPECT_GE(delay, 20s);
        EXPECT_LE(delay, 22s + 1ms);
    }
}

TEST(RetryPolicy, BacksOffFromItsFloorUpToItsCap) {
    const retry_policy policy{100ms, 1s};
    std::minstd_rand random(1);
    for (int i = 0; i < 100; ++i) {
        const auto first = policy.delay(1, std::nullopt, true, random);
        EXPECT_GE(first, 100ms);
        EXPECT_LE(first, 200ms);
        EXPECT_LE(policy.delay(30, std::nullopt, true, random), 1'100ms);
    }
}

TEST(RetryPolicy, BeyondTheBudgetHalfAMinuteToAMinutePasses) {
    const retry_policy policy{100ms, 1s};
    std::minstd_rand random(1);
    for (int i = 0; i < 100; ++i) {
        const auto delay = policy.delay(1, std::nullopt, false, random);
        EXPECT_GE(delay, 30s);
        EXPECT_LE(delay, 60s);
        EXPECT_GE(policy.delay(1, 5min, false, random), 5min);
    }
}

}  // namespace
}  // namespace tocsin
