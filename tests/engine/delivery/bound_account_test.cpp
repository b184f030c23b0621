#include "engine/delivery/bound_account.hpp"

#include <chrono>
#include <cstddef>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

duration of(const bound_times& times, lane_bound by) {
    return times[static_cast<std::size_t>(by)];
}
double of(const std::array<double, lane_bound_count>& shares, lane_bound by) {
    return shares[static_cast<std::size_t>(by)];
}

TEST(BoundAccount, ALookGoesForTheTimeSinceTheLastOne) {
    bound_account account(start);
    EXPECT_EQ(account.add(lane_bound::rate, start + 300ms), 300ms);
    EXPECT_EQ(account.add(lane_bound::engine, start + 400ms), 100ms);
    EXPECT_EQ(account.add(lane_bound::rate, start + 1s), 600ms);
    EXPECT_EQ(of(account.totals(), lane_bound::rate), 900ms);
    EXPECT_EQ(of(account.totals(), lane_bound::engine), 100ms);
}

TEST(BoundAccount, TimeThatWentBackCountsNothing) {
    bound_account account(start);
    account.add(lane_bound::rate, start + 1s);
    EXPECT_EQ(account.add(lane_bound::engine, start), 0ms);
    EXPECT_EQ(account.add(lane_bound::engine, start + 1s), 0ms);
}

TEST(BoundAccount, SharesAreOfTheLastSecondsAlone) {
    bound_account account(start);
    for (auto now = start; now < start + 1min; now += 100ms) {
        account.add(lane_bound::engine, now);
    }
    for (auto now = start + 1min; now < start + 1min + 11s; now += 100ms) {
        account.add(lane_bound::quota, now);
    }
    EXPECT_DOUBLE_EQ(of(account.lately(), lane_bound::quota), 1);
    EXPECT_DOUBLE_EQ(of(account.lately(), lane_bound::engine), 0);
    EXPECT_GT(of(account.totals(), lane_bound::engine), 59s);
}

TEST(BoundAccount, SharesAddUpToOneAndToNothingBeforeTheFirstLook) {
    bound_account account(start);
    EXPECT_DOUBLE_EQ(of(account.lately(), lane_bound::idle), 0);
    account.add(lane_bound::streams, start + 3s);
    account.add(lane_bound::redis, start + 4s);
    EXPECT_DOUBLE_EQ(of(account.lately(), lane_bound::streams), 0.75);
    EXPECT_DOUBLE_EQ(of(account.lately(), lane_bound::redis), 0.25);
}

}  // namespace
}  // namespace tocsin
