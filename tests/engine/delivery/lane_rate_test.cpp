#include "tests/engine/delivery/lane_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::increment;
using testing::LaneTest;

TEST_F(LaneTest, AnUnusableCredentialHoldsTheLaneAndReloadReleasesIt) {
    const auto line = make();
    add(*line, 3);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::pause_app, "InvalidProviderToken"), time.now());
    }
    time.advance(1100ms);  // Two were told so before it was clear, and wait a second.
    line->tick(time.now());
    ASSERT_NE(line->take(time.now()), nullptr) << "a probe";
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->paused_because(), "InvalidProviderToken");
    line->resume();
    EXPECT_EQ(take_all(*line).size(), 2U);
}

TEST_F(LaneTest, AUsedUpQuotaHoldsTheLaneAsLongAsTheProviderSays) {
    const auto line = make();
    add(*line, 3);
    verdict quota = answer(reaction::pause_quota, "RATE_LIMIT_EXCEEDED");
    quota.retry_after = 30s;
    line->settle(*line->take(time.now()), quota, time.now());
    time.advance(29s);
    line->tick(time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    time.advance(2s);
    EXPECT_TRUE(line->tick(time.now()));
    EXPECT_EQ(take_all(*line).size(), 3U);
}

TEST_F(LaneTest, NothingLeavesWithoutASliceOfTheRate) {
    lane_settings how;
    how.rate = 100;
    const auto line = make(how);
    add(*line, 1'000);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].rate, 100U);
    EXPECT_EQ(asked[0].pushes, 5U);
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->bound(time.now()), lane_bound::rate);
    line->slice_granted(asked[0], {5, time.now(), time.now() + 50ms}, time.now());
    EXPECT_EQ(take_all(*line).size(), 1U);
    time.advance(50ms);
    EXPECT_EQ(take_all(*line).size(), 4U);
}

TEST_F(LaneTest, TheRateIsKeptOverTime) {
    lane_settings how;
    how.rate = 100;
    const auto line = make(how);
    add(*line, 1'000);
    std::size_t sent = 0;
    time_point given_out = time.now();
    for (int ms = 0; ms < 2'000; ms += 10) {
        for (const slice_question& question : std::exchange(asked, {})) {
            given_out = std::max(given_out, time.now());
            const time_point until = given_out + question.pushes * 10ms;
            line->slice_granted(question, {question.pushes, given_out, until}, time.now());
            given_out = until;
        }
        sent += take_all(*line).size();
        time.advance(10ms);
    }
    EXPECT_GE(sent, 195U);
    EXPECT_LE(sent, 206U);
}

TEST_F(LaneTest, WhatAProviderRefusesHasUsedUpTheRateAsWell) {
    lane_settings how;
    how.rate = 100;
    const auto line = make(how);
    add(*line, 1'000);
    line->slice_granted(asked[0], {5, time.now() - 50ms, time.now()}, time.now());
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 5U);
    line->settle(*taken[0], answer(reaction::reject_push, "BadTopic"), time.now());
    line->settle(*taken[1], answer(reaction::drop_token, "UNREGISTERED"), time.now());
    line->settle(*taken[2], answer(reaction::retry_here, "QUOTA_EXCEEDED"), time.now());
    line->settle(*taken[3], answer(reaction::resend), time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->bound(time.now()), lane_bound::rate);
}

TEST_F(LaneTest, APageIsToldWhatHeldItUp) {
    lane_settings how;
    how.rate = 100;
    const auto line = make(how);
    const auto event = testing::make_event(time);
    pages.push_back(testing::make_page(event, 5, content));
    page& only = *pages.back();
    line->begin_reading(only, time.now());
    time.advance(30ms);
    line->end_reading(time.now());
    line->add(only, priority::normal);
    EXPECT_EQ(line->take(time.now()), nullptr);
    time.advance(200ms);
    line->tick(time.now());
    line->slice_granted(asked[0], {5, time.now() - 50ms, time.now()}, time.now());
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 5U);
    time.advance(20ms);
    for (push* const item : taken) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    ASSERT_EQ(done.size(), 1U);
    line->close_account(only, time.now());
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "b:mairies/fcm:redis"), 30'000U);
    EXPECT_EQ(increment(sums, "b:mairies/fcm:rate"), 200'000U);
    EXPECT_EQ(increment(sums, "b:mairies/fcm:answers"), 20'000U);
    EXPECT_EQ(increment(sums, "b:mairies/fcm:engine"), 0U);
}

TEST_F(LaneTest, ReadsAheadAQuarterOfASecondOfItsRateForEachUrgency) {
    lane_settings how;
    how.rate = 2'000;
    const auto line = make(how);
    EXPECT_TRUE(line->hungry(priority::low));
    add(*line, 500, priority::low);
    EXPECT_FALSE(line->hungry(priority::low));
    EXPECT_TRUE(line->hungry(priority::normal));
    EXPECT_EQ(hungry_again, 0);
    line->slice_granted(asked[0], {100, time.now() - 50ms, time.now()}, time.now());
    ASSERT_NE(line->take(time.now()), nullptr);
    EXPECT_EQ(hungry_again, 1);
    EXPECT_TRUE(line->hungry(priority::low));
    // Told once, not with each push.
    ASSERT_NE(line->take(time.now()), nullptr);
    EXPECT_EQ(hungry_again, 1);
}

TEST_F(LaneTest, NamesWhatBindsIt) {
    const auto line = make();
    EXPECT_EQ(line->bound(time.now()), lane_bound::idle);
    add(*line, 2);
    EXPECT_EQ(line->bound(time.now()), lane_bound::engine);
    line->observe(true, false, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::streams);
    const auto taken = take_all(*line);
    EXPECT_EQ(line->bound(time.now()), lane_bound::answers);
    for (push* const item : taken) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    EXPECT_EQ(line->bound(time.now()), lane_bound::idle);
}

TEST_F(LaneTest, StreamsInUseAreTheEnginesSlownessIfItIsBusyAndAnswersCome) {
    const auto line = make();
    add(*line, 100);
    std::vector<push*> flying;
    for (int i = 0; i < 40; ++i) {
        flying.push_back(line->take(time.now()));
    }
    // Nobody answers: however busy we are, that is the provider.
    line->observe(true, true, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::streams);
    for (int i = 0; i < 20; ++i) {
        line->settle(*flying[static_cast<std::size_t>(i)], answer(reaction::accept), time.now());
    }
    time.advance(100ms);
    line->observe(true, true, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::engine);
    // They come, and we are not busy: there are too few streams.
    line->settle(*flying[20], answer(reaction::accept), time.now());
    time.advance(100ms);
    line->observe(true, false, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::streams);
}

TEST_F(LaneTest, ALaneThatNobodyAnswersGetsByOnItsUsualPart) {
    lane_settings how;
    how.rate = 1'000;
    const auto line = make(how);
    add(*line, 10'000);
    // For three seconds it is given half of the rate.
    time_point given_out = time.now();
    for (int ms = 0; ms < 3'000; ms += 10) {
        for (const slice_question& question : std::exchange(asked, {})) {
            given_out = std::max(given_out, time.now());
            const time_point until = given_out + question.pushes * 2ms;
            line->slice_granted(question, {question.pushes, given_out, until}, time.now());
            given_out = until;
        }
        take_all(*line);
        time.advance(10ms);
    }
    std::size_t sent = 0;
    for (int ms = 0; ms < 2'000; ms += 10) {
        for (const slice_question& question : std::exchange(asked, {})) {
            line->slice_failed(question, time.now());
        }
        sent += take_all(*line).size();
        time.advance(10ms);
    }
    EXPECT_GE(sent, 800U);
    EXPECT_LE(sent, 1'100U);
}

TEST_F(LaneTest, ACriticalPushAsksForAPartOfItsOwn) {
    lane_settings how;
    how.rate = 100;
    const auto line = make(how);
    add(*line, 1'000);
    asked.clear();
    page& alert = add(*line, 2, priority::critical);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_TRUE(asked[0].critical);
    EXPECT_EQ(asked[0].pushes, 2U);
    line->slice_granted(asked[0], {2, time.now() - 20ms, time.now()}, time.now());
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0]->owner, &alert);
}

TEST_F(LaneTest, WhatAnOperatorHoldsWaitsAndStillExpires) {
    const auto line = make();
    line->set_held(true);
    add(*line, 2);
    page& short_lived = add(*line, 1, testing::make_event(time, priority::normal, 10s));
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->bound(time.now()), lane_bound::operator_hold);
    EXPECT_FALSE(line->paused_because().empty());
    time.advance(11s);
    line->tick(time.now());
    EXPECT_EQ(done, std::vector{&short_lived});
    line->set_held(false);
    EXPECT_EQ(take_all(*line).size(), 2U);
}

TEST_F(LaneTest, AUsedUpQuotaIsToldOnceAndHoldsTheLane) {
    const auto line = make();
    add(*line, 3);
    const auto taken = take_all(*line);
    verdict full = answer(reaction::pause_quota, "QUOTA_EXCEEDED");
    full.retry_after = 5s;
    for (push* const item : taken) {
        line->settle(*item, full, time.now());
    }
    EXPECT_EQ(used_up, std::vector<std::chrono::milliseconds>{5s});
    time.advance(4'900ms);
    EXPECT_EQ(line->take(time.now()), nullptr);
    time.advance(100ms);
    EXPECT_EQ(take_all(*line).size(), 3U);
}

TEST_F(LaneTest, AnotherLanesQuotaHoldsThisOneToo) {
    const auto line = make();
    add(*line, 1);
    line->hold_quota(time.now() + 5s);
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->bound(time.now()), lane_bound::quota);
    time.advance(5s);
    EXPECT_NE(line->take(time.now()), nullptr);
}

}  // namespace
}  // namespace tocsin
