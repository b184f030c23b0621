#include "tests/engine/delivery/lane_fixture.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::increment;
using testing::LaneTest;

TEST_F(LaneTest, NothingLeavesForADeviceThatWasForgottenWhileItWaited) {
    const auto line = make();
    page& only = add(*line, 3);
    line->forget("device-1", time.now());
    EXPECT_EQ(take_all(*line).size(), 2U);
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:cancelled"), 1U);
}

TEST_F(LaneTest, ADeviceThatCameBackIsSentToFromPagesThatWereReadLater) {
    const auto line = make();
    line->forget("device-1", time.now());
    time.advance(1ms);
    const auto later = testing::make_event(time);
    pages.push_back(testing::make_page(later, 3, content, 1'000, time.now()));
    line->add(*pages.back(), priority::normal);
    EXPECT_EQ(take_all(*line).size(), 3U);
}

TEST_F(LaneTest, AFewDoubtfulTokensAmongManyGoodOnesAreRemoved) {
    const auto line = make();
    page& only = add(*line, 100);
    const auto taken = take_all(*line);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const bool bad = i % 10 == 0;
        line->settle(
            *taken[i], answer(bad ? reaction::doubt_token : reaction::accept, bad ? "BadDeviceToken" : ""),
            time.now());
    }
    ASSERT_EQ(done, std::vector{&only});
    const auto sums = only.settlement(true);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:dead"), 10U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 90U);
    EXPECT_EQ(sums.dead.size(), 10U);
}

TEST_F(LaneTest, ATownOfDoubtfulTokensPausesTheLaneAndRemovesNobody) {
    const auto line = make();
    page& only = add(*line, 100);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    }
    EXPECT_TRUE(done.empty());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->bound(time.now()), lane_bound::credential);
    EXPECT_EQ(line->waiting(), 100U);
    // Tried from time to time, with a handful, and never believed.
    time.advance(61s);
    line->tick(time.now());
    const auto probes = take_all(*line);
    EXPECT_EQ(probes.size(), 5U);
    for (push* const item : probes) {
        line->settle(*item, answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    }
    EXPECT_EQ(line->waiting(), 100U);
    EXPECT_EQ(line->take(time.now()), nullptr);
    // The operator corrects the configuration: everybody is sent to.
    line->resume();
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 100U);
    for (push* const item : taken) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    EXPECT_EQ(done, std::vector{&only});
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:accepted"), 100U);
}

TEST_F(LaneTest, ASmallPageOfDoubtfulTokensDoesNotSlipThroughWhileTheCredentialIsInDoubt) {
    const auto line = make();
    add(*line, 40);
    page& small = add(*line, 2);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    }
    time.advance(61s);
    line->tick(time.now());
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    }
    EXPECT_TRUE(done.empty());
    EXPECT_FALSE(small.done());
}

TEST_F(LaneTest, DoubtfulTokensAreNotRemovedInTheHurryOfAShutdown) {
    const auto line = make();
    page& only = add(*line, 3);
    const auto taken = take_all(*line);
    line->settle(*taken[0], answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    line->stop(time.now());
    line->settle(*taken[1], answer(reaction::accept), time.now());
    line->settle(*taken[2], answer(reaction::accept), time.now());
    ASSERT_EQ(done, std::vector{&only});
    const auto sums = only.settlement(true);
    EXPECT_TRUE(sums.dead.empty());
    EXPECT_EQ(sums.parked.size(), 1U);
}

TEST_F(LaneTest, ADeviceThatRegisteredAfterItsDeathNoticeStays) {
    const auto line = make();
    page& only = add(*line, 1, testing::make_event(time), 2'000'000);
    verdict gone = answer(reaction::drop_token, "Unregistered");
    gone.dead_since = wall_time(std::chrono::seconds(1'999'999));
    line->settle(*line->take(time.now()), gone, time.now());
    const auto sums = only.settlement(true);
    EXPECT_TRUE(sums.dead.empty());
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 1U);
}

}  // namespace
}  // namespace tocsin
