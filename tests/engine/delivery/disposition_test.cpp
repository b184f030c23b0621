#include "engine/delivery/disposition.hpp"

#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

struct row {
    std::string claim;
    reaction action = reaction::accept;
    std::function<void(attempt_facts&, verdict&, lane_facts&)> given;
    fate next = fate::end;
    outcome how = outcome::failed;
    bool charge = false;
    complaint about = complaint::none;
    pausing pause = pausing::none;
};

void nothing(attempt_facts&, verdict&, lane_facts&) {}
void superseded(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.superseded = true;
}
void overridden(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.overridden = true;
}
void last_try(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.attempts = 4;
}
void no_time(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.time_left = 1ms;
}
void maybe_sent(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.maybe_sent = true;
}
void many_trouble(attempt_facts&, verdict&, lane_facts& lane) {
    lane.provider_complaints = 19;
}
void again_while_nobody_is_accepted(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.complained = true;
    attempt.attempts = 1;
    lane.provider_complaints = 1;
    lane.provider_unheard = true;
}
void alone_in_trouble_again(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.complained = true;
    attempt.attempts = 1;
    lane.provider_unheard = true;
}
void alone_in_trouble_for_the_last_time(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    alone_in_trouble_again(attempt, answer, lane);
    attempt.attempts = 4;
}
void one_of_few_for_the_last_time(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.attempts = 4;
    lane.provider_paused = true;
    lane.provider_complaints = 2;
}
void few_are_told(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    attempt.attempts = 1;
    lane.provider_paused = true;
    answer.told = true;
    answer.retry_after = 15min;
}
void paused_and_maybe_sent(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.maybe_sent = true;
    lane.provider_paused = true;
}
void again_after_others(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.complained = true;
    attempt.attempts = 1;
    lane.works = true;
}
void last_while_nobody_is_accepted(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.attempts = 4;
    lane.provider_complaints = 1;
    lane.provider_unheard = true;
}
void provider_paused(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.attempts = 4;
    lane.provider_paused = true;
}
void second_complaint(attempt_facts&, verdict&, lane_facts& lane) {
    lane.credential_complaints = 2;
}
void credential_paused(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.attempts = 4;
    lane.credential_paused = true;
}
void again_while_others_work(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.complained = true;
    lane.works = true;
    lane.credential_complaints = 1;
}
void alone_again(attempt_facts& attempt, verdict&, lane_facts& lane) {
    attempt.complained = true;
    lane.credential_complaints = 2;
}
/// The third complaint; nobody has been accepted yet.
void overridden_topic(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    attempt.overridden = true;
    answer.about_topic = true;
    lane.credential_complaints = 2;
}
void overridden_topic_while_others_work(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    overridden_topic(attempt, answer, lane);
    lane.works = true;
}
void overridden_topic_while_paused(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    overridden_topic(attempt, answer, lane);
    lane.credential_paused = true;
}
void topic_of_the_app(attempt_facts&, verdict& answer, lane_facts& lane) {
    answer.about_topic = true;
    lane.credential_complaints = 2;
}
void many_suspects(attempt_facts&, verdict&, lane_facts& lane) {
    lane.suspects = 19;
}
void many_suspects_of_one_kind(attempt_facts&, verdict&, lane_facts& lane) {
    lane.suspects = 19;
    lane.other_kind_works = true;
}
void registered_later(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.registered_at = 2'000;
    answer.dead_since = wall_time(1'999s);
}
void registered_before(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.registered_at = 2'000;
    answer.dead_since = wall_time(2'001s);
}
void fourth_free(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.free_requeues = 3;
}
void going_round(attempt_facts& attempt, verdict&, lane_facts&) {
    attempt.free_requeues = 10;
}
void one_service(attempt_facts&, verdict& answer, lane_facts&) {
    answer.of_one_service = true;
}
void one_service_last_try(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.attempts = 4;
    answer.of_one_service = true;
}
void one_service_of_a_lane_in_trouble(attempt_facts&, verdict& answer, lane_facts& lane) {
    answer.of_one_service = true;
    lane.provider_complaints = 19;
}
void one_service_of_a_paused_lane(attempt_facts&, verdict& answer, lane_facts& lane) {
    answer.of_one_service = true;
    lane.provider_paused = true;
}
void one_service_going_round(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.free_requeues = 10;
    answer.of_one_service = true;
}
void one_service_second_complaint(attempt_facts&, verdict& answer, lane_facts& lane) {
    answer.of_one_service = true;
    lane.credential_complaints = 2;
}
void left_alone_for(verdict& answer, std::chrono::milliseconds wait) {
    answer.of_one_service = true;
    answer.told = true;
    answer.retry_after = wait;
}
void left_alone(attempt_facts&, verdict& answer, lane_facts&) {
    left_alone_for(answer, 1s);
}
void left_alone_for_long(attempt_facts&, verdict& answer, lane_facts&) {
    left_alone_for(answer, 1min);
}
void left_alone_again(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.free_requeues = 10;
    left_alone_for(answer, 1s);
}
void left_alone_maybe_sent(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.maybe_sent = true;
    left_alone_for(answer, 1s);
}
void throttled_to_the_end(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.time_left = 2min;
    answer.retry_after = 10min;
}
void told_to_the_end(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    throttled_to_the_end(attempt, answer, lane);
    answer.told = true;
}
void left_alone_to_the_end(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.time_left = 10s;
    left_alone_for(answer, 1min);
}
void put_off_by_ourselves(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    left_alone_to_the_end(attempt, answer, lane);
    answer.told = false;
}

void in_ten_minutes(attempt_facts&, verdict& answer, lane_facts&) {
    answer.retry_after = 10min;
}
void in_ten_minutes_for_the_fifth_time(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    in_ten_minutes(attempt, answer, lane);
    last_try(attempt, answer, lane);
}
void told_to_come_after_the_end(attempt_facts& attempt, verdict& answer, lane_facts&) {
    attempt.time_left = 2min;
    answer.retry_after = 10min;
    answer.told = true;
}
void in_no_time(attempt_facts& attempt, verdict& answer, lane_facts& lane) {
    in_ten_minutes(attempt, answer, lane);
    no_time(attempt, answer, lane);
}

const std::vector<row>& rows() {
    using enum fate;
    using enum outcome;
    using r = reaction;
    static const std::vector<row> all{
        {"accepted", r::accept, nothing, end, accepted},
        {"accepted by a provider of before", r::accept, superseded, end, accepted},
        {"certainly gone", r::drop_token, registered_before, end, dead},
        {"gone, and back since", r::drop_token, registered_later, end, rejected},
        {"gone from what the event names", r::drop_token, overridden, end, rejected},
        {"refused for good", r::reject_push, nothing, end, rejected},
        {"message refused", r::reject_event, nothing, end, rejected},
        {"message refused, and rendered anew", r::reject_event, superseded, requeue},
        {"doubted", r::doubt_token, nothing, quarantine, failed, false, complaint::token},
        {"doubted under an old key", r::doubt_token, superseded, requeue},
        {"doubted under the event's own topic", r::doubt_token, overridden, end, rejected},
        {"the twentieth doubted", r::doubt_token, many_suspects, requeue, failed, false, complaint::token,
         pausing::credential},
        {"doubted while the other environment works", r::doubt_token, many_suspects_of_one_kind, end,
         rejected, false, complaint::token},
        {"doubted as a probe", r::doubt_token, credential_paused, requeue, failed, false, complaint::token,
         pausing::credential},
        {"one complaint about the credential", r::pause_app, nothing, delay, failed, false,
         complaint::credential},
        {"the third complaint", r::pause_app, second_complaint, requeue, failed, false, complaint::credential,
         pausing::credential},
        {"a complaint as a probe", r::pause_app, credential_paused, requeue, failed, false,
         complaint::credential, pausing::credential},
        {"one device complains again while others are accepted", r::pause_app, again_while_others_work, delay,
         failed, true},
        {"one device complains again and nothing is accepted", r::pause_app, alone_again, requeue, failed,
         false, complaint::credential, pausing::credential},
        {"a complaint about an old key", r::pause_app, superseded, requeue},
        {"a complaint that the event's topic provoked", r::pause_app, overridden_topic, end, rejected},
        {"the same while others are accepted", r::pause_app, overridden_topic_while_others_work, end,
         rejected},
        {"a complaint that the event's topic or the credential provoked", r::pause_app,
         overridden_topic_while_paused, requeue, failed, false, complaint::credential, pausing::credential},
        {"a complaint about the app's own topic", r::pause_app, topic_of_the_app, requeue, failed, false,
         complaint::credential, pausing::credential},
        {"a complaint that no topic provokes", r::pause_app, overridden, delay, failed, false,
         complaint::credential},
        {"a token that expired", r::refresh_credential, nothing, delay},
        {"a token that expires again and again", r::refresh_credential, fourth_free, delay, failed, false,
         complaint::credential},
        {"quota", r::pause_quota, nothing, requeue, failed, false, complaint::none, pausing::quota},
        {"device throttled", r::retry_here, nothing, delay, failed, true},
        {"device throttled for the last time", r::retry_here, last_try, end, failed},
        {"no time for another try", r::retry_here, no_time, end, expired},
        {"no time for a wait that we chose: once more before the end", r::retry_here, throttled_to_the_end,
         defer, failed, true},
        {"no time for a wait that the provider chose", r::retry_here, told_to_the_end, end, expired},
        {"what its kind of device needs is out of order", r::postpone, in_ten_minutes, defer},
        {"the same after all other tries", r::postpone, in_ten_minutes_for_the_fifth_time, defer},
        {"the same, longer than the event lives: once more before the end", r::postpone, throttled_to_the_end,
         defer},
        {"the same, for as long as the provider says", r::postpone, told_to_come_after_the_end, end, failed},
        {"the same at the end", r::postpone, in_no_time, end, failed},
        {"an error of the provider", r::retry_elsewhere, nothing, delay, failed, true, complaint::provider},
        {"the last error", r::retry_elsewhere, last_try, end, failed, false, complaint::provider},
        {"an error to what may have been sent", r::retry_elsewhere, maybe_sent, defer, failed, true,
         complaint::provider},
        {"the twentieth error", r::retry_elsewhere, many_trouble, requeue, failed, false, complaint::provider,
         pausing::provider},
        {"a second error while nobody is accepted", r::retry_elsewhere, again_while_nobody_is_accepted,
         requeue, failed, false, complaint::provider, pausing::provider},
        {"a second error after others were accepted", r::retry_elsewhere, again_after_others, delay, failed,
         true, complaint::provider},
        {"the last error while nobody is accepted", r::retry_elsewhere, last_while_nobody_is_accepted,
         requeue, failed, false, complaint::provider, pausing::provider},
        {"no answer for the second time while nobody has one", r::unknown, again_while_nobody_is_accepted,
         defer, failed, true, complaint::provider, pausing::provider},
        {"a second error to the only one", r::retry_elsewhere, alone_in_trouble_again, requeue, failed, false,
         complaint::provider, pausing::provider},
        {"what would be the last error to the only one", r::retry_elsewhere,
         alone_in_trouble_for_the_last_time, requeue, failed, false, complaint::provider, pausing::provider},
        {"what would be the last error to one of few", r::retry_elsewhere, one_of_few_for_the_last_time,
         requeue, failed, false, complaint::provider, pausing::provider},
        {"an error to one of few that says how long", r::retry_elsewhere, few_are_told, defer, failed, false,
         complaint::provider, pausing::provider},
        {"an error to a probe that may have been sent", r::retry_elsewhere, paused_and_maybe_sent, defer,
         failed, true, complaint::provider, pausing::provider},
        {"an error to a probe", r::retry_elsewhere, provider_paused, requeue, failed, false,
         complaint::provider, pausing::provider},
        {"no answer", r::unknown, nothing, defer, failed, true, complaint::provider},
        {"no answer to a probe for the last time", r::unknown, provider_paused, end, failed, false,
         complaint::provider, pausing::provider},
        {"no answer to a probe", r::unknown, paused_and_maybe_sent, defer, failed, true, complaint::provider,
         pausing::provider},
        {"no answer for the last time", r::unknown, last_try, end, failed, false, complaint::provider},
        {"not processed", r::resend, nothing, requeue},
        {"not processed a few times", r::resend, fourth_free, delay},
        {"not processed for ever", r::resend, going_round, delay, failed, true, complaint::provider},
        // One of many services says nothing of the others, and its word stops nobody but itself.
        {"gone from one service", r::drop_token, one_service, end, dead},
        {"an error of one service", r::retry_elsewhere, one_service, delay, failed, true},
        {"the twentieth error, of one service", r::retry_elsewhere, one_service_of_a_lane_in_trouble, delay,
         failed, true},
        {"an error of one service to a probe", r::retry_elsewhere, one_service_of_a_paused_lane, delay,
         failed, true},
        {"the last error of one service", r::retry_elsewhere, one_service_last_try, end, failed},
        {"no answer of one service", r::unknown, one_service, defer, failed, true},
        {"no answer of one service for the last time", r::unknown, one_service_last_try, end, failed},
        {"not processed by one service", r::resend, one_service, requeue},
        {"not processed by one service for ever", r::resend, one_service_going_round, delay, failed, true},
        {"a service that is left alone", r::resend, left_alone, delay},
        {"a service that is left alone for long", r::resend, left_alone_for_long, defer},
        {"a service that is left alone again and again", r::resend, left_alone_again, delay},
        {"a service that is left alone, and what may have been sent", r::resend, left_alone_maybe_sent,
         defer},
        {"a service that wants to be left alone until after the end", r::resend, left_alone_to_the_end, end,
         expired},
        {"put off by ourselves: once more before the end", r::resend, put_off_by_ourselves, defer},
        {"the third complaint, of one service, about a key that all have", r::pause_app,
         one_service_second_complaint, requeue, failed, false, complaint::credential, pausing::credential},
    };
    return all;
}

TEST(Disposition, EachAnswerToEachTryInEachLaneHasOneConsequence) {
    for (const row& each : rows()) {
        SCOPED_TRACE(each.claim);
        attempt_facts attempt;
        attempt.time_left = 1h;
        verdict answer;
        answer.action = each.action;
        lane_facts lane;
        each.given(attempt, answer, lane);
        std::minstd_rand jitter(1);
        const disposition got = decide(attempt, answer, lane, jitter);
        EXPECT_EQ(static_cast<int>(got.next), static_cast<int>(each.next));
        if (each.next == fate::end) {
            EXPECT_EQ(static_cast<int>(got.how), static_cast<int>(each.how));
        }
        EXPECT_EQ(got.charge, each.charge);
        EXPECT_EQ(got.pause_for, 0ms + (got.pause == pausing::quota ? 60s : 0s));
        EXPECT_EQ(static_cast<int>(got.about), static_cast<int>(each.about));
        EXPECT_EQ(static_cast<int>(got.pause), static_cast<int>(each.pause));
        EXPECT_EQ(got.spends, each.charge) << "a retry that does not come costs no budget";
    }
}

TEST(Disposition, WhatABrokenConnectionTookWithItDrawsOnNoBudgetWhileTheProviderWorks) {
    attempt_facts attempt;
    attempt.time_left = 1h;
    verdict answer;
    answer.action = reaction::unknown;
    lane_facts lane;
    lane.retry_affordable = false;
    std::minstd_rand jitter(1);
    EXPECT_GE(decide(attempt, answer, lane, jitter).wait, 30s) << "no answer in time";
    answer.cut = true;
    EXPECT_GE(decide(attempt, answer, lane, jitter).wait, 30s) << "nobody was accepted for long";
    lane.works = true;
    const disposition again = decide(attempt, answer, lane, jitter);
    EXPECT_LE(again.wait, 2s);
    EXPECT_TRUE(again.charge);
    EXPECT_TRUE(again.maybe_sent);
    lane.retry_affordable = true;
    EXPECT_FALSE(decide(attempt, answer, lane, jitter).spends);
}

TEST(Disposition, WhatAnOperatorHasToMendIsTriedAFewTimesInTheLastMinutesOfAnEvent) {
    verdict answer;
    answer.action = reaction::postpone;
    answer.retry_after = 10min;
    std::minstd_rand jitter(1);
    attempt_facts attempt;
    attempt.time_left = 1h;
    int tries = 0;
    disposition got;
    for (;; ++tries) {
        got = decide(attempt, answer, {}, jitter);
        if (got.next == fate::end) {
            break;
        }
        EXPECT_FALSE(got.charge);
        attempt.time_left -= got.wait;
    }
    EXPECT_EQ(static_cast<int>(got.how), static_cast<int>(outcome::failed)) << "the credential is unusable";
    EXPECT_LE(tries, 5 + 8) << "every ten minutes, and then after three quarters of what is left";
    EXPECT_GT(tries, 6);
    answer.retry_after = 1h;
    attempt.time_left = 24h;
    EXPECT_GE(decide(attempt, answer, {}, jitter).wait, 1h) << "no provider has asked for this wait";
}

TEST(Disposition, OnlyTheCertainWordEndsADeviceAsDead) {
    for (int action = 0; action <= static_cast<int>(reaction::unknown); ++action) {
        for (const row& each : rows()) {
            attempt_facts attempt;
            attempt.time_left = 1h;
            verdict answer;
            answer.action = static_cast<reaction>(action);
            lane_facts lane;
            each.given(attempt, answer, lane);
            std::minstd_rand jitter(1);
            const disposition got = decide(attempt, answer, lane, jitter);
            if (got.next == fate::end && got.how == outcome::dead) {
                EXPECT_EQ(answer.action, reaction::drop_token) << each.claim;
            }
        }
    }
    EXPECT_EQ(decide_suspect({}).how, outcome::rejected);
}

TEST(Disposition, NoPeersWordStopsAnythingForADay) {
    attempt_facts attempt;
    attempt.time_left = 100h;
    verdict answer;
    answer.retry_after = 24h;
    answer.told = true;
    std::minstd_rand jitter(1);
    answer.action = reaction::pause_quota;
    EXPECT_LE(decide(attempt, answer, {}, jitter).pause_for, 15min);
    answer.action = reaction::retry_here;
    EXPECT_LE(decide(attempt, answer, {}, jitter).wait, 17min);
    answer.action = reaction::retry_elsewhere;
    lane_facts paused;
    paused.provider_paused = true;
    paused.provider_told = 18;
    EXPECT_EQ(decide(attempt, answer, paused, jitter).pause_for, 0ms) << "so few do not speak for all";
    paused.provider_told = 19;
    EXPECT_EQ(decide(attempt, answer, paused, jitter).pause_for, 15min);
}

}  // namespace
}  // namespace tocsin
