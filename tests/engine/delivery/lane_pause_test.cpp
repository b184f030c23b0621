#include "engine/delivery/lane_pause.hpp"

#include "tests/support/manual_time.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class LanePauseTest : public ::testing::Test {
protected:
    bool probe(lane_bound cause, duration least = 0s) { return pause.probe("why", cause, time.now(), least); }
    bool may_send(bool urgent = false) { return pause.may_send(time.now(), urgent); }

    testing::manual_time time;
    lane_pause pause;
};

TEST_F(LanePauseTest, WithoutAPauseEverythingLeaves) {
    EXPECT_TRUE(may_send());
    EXPECT_FALSE(pause.lasts(time.now()));
    EXPECT_EQ(pause.until(false), time_point{});
}

TEST_F(LanePauseTest, AQuotaIsWaitedOutAsLongAsTheLatestWordSays) {
    EXPECT_TRUE(pause.wait("quota", time.now() + 30s));
    EXPECT_FALSE(pause.wait("quota", time.now() + 10s)) << "no news, and no shorter";
    EXPECT_EQ(pause.quota_until(), time.now() + 30s);
    EXPECT_TRUE(pause.lasts_for(lane_bound::quota, time.now()));
    EXPECT_FALSE(may_send());
    EXPECT_FALSE(may_send(true)) << "nor does an alert";
    EXPECT_TRUE(pause.wait("another", time.now() + 10s)) << "the reason is news";
    time.advance(30s);
    EXPECT_TRUE(may_send());
    EXPECT_FALSE(pause.lasts(time.now()));
    EXPECT_TRUE(pause.forget());
    EXPECT_FALSE(pause.forget()) << "its end is told once";
}

TEST_F(LanePauseTest, TroubleIsProbedAfterASecondAndThenEveryThreeUntilOneIsAccepted) {
    EXPECT_TRUE(probe(lane_bound::credential));
    EXPECT_FALSE(may_send());
    time.advance(1s - 1ns);
    EXPECT_FALSE(may_send());
    time.advance(1ns);
    EXPECT_TRUE(may_send());
    pause.sent(time.now());
    EXPECT_FALSE(may_send());
    EXPECT_FALSE(probe(lane_bound::credential)) << "it is paused already";
    EXPECT_EQ(pause.until(false), time.now() + 3s);
    time.advance(1h);
    EXPECT_TRUE(pause.lasts(time.now())) << "until one is accepted, however long it takes";
    EXPECT_TRUE(pause.accepted());
    EXPECT_FALSE(pause.accepted());
    EXPECT_TRUE(may_send());
}

TEST_F(LanePauseTest, HowLongAProviderWantsToBeLeftAloneIsForThoseToWaitWhoAreNotUrgent) {
    EXPECT_TRUE(probe(lane_bound::provider, 60s));
    EXPECT_FALSE(may_send());
    EXPECT_TRUE(may_send(true)) << "an alert is a probe";
    pause.sent(time.now());
    EXPECT_FALSE(may_send(true)) << "one at a time";
    time.advance(3s);
    EXPECT_TRUE(may_send(true));
}

TEST_F(LanePauseTest, AnAlertIsNoReasonToProbeACredentialSooner) {
    EXPECT_TRUE(probe(lane_bound::credential, 60s));
    EXPECT_FALSE(may_send(true));
    time.advance(60s);
    EXPECT_TRUE(may_send(true));
}

TEST_F(LanePauseTest, ALongerWordPutsTheNextProbeOffAndAShorterDoesNot) {
    EXPECT_TRUE(probe(lane_bound::provider, 10s));
    EXPECT_FALSE(probe(lane_bound::provider, 60s));
    EXPECT_EQ(pause.until(false), time.now() + 60s);
    EXPECT_FALSE(probe(lane_bound::provider, 5s));
    EXPECT_EQ(pause.until(false), time.now() + 60s);
}

TEST_F(LanePauseTest, ACredentialIsWorthMoreToAnOperatorThanAProviderThatIsAway) {
    EXPECT_TRUE(pause.probe("503", lane_bound::provider, time.now(), 0s));
    EXPECT_TRUE(pause.probe("InvalidProviderToken", lane_bound::credential, time.now(), 0s));
    EXPECT_EQ(pause.cause(), lane_bound::credential);
    EXPECT_EQ(pause.reason(), "InvalidProviderToken");
    EXPECT_FALSE(pause.probe("503", lane_bound::provider, time.now(), 0s));
    EXPECT_EQ(pause.reason(), "InvalidProviderToken");
}

TEST_F(LanePauseTest, WhileItIsProbedAQuotaIsWaitedForTooAndSaysNothingNew) {
    EXPECT_TRUE(probe(lane_bound::credential));
    EXPECT_FALSE(pause.wait("quota", time.now() + 30s));
    EXPECT_EQ(pause.reason(), "why");
    time.advance(10s);
    EXPECT_FALSE(may_send()) << "no probe before the quota's time";
    EXPECT_EQ(pause.cause(), lane_bound::credential);
    time.advance(20s);
    EXPECT_TRUE(may_send());
    pause.end();
    EXPECT_FALSE(pause.lasts(time.now()));
    EXPECT_EQ(pause.reason(), "");
}

}  // namespace
}  // namespace tocsin
