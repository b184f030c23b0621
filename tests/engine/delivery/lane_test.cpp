#include "engine/core/histogram.hpp"
#include "tests/engine/delivery/lane_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::increment;
using testing::LaneTest;

TEST_F(LaneTest, ACriticalPushOvertakesWhatWaits) {
    const auto line = make();
    add(*line, 100, priority::normal);
    page& alert = add(*line, 1, priority::critical);
    EXPECT_TRUE(line->urgent());
    EXPECT_EQ(line->take(time.now()), alert.pushes().data());
    EXPECT_FALSE(line->urgent());
}

TEST_F(LaneTest, LowPriorityIsNotStarved) {
    const auto line = make();
    add(*line, 1'000, priority::high);
    page& low = add(*line, 10, priority::low);
    int before = 0;
    while (line->take(time.now())->owner != &low) {
        ASSERT_LT(++before, 50);
    }
}

TEST_F(LaneTest, APageIsDoneWithItsLastPush) {
    const auto line = make();
    page& only = add(*line, 3);
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 3U);
    line->settle(*taken[0], answer(reaction::accept), time.now());
    line->settle(*taken[1], answer(reaction::reject_push, "BadTopic"), time.now());
    EXPECT_TRUE(done.empty());
    line->settle(*taken[2], answer(reaction::drop_token, "UNREGISTERED"), time.now());
    EXPECT_EQ(done, std::vector{&only});
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 1U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 1U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:dead"), 1U);
    EXPECT_EQ(increment(sums, "r:fcm:UNREGISTERED"), 1U);
}

TEST_F(LaneTest, NothingLeavesAfterTheExpiryHoweverItWaited) {
    const auto line = make();
    const auto event = testing::make_event(time, priority::normal, 10s);
    page& only = add(*line, 2, event);
    time.advance(10s);
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:expired"), 2U);
}

TEST_F(LaneTest, ExpiryIsNoticedAlsoWhenNobodyTakes) {
    const auto line = make();
    const auto event = testing::make_event(time, priority::normal, 10s);
    add(*line, 2, event);
    time.advance(11s);
    line->tick(time.now());
    EXPECT_EQ(done.size(), 1U);
}

TEST_F(LaneTest, ACancelledEventIsCountedAndNotSent) {
    const auto line = make();
    const auto event = testing::make_event(time);
    page& only = add(*line, 5, event);
    ASSERT_NE(line->take(time.now()), nullptr);
    event->cancelled = true;
    EXPECT_EQ(line->take(time.now()), nullptr);
    line->settle(only.pushes()[0], answer(reaction::accept), time.now());
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:cancelled"), 4U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 1U);
}

TEST_F(LaneTest, AnEventThatSeveralDevicesCannotBeSentIsNotSentToTheOthers) {
    const auto line = make();
    page& only = add(*line, 50);
    for (int refused = 0; refused < 30; ++refused) {
        line->settle(*line->take(time.now()), answer(reaction::reject_event, "BadPriority"), time.now());
    }
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:rejected"), 50U);
}

TEST_F(LaneTest, WhatExpiresForWantOfACredentialOrAConnectionSaysSo) {
    const auto line = make();
    page& without_credential = add(*line, 3);
    line->observe_provider(false, false, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::credential);
    time.advance(2h);
    line->tick(time.now());
    const page_settlement failed = without_credential.settlement();
    EXPECT_EQ(increment(failed, "o:mairies/fcm:failed"), 3U);
    EXPECT_EQ(increment(failed, "r:fcm:CredentialUnusable"), 3U);

    line->observe_provider(true, false, time.now());
    page& unreachable = add(*line, 3);
    time.advance(2h);
    line->tick(time.now());
    const page_settlement expired = unreachable.settlement();
    EXPECT_EQ(increment(expired, "o:mairies/fcm:expired"), 3U);
    EXPECT_EQ(increment(expired, "r:fcm:ProviderUnreachable"), 3U);
}

TEST_F(LaneTest, OneStrangeRefusalDoesNotSilenceAnEvent) {
    const auto line = make();
    page& only = add(*line, 5);
    push* const strange = line->take(time.now());
    line->settle(*strange, answer(reaction::reject_event, "INVALID_ARGUMENT"), time.now());
    for (push* const other : take_all(*line)) {
        line->settle(*other, answer(reaction::accept), time.now());
    }
    const page_settlement sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 4U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 1U);
}

TEST_F(LaneTest, AShortRetryWaitsInMemoryAndALongOneInRedis) {
    lane_settings how;
    how.retries.floor = 500ms;
    how.longest_wait_in_memory = 2s;
    const auto line = make(how);
    page& only = add(*line, 2);
    const auto taken = take_all(*line);
    line->settle(*taken[0], answer(reaction::retry_elsewhere, "UNAVAILABLE"), time.now());
    verdict later = answer(reaction::retry_here, "QUOTA_EXCEEDED");
    later.retry_after = 60s;
    line->settle(*taken[1], later, time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_LE(line->next_look(), time.now() + 2s);
    time.advance(2s);
    EXPECT_TRUE(line->tick(time.now()));
    EXPECT_EQ(line->take(time.now()), taken[0]);
    line->settle(*taken[0], answer(reaction::accept), time.now());
    ASSERT_EQ(done.size(), 1U);
    const auto sums = only.settlement();
    ASSERT_EQ(sums.parked.size(), 1U);
    EXPECT_GE(sums.parked[0].first, (time.wall_now() + 58s).time_since_epoch().count());
    EXPECT_EQ(increment(sums, "retries"), 2U);
    EXPECT_EQ(decode_listed(sums.parked[0].second)->front().attempts, 1);
}

TEST_F(LaneTest, RetriesAreBounded) {
    lane_settings how;
    how.max_attempts = 3;
    how.retries.floor = 10ms;
    how.longest_wait_in_memory = 1h;
    const auto line = make(how);
    page& only = add(*line, 1);
    int tries = 0;
    while (done.empty()) {
        time.advance(1min);
        line->tick(time.now());
        push* const item = line->take(time.now());
        ASSERT_NE(item, nullptr);
        ASSERT_LT(++tries, 10);
        line->settle(*item, answer(reaction::retry_here, "QUOTA_EXCEEDED"), time.now());
    }
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:failed"), 1U);
}

TEST_F(LaneTest, WhomTheProviderPutsOffBeyondTheExpiryIsExpiredAtOnce) {
    const auto line = make();
    page& only = add(*line, 1, testing::make_event(time, priority::normal, 30s));
    verdict later = answer(reaction::retry_here, "QUOTA_EXCEEDED");
    later.retry_after = 60s;
    later.told = true;
    line->settle(*line->take(time.now()), later, time.now());
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:expired"), 1U);
}

TEST_F(LaneTest, WhatMayHaveBeenSentIsWrittenDownBeforeItIsSentAgain) {
    lane_settings how;
    how.retries.floor = 10ms;
    const auto line = make(how);
    page& only = add(*line, 1);
    line->settle(*line->take(time.now()), answer(reaction::unknown), time.now());
    ASSERT_EQ(done, std::vector{&only});
    const auto sums = only.settlement();
    ASSERT_EQ(sums.parked.size(), 1U);
    const auto parked = decode_listed(sums.parked[0].second);
    ASSERT_TRUE(parked.has_value());
    EXPECT_TRUE(parked->front().maybe_sent);
    EXPECT_EQ(increment(sums, "possible_duplicates"), 0U);
}

TEST_F(LaneTest, WhatWasCertainlyNotProcessedIsFreeToResendButNotForEver) {
    const auto line = make();
    page& only = add(*line, 1);
    for (int i = 0; i < 8; ++i) {
        push* item = line->take(time.now());
        if (item == nullptr) {
            time.advance(1s);
            line->tick(time.now());
            item = line->take(time.now());
        }
        ASSERT_NE(item, nullptr);
        line->settle(*item, answer(reaction::resend), time.now());
        EXPECT_EQ(item->attempts, 0);
    }
    for (int i = 0; i < 20 && done.empty(); ++i) {
        time.advance(1h - 1s - 1s);
        line->tick(time.now());
        if (push* const item = line->take(time.now())) {
            line->settle(*item, answer(reaction::resend), time.now());
        }
    }
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(increment(only.settlement(), "possible_duplicates"), 0U);
}

TEST_F(LaneTest, APushThatAChannelKeepsIsNoLongerWantedOnceItsEventIsOver) {
    const auto line = make();
    const auto event = testing::make_event(time, priority::normal, 10s);
    add(*line, 2, event);
    push* const kept = line->take(time.now());
    EXPECT_TRUE(line->wanted(*kept, time.now()));
    event->cancelled = true;
    EXPECT_FALSE(line->wanted(*kept, time.now()));
    event->cancelled = false;
    line->forget("device-0", time.now());
    EXPECT_FALSE(line->wanted(*kept, time.now()));
}

TEST_F(LaneTest, AnAcceptanceIsTimedFromTheReadingOfTheEvent) {
    const auto line = make();
    page& only = add(*line, 1);
    push* const item = line->take(time.now());
    time.advance(250ms);
    line->settle(*item, answer(reaction::accept), time.now());
    EXPECT_EQ(increment(only.settlement(), "h:" + std::to_string(log_linear::index_of(250))), 1U);
}

TEST_F(LaneTest, AnOutageSpendsTheBudgetOfRetriesAndTheRestWaits) {
    lane_settings how;
    how.retries.floor = 10ms;
    how.longest_wait_in_memory = 0ms;
    const auto line = make(how);
    page& only = add(*line, 1'000);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::retry_here, "TooManyRequests"), time.now());
    }
    const auto sums = only.settlement();
    ASSERT_EQ(sums.parked.size(), 1'000U);
    const auto soon = std::ranges::count_if(sums.parked, [this](const auto& parked) {
        return parked.first < (time.wall_now() + 30s).time_since_epoch().count();
    });
    // 200 to begin with, and a fifth of what was sent.
    EXPECT_NEAR(static_cast<double>(soon), 400, 1);
}

TEST_F(LaneTest, FewRetriesAmongManyPushesAreNotHeldBack) {
    lane_settings how;
    how.retries.floor = 10ms;
    how.longest_wait_in_memory = 0ms;
    const auto line = make(how);
    page& only = add(*line, 10'000);
    const auto taken = take_all(*line);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const bool bad = i % 10 == 0;
        line->settle(
            *taken[i], answer(bad ? reaction::retry_here : reaction::accept, bad ? "TooManyRequests" : ""),
            time.now());
    }
    for (const auto& [due, member] : only.settlement().parked) {
        EXPECT_LT(due, (time.wall_now() + 30s).time_since_epoch().count());
    }
}

TEST_F(LaneTest, StoppingParksWhatWaitsAndSeesTheRestToItsEnd) {
    const auto line = make();
    page& only = add(*line, 3);
    push* const flying = line->take(time.now());
    line->stop(time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_TRUE(done.empty());
    line->settle(*flying, answer(reaction::accept), time.now());
    ASSERT_EQ(done.size(), 1U);
    const auto sums = only.settlement();
    EXPECT_EQ(sums.parked.size(), 2U);
    EXPECT_EQ(increment(sums, "targeted"), 3U);
    EXPECT_FALSE(decode_listed(sums.parked[0].second)->front().maybe_sent);
}

TEST_F(LaneTest, AnAbandonedAnswerIsParkedAsPerhapsSent) {
    const auto line = make();
    page& only = add(*line, 1);
    push* const flying = line->take(time.now());
    line->stop(time.now());
    line->abandon(*flying);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_TRUE(decode_listed(only.settlement().parked[0].second)->front().maybe_sent);
}

}  // namespace
}  // namespace tocsin
