#include "engine/delivery/shared_rate.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

std::vector<slice_question> wanted(
    shared_rate& rate, std::size_t critical, std::size_t others, time_point now = start) {
    std::vector<slice_question> out;
    rate.want(critical, others, now, [&](const slice_question& what) { out.push_back(what); });
    return out;
}

TEST(SharedRate, WithoutALimitNothingIsAskedForAndEverythingGoes) {
    shared_rate rate(0, start);
    EXPECT_TRUE(wanted(rate, 10, 10).empty());
    EXPECT_TRUE(rate.afford(false, start));
    EXPECT_EQ(rate.limited_until(), time_point{});
}

TEST(SharedRate, AnAlertSpendsItsOwnSliceFirstAndThenEverybodys) {
    shared_rate rate(1'000, start);
    const auto asked = wanted(rate, 1, 1);
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_TRUE(asked[0].critical);
    EXPECT_FALSE(asked[1].critical);
    rate.granted(asked[0], {1, start - 1ms, start}, start);
    rate.granted(asked[1], {1, start - 1ms, start}, start);
    EXPECT_TRUE(rate.afford(true, start));
    EXPECT_TRUE(rate.afford(true, start));
    EXPECT_FALSE(rate.afford(true, start));
}

TEST(SharedRate, OthersDoNotSpendTheAlertsSlice) {
    shared_rate rate(1'000, start);
    const auto asked = wanted(rate, 5, 0);
    ASSERT_EQ(asked.size(), 1U);
    rate.granted(asked[0], {5, start - 5ms, start}, start);
    EXPECT_FALSE(rate.afford(false, start));
    EXPECT_NE(rate.limited_until(), time_point{});
    EXPECT_TRUE(rate.afford(true, start));
}

TEST(SharedRate, ASliceOfAnEarlierRateIsNotSpent) {
    shared_rate rate(1'000, start);
    const auto asked = wanted(rate, 0, 50);
    ASSERT_EQ(asked.size(), 1U);
    rate.set(10, start);
    rate.granted(asked[0], {50, start - 50ms, start}, start);
    EXPECT_FALSE(rate.afford(false, start));
    // And another may be asked for at once.
    const auto again = wanted(rate, 0, 50);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].rate, 10U);
}

TEST(SharedRate, NotYetIsForgottenWhenItsTimeHasCome) {
    shared_rate rate(1'000, start);
    const auto asked = wanted(rate, 0, 50);
    rate.granted(asked[0], {50, start, start + 50ms}, start);
    EXPECT_TRUE(rate.afford(false, start));
    EXPECT_FALSE(rate.afford(false, start));
    const time_point until = rate.limited_until();
    EXPECT_GT(until, start);
    rate.look(until - 1ns);
    EXPECT_EQ(rate.limited_until(), until);
    rate.look(until);
    EXPECT_EQ(rate.limited_until(), time_point{});
}

}  // namespace
}  // namespace tocsin
