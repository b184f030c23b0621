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

TEST_F(LaneTest, NothingLeavesForADeviceThatWasForgottenWhileItWaited) {
    const auto line = make();
    page& only = add(*line, 3);
    line->forget("device-1", time.now());
    EXPECT_EQ(take_all(*line).size(), 2U);
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:cancelled"), 1U);
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

TEST_F(LaneTest, DoubtfulTokensAmongGoodOnesAreRejectedAndRemoveNobody) {
    for (const std::size_t one_in : {2U, 3U, 10U}) {
        const auto line = make();
        page& only = add(*line, 90);
        const auto taken = take_all(*line);
        for (std::size_t i = 0; i < taken.size(); ++i) {
            const bool bad = i % one_in == 0;
            line->settle(
                *taken[i],
                answer(bad ? reaction::doubt_token : reaction::accept, bad ? "SENDER_ID_MISMATCH" : ""),
                time.now());
        }
        ASSERT_EQ(done.back(), &only);
        const auto sums = only.settlement();
        EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 90 / one_in);
        EXPECT_EQ(increment(sums, "r:fcm:SENDER_ID_MISMATCH"), 90 / one_in);
        EXPECT_TRUE(sums.dead.empty());
        EXPECT_FALSE(line->bound(time.now()) == lane_bound::credential);
    }
}

TEST_F(LaneTest, AFewDoubtfulTokensByThemselvesRemoveNobodyAndEndTheirEvent) {
    for (const std::size_t devices : {1U, 5U, 19U}) {
        const auto line = make();
        page& only = add(*line, devices);
        for (push* const item : take_all(*line)) {
            line->settle(*item, answer(reaction::doubt_token, "BadDeviceToken"), time.now());
        }
        ASSERT_EQ(done.back(), &only);
        const auto sums = only.settlement();
        EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), devices);
        EXPECT_TRUE(sums.dead.empty());
    }
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
    // Tried every few seconds, with one push, and never believed.
    for (int i = 0; i < 10; ++i) {
        time.advance(4s);
        EXPECT_TRUE(line->tick(time.now()));
        const auto probes = take_all(*line);
        ASSERT_EQ(probes.size(), 1U);
        line->settle(*probes[0], answer(reaction::doubt_token, "BadDeviceToken"), time.now());
    }
    EXPECT_EQ(line->waiting(), 100U);
    // The operator corrects the configuration: everybody is sent to.
    line->resume();
    const auto taken = take_all(*line);
    ASSERT_EQ(taken.size(), 100U);
    for (push* const item : taken) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    EXPECT_EQ(done, std::vector{&only});
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:accepted"), 100U);
}

TEST_F(LaneTest, EventsTakeTurnsInBeingProbedSoThatOneTownOfDoubtfulTokensHoldsUpNoOther) {
    const auto line = make();
    const auto add_event = [&](const std::string& id, std::size_t devices) -> page& {
        const auto event = make_event(time);
        event->id = id;
        return add(*line, devices, event);
    };
    page& town = add_event("town", 100);
    page& village = add_event("village", 30);
    const auto answer_to = [&](push& item) {
        const bool bad = item.owner == &town;
        line->settle(
            item, answer(bad ? reaction::doubt_token : reaction::accept, bad ? "BadDeviceToken" : ""),
            time.now());
    };
    const auto first = line->take(time.now());
    ASSERT_EQ(first->owner, &town);
    answer_to(*first);
    for (int i = 1; i < 20; ++i) {
        answer_to(*line->take(time.now()));
    }
    ASSERT_EQ(line->bound(time.now()), lane_bound::credential);
    page& hamlet = add_event("hamlet", 1);
    for (int probes = 0; probes < 3 && line->bound(time.now()) == lane_bound::credential; ++probes) {
        time.advance(4s);
        answer_to(*line->take(time.now()));
    }
    EXPECT_NE(line->bound(time.now()), lane_bound::credential) << "another event's device was accepted";
    for (int i = 0; i < 200; ++i) {
        if (push* const item = line->take(time.now())) {
            answer_to(*item);
        }
        if (line->bound(time.now()) == lane_bound::credential) {
            time.advance(4s);
        }
    }
    EXPECT_EQ(increment(village.settlement(), "o:mairies/fcm:accepted"), 30U);
    EXPECT_EQ(increment(hamlet.settlement(), "o:mairies/fcm:accepted"), 1U);
}

TEST_F(LaneTest, ACredentialThatIsRepairedAtTheProvidersEndHealsByItself) {
    const auto line = make();
    page& only = add(*line, 100);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::pause_app, "TooManyProviderTokenUpdates"), time.now());
    }
    EXPECT_EQ(line->bound(time.now()), lane_bound::credential);
    for (int i = 0; i < 50; ++i) {
        time.advance(3s);
        line->tick(time.now());
        const auto probes = take_all(*line);
        ASSERT_LE(probes.size(), 1U);
        for (push* const item : probes) {
            line->settle(*item, answer(reaction::pause_app, "TooManyProviderTokenUpdates"), time.now());
        }
    }
    time.advance(4s);
    line->tick(time.now());
    push* const probe = line->take(time.now());
    ASSERT_NE(probe, nullptr);
    line->settle(*probe, answer(reaction::accept), time.now());
    const auto taken = take_all(*line);
    EXPECT_EQ(taken.size(), 99U);
    for (push* const item : taken) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 100U);
    EXPECT_EQ(increment(sums, "retries"), 0U);
}

TEST_F(LaneTest, ARefusalThatAnswersNoPushPausesTheLaneAndIsTheReasonOfWhatFailsForIt) {
    const auto line = make();
    page& only = add(*line, 3);
    line->refuse_credential("BadCertificate", time.now());
    EXPECT_EQ(line->bound(time.now()), lane_bound::credential);
    EXPECT_EQ(line->paused_because(), "BadCertificate");
    EXPECT_EQ(line->waiting(), 3U);
    EXPECT_TRUE(take_all(*line).empty());
    time.advance(2h);  // Nobody mends it before the event is over.
    line->tick(time.now());
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:failed"), 3U);
    EXPECT_EQ(increment(sums, "r:fcm:BadCertificate"), 3U);
}

TEST_F(LaneTest, OneRefusalThatAnswersNoPushPausesNobodyWhileOthersAreAccepted) {
    const auto line = make();
    add(*line, 100);
    line->settle(*line->take(time.now()), answer(reaction::accept), time.now());
    for (int word = 1; word <= 3; ++word) {
        EXPECT_TRUE(line->paused_because().empty()) << word;
        line->refuse_credential("InvalidProviderToken", time.now());
    }
    EXPECT_EQ(line->paused_because(), "InvalidProviderToken");
    line->resume();
    EXPECT_TRUE(line->paused_because().empty());
    EXPECT_EQ(take_all(*line).size(), 99U);
}

TEST_F(LaneTest, OneComplaintAboutTheCredentialAmongManyAcceptancesPausesNobody) {
    const auto line = make();
    page& only = add(*line, 300);
    const auto taken = take_all(*line);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        line->settle(
            *taken[i], answer(i % 100 == 7 ? reaction::pause_app : reaction::accept, "InvalidProviderToken"),
            time.now());
        EXPECT_TRUE(line->paused_because().empty());
    }
    time.advance(2s);
    line->tick(time.now());
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::accept), time.now());
    }
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:accepted"), 300U);
}

TEST_F(LaneTest, AnOutageIsProbedWithOnePushAndEndsWithoutAFailure) {
    const auto line = make();
    page& only = add(*line, 4'000);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::retry_elsewhere, "ServiceUnavailable"), time.now());
    }
    EXPECT_EQ(line->bound(time.now()), lane_bound::provider);
    for (int second = 0; second < 300; ++second) {
        time.advance(1s);
        line->tick(time.now());
        const auto probes = take_all(*line);
        ASSERT_LE(probes.size(), 1U);
        for (push* const item : probes) {
            line->settle(*item, answer(reaction::retry_elsewhere, "ServiceUnavailable"), time.now());
        }
    }
    for (int second = 0; second < 30 && done.empty(); ++second) {
        time.advance(1s);
        line->tick(time.now());
        while (push* const item = line->take(time.now())) {
            line->settle(*item, answer(reaction::accept), time.now());
        }
    }
    EXPECT_EQ(done, std::vector{&only});
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:accepted"), 4'000U);
}

TEST_F(LaneTest, AnOutageThatFewPushesMeetFailsNoneOfThem) {
    // One app's village: fewer devices than it takes complaints to pause a lane at once.
    lane_settings how;
    how.longest_wait_in_memory = 1h;
    const auto line = make(how);
    page& only = add(*line, 3);
    std::size_t requests = 0;
    for (int second = 0; second < 300; ++second) {
        for (push* const item : take_all(*line)) {
            ++requests;
            verdict what = answer(reaction::retry_elsewhere, "InternalServerError");
            what.retry_after = 15min * (item->attempts == 0 ? 0 : 1);  // As Apple asks for of later tries.
            line->settle(*item, what, time.now());
        }
        time.advance(1s);
        line->tick(time.now());
    }
    EXPECT_FALSE(line->paused_because().empty());
    EXPECT_LT(requests, 120U);
    const time_point over = time.now();
    while (done.empty() && time.now() < over + 30s) {
        for (push* const item : take_all(*line)) {
            line->settle(*item, answer(reaction::accept), time.now());
        }
        time.advance(1s);
        line->tick(time.now());
    }
    EXPECT_EQ(done, std::vector{&only});
    EXPECT_EQ(increment(only.settlement(), "o:mairies/fcm:accepted"), 3U);
    EXPECT_LE(increment(only.settlement(), "retries"), 9U) << "one each at first, and one in two minutes";
}

TEST_F(LaneTest, APushThatFailsAgainAndAgainWhileOthersAreAcceptedUsesUpItsTries) {
    lane_settings how;
    how.longest_wait_in_memory = 1h;
    const auto line = make(how);
    page& only = add(*line, 200);
    push* bad = nullptr;
    while (done.empty()) {
        for (push* const item : take_all(*line)) {
            bad = bad == nullptr ? item : bad;
            line->settle(
                *item, item == bad ? answer(reaction::retry_elsewhere, "INTERNAL") : answer(reaction::accept),
                time.now());
            if (item == bad) {
                page& others = add(*line, 1);  // There is always somebody else.
                push* const other = line->take(time.now());
                ASSERT_NE(other, nullptr);
                line->settle(*other, answer(reaction::accept), time.now());
                ASSERT_EQ(done.back(), &others);
                done.pop_back();
            }
        }
        time.advance(1s);
        line->tick(time.now());
    }
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 199U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:failed"), 1U);
}

TEST_F(LaneTest, WhatAnEventsOwnTopicProvokesIsRejectedAndHoldsUpNobodyElse) {
    const auto line = make();
    testing::overridden_message mistyped;
    pages.push_back(testing::make_page(testing::make_event(time), 150, mistyped));
    line->add(*pages.back(), priority::normal);
    page& wrong = *pages.back();
    page& right = add(*line, 150);
    while (push* const item = line->take(time.now())) {
        const bool bad = item->owner == &wrong;
        line->settle(
            *item,
            answer(bad ? reaction::doubt_token : reaction::accept, bad ? "DeviceTokenNotForTopic" : ""),
            time.now());
    }
    const auto sums = wrong.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 150U);
    EXPECT_TRUE(sums.dead.empty());
    EXPECT_EQ(increment(right.settlement(), "o:mairies/fcm:accepted"), 150U);
    EXPECT_TRUE(line->paused_because().empty());
}

TEST_F(LaneTest, WhatAnEventsOwnTopicProvokesPausesNobodyEvenIfNobodyWasAcceptedYet) {
    for (const reaction said : {reaction::pause_app, reaction::doubt_token, reaction::drop_token}) {
        SCOPED_TRACE(to_string(said));
        const auto line = make();
        testing::overridden_message mistyped;
        pages.push_back(testing::make_page(testing::make_event(time), 150, mistyped));
        page& wrong = *pages.back();
        line->add(wrong, priority::normal);
        verdict refused = answer(said, "TopicDisallowed");
        refused.about_topic = true;
        while (push* const item = line->take(time.now())) {
            line->settle(*item, refused, time.now());
        }
        EXPECT_TRUE(wrong.done());
        const auto sums = wrong.settlement();
        EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 150U);
        EXPECT_TRUE(sums.dead.empty());
        EXPECT_TRUE(line->paused_because().empty());
        add(*line, 150);
        EXPECT_EQ(take_all(*line).size(), 150U) << "what comes behind it leaves at once";
    }
}

TEST_F(LaneTest, APausedCredentialIsProbedWithWhatNamesNoTopicOfItsOwn) {
    const auto line = make();
    page& right = add(*line, 3);
    for (push* const item : take_all(*line)) {
        line->settle(*item, answer(reaction::pause_app, "Forbidden"), time.now());
    }
    time.advance(1s);
    line->tick(time.now());
    ASSERT_EQ(line->paused_because(), "Forbidden");
    testing::overridden_message named;
    pages.push_back(testing::make_page(testing::make_event(time), 1'000, named));
    page& other = *pages.back();
    line->add(other, priority::normal);
    for (int probe = 0; probe < 5; ++probe) {
        time.advance(3s);
        push* const item = line->take(time.now());
        ASSERT_NE(item, nullptr);
        EXPECT_EQ(item->owner, &right) << "the other would say nothing of the credential";
        line->settle(*item, answer(reaction::pause_app, "Forbidden"), time.now());
    }
    time.advance(3s);
    push* const item = line->take(time.now());
    ASSERT_NE(item, nullptr);
    line->settle(*item, answer(reaction::accept), time.now());
    EXPECT_EQ(take_all(*line).size(), 1'002U);
}

TEST_F(LaneTest, OneLanguagesTextThatIsRefusedSilencesNoOther) {
    const auto line = make();
    page& only = add(*line, 200);
    for (std::size_t i = 0; i < 100; ++i) {
        only.pushes()[i].variant = 1;
    }
    while (push* const item = line->take(time.now())) {
        line->settle(
            *item, answer(item->variant == 1 ? reaction::reject_event : reaction::accept, "INVALID_ARGUMENT"),
            time.now());
    }
    const auto sums = only.settlement();
    EXPECT_EQ(increment(sums, "o:mairies/fcm:accepted"), 100U);
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 100U);
}

TEST_F(LaneTest, PushesThatComeBackUnchargedEarnNoRetries) {
    lane_settings how;
    how.retries.floor = 10ms;
    how.longest_wait_in_memory = 0ms;
    const auto line = make(how);
    page& only = add(*line, 1);
    for (int i = 0; i < 10; ++i) {
        time.advance(1s);
        line->tick(time.now());
        push* const item = line->take(time.now());
        ASSERT_NE(item, nullptr);
        line->settle(*item, answer(reaction::pause_quota, "QUOTA"), time.now());
        line->resume();
    }
    static_cast<void>(only);
    page& many = add(*line, 300);
    for (push* const item : take_all(*line)) {
        if (item->owner == &many) {
            line->settle(*item, answer(reaction::retry_here, "TooManyRequests"), time.now());
        }
    }
    const auto sums = many.settlement();
    const auto soon = std::ranges::count_if(sums.parked, [this](const auto& parked) {
        return parked.first < (time.wall_now() + 30s).time_since_epoch().count();
    });
    // What one first try and 300 others earn beside the 200 to begin with.
    EXPECT_NEAR(static_cast<double>(soon), 260, 1);
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
    const auto sums = only.settlement();
    EXPECT_TRUE(sums.dead.empty());
    EXPECT_EQ(sums.parked.size(), 1U);
}

TEST_F(LaneTest, ADeviceThatRegisteredAfterItsDeathNoticeStays) {
    const auto line = make();
    page& only = add(*line, 1, testing::make_event(time), 2'000'000);
    verdict gone = answer(reaction::drop_token, "Unregistered");
    gone.dead_since = wall_time(std::chrono::seconds(1'999'999));
    line->settle(*line->take(time.now()), gone, time.now());
    const auto sums = only.settlement();
    EXPECT_TRUE(sums.dead.empty());
    EXPECT_EQ(increment(sums, "o:mairies/fcm:rejected"), 1U);
}

}  // namespace
}  // namespace tocsin
