#include "engine/delivery/lane.hpp"

#include "engine/core/histogram.hpp"
#include "tests/engine/delivery/page_fixture.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::increment;

class LaneTest : public ::testing::Test {
protected:
    std::unique_ptr<lane> make(lane_settings how = {}) {
        lane_events tell;
        tell.page_done = [this](page& which) { done.push_back(&which); };
        tell.slice_wanted = [this](const slice_question& what) { asked.push_back(what); };
        tell.hungry = [this] { ++hungry; };
        tell.quota_used_up = [this](std::chrono::milliseconds rest) { used_up.push_back(rest); };
        return std::make_unique<lane>(
            target{"mairies", platform::fcm}, how, time, log, numbers.add_shard(), 1, std::move(tell));
    }
    page& add(
        lane& to, std::size_t count, const std::shared_ptr<active_event>& event,
        std::uint32_t registered_at = 1'000) {
        pages.push_back(testing::make_page(event, count, content, registered_at));
        to.add(*pages.back(), event->content.priority);
        return *pages.back();
    }
    page& add(lane& to, std::size_t count, priority urgency = priority::normal) {
        return add(to, count, testing::make_event(time, urgency));
    }
    verdict answer(reaction action, std::string_view reason = "") {
        verdict out;
        out.action = action;
        out.status = 400;
        out.reason = reason;
        return out;
    }
    std::vector<push*> take_all(lane& from) {
        std::vector<push*> out;
        while (push* const item = from.take(time.now())) {
            out.push_back(item);
        }
        return out;
    }

    testing::manual_time time;
    null_logger log;
    metrics numbers;
    testing::plain_message content;
    std::vector<std::unique_ptr<page>> pages;
    std::vector<page*> done;
    std::vector<slice_question> asked;
    int hungry = 0;
    std::vector<std::chrono::milliseconds> used_up;
};

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
    const auto sums = only.settlement(true);
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
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:expired"), 2U);
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
    const auto sums = only.settlement(true);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:cancelled"), 4U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 1U);
}

TEST_F(LaneTest, AnEventThatSeveralDevicesCannotBeSentIsNotSentToTheOthers) {
    const auto line = make();
    page& only = add(*line, 5);
    for (int refused = 0; refused < 3; ++refused) {
        line->settle(*line->take(time.now()), answer(reaction::reject_event, "BadPriority"), time.now());
    }
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:rejected"), 5U);
}

TEST_F(LaneTest, WhatExpiresForWantOfACredentialOrAConnectionSaysSo) {
    const auto line = make();
    page& without_credential = add(*line, 3);
    line->observe_provider(false, false, time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::credential);
    time.advance(2h);
    line->tick(time.now());
    const page_settlement failed = without_credential.settlement(true);
    EXPECT_EQ(increment(failed, "o:mairies/fcm:failed"), 3U);
    EXPECT_EQ(increment(failed, "r:fcm:CredentialUnusable"), 3U);

    line->observe_provider(true, false, time.now());
    page& unreachable = add(*line, 3);
    time.advance(2h);
    line->tick(time.now());
    const page_settlement expired = unreachable.settlement(true);
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
    const page_settlement sums = only.settlement(true);
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
    const auto sums = only.settlement(true);
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
        line->settle(*item, answer(reaction::retry_elsewhere, "INTERNAL"), time.now());
    }
    EXPECT_EQ(tries, 3);
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:failed"), 1U);
}

TEST_F(LaneTest, ARetryThatCannotComeInTimeIsExpiredAtOnce) {
    const auto line = make();
    page& only = add(*line, 1, testing::make_event(time, priority::normal, 30s));
    verdict later = answer(reaction::retry_here, "QUOTA_EXCEEDED");
    later.retry_after = 60s;
    line->settle(*line->take(time.now()), later, time.now());
    EXPECT_EQ(increment(only.settlement(true), "o:mairies/fcm:expired"), 1U);
}

TEST_F(LaneTest, WhatMayHaveBeenSentIsWrittenDownBeforeItIsSentAgain) {
    lane_settings how;
    how.retries.floor = 10ms;
    const auto line = make(how);
    page& only = add(*line, 1);
    line->settle(*line->take(time.now()), answer(reaction::unknown), time.now());
    ASSERT_EQ(done, std::vector{&only});
    const auto sums = only.settlement(true);
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
    EXPECT_EQ(increment(only.settlement(true), "possible_duplicates"), 0U);
}

TEST_F(LaneTest, AnUnusableCredentialHoldsTheLaneAndReloadReleasesIt) {
    const auto line = make();
    add(*line, 3);
    line->settle(*line->take(time.now()), answer(reaction::pause_app, "InvalidProviderToken"), time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_EQ(line->paused_because(), "InvalidProviderToken");
    line->resume();
    EXPECT_EQ(take_all(*line).size(), 3U);
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
    const auto sums = only.settlement(true);
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
    EXPECT_EQ(hungry, 0);
    line->slice_granted(asked[0], {100, time.now() - 50ms, time.now()}, time.now());
    ASSERT_NE(line->take(time.now()), nullptr);
    EXPECT_EQ(hungry, 1);
    EXPECT_TRUE(line->hungry(priority::low));
    // Told once, not with each push.
    ASSERT_NE(line->take(time.now()), nullptr);
    EXPECT_EQ(hungry, 1);
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

TEST_F(LaneTest, AnAcceptanceIsTimedFromTheReadingOfTheEvent) {
    const auto line = make();
    page& only = add(*line, 1);
    push* const item = line->take(time.now());
    time.advance(250ms);
    line->settle(*item, answer(reaction::accept), time.now());
    EXPECT_EQ(increment(only.settlement(true), "h:" + std::to_string(log_linear::index_of(250))), 1U);
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

TEST_F(LaneTest, AnOutageSpendsTheBudgetOfRetriesAndTheRestWaits) {
    lane_settings how;
    how.retries.floor = 10ms;
    how.longest_wait_in_memory = 0ms;
    const auto line = make(how);
    page& only = add(*line, 1'000);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::retry_elsewhere, "ServiceUnavailable"), time.now());
    }
    const auto sums = only.settlement(true);
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
    for (const auto& [due, member] : only.settlement(true).parked) {
        EXPECT_LT(due, (time.wall_now() + 30s).time_since_epoch().count());
    }
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

TEST_F(LaneTest, StoppingParksWhatWaitsAndSeesTheRestToItsEnd) {
    const auto line = make();
    page& only = add(*line, 3);
    push* const flying = line->take(time.now());
    line->stop(time.now());
    EXPECT_EQ(line->take(time.now()), nullptr);
    EXPECT_TRUE(done.empty());
    line->settle(*flying, answer(reaction::accept), time.now());
    ASSERT_EQ(done.size(), 1U);
    const auto sums = only.settlement(true);
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
    EXPECT_TRUE(decode_listed(only.settlement(true).parked[0].second)->front().maybe_sent);
}

}  // namespace
}  // namespace tocsin
