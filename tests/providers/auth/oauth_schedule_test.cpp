#include "providers/auth/oauth_schedule.hpp"

#include "tests/support/manual_time.hpp"

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;

class OauthScheduleTest : public ::testing::Test {
protected:
    testing::manual_time time;
    oauth_schedule schedule{time.now(), 1};
};

TEST_F(OauthScheduleTest, AsksAtOnce) {
    EXPECT_LE(schedule.due(), time.now());
}

TEST_F(OauthScheduleTest, RenewsFiveToSixMinutesBeforeTheEnd) {
    for (int round = 0; round < 50; ++round) {
        schedule.succeeded(time.now(), 3600s);
        EXPECT_GE(schedule.due(), time.now() + 54min);
        EXPECT_LE(schedule.due(), time.now() + 55min);
    }
}

TEST_F(OauthScheduleTest, RenewsShortTokensAtHalfTheirLife) {
    schedule.succeeded(time.now(), 60s);
    EXPECT_EQ(schedule.due(), time.now() + 30s);
    schedule.succeeded(time.now(), 1s);
    EXPECT_EQ(schedule.due(), time.now() + 500ms);
}

TEST_F(OauthScheduleTest, TriesAgainWithinOneTwoFourUpToSixtySeconds) {
    for (const auto ceiling : {1s, 2s, 4s, 8s, 15s, 15s, 15s}) {
        schedule.failed(time.now(), std::nullopt);
        EXPECT_GE(schedule.due(), time.now());
        EXPECT_LE(schedule.due(), time.now() + ceiling);
        time.advance(ceiling);
    }
}

TEST_F(OauthScheduleTest, ObeysRetryAfter) {
    schedule.failed(time.now(), 45s);
    EXPECT_GE(schedule.due(), time.now() + 45s);
    schedule.failed(time.now(), 24h);
    EXPECT_LE(schedule.due(), time.now() + 1min);
}

TEST_F(OauthScheduleTest, StartsOverAfterASuccess) {
    for (int i = 0; i < 6; ++i) {
        schedule.failed(time.now(), std::nullopt);
    }
    schedule.succeeded(time.now(), 3600s);
    schedule.failed(time.now(), std::nullopt);
    EXPECT_LE(schedule.due(), time.now() + 1s);
}

TEST_F(OauthScheduleTest, LooksAgainAtARefusedAccountSoonAndThenEveryMinute) {
    for (const auto wait : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        schedule.refused(time.now());
        EXPECT_EQ(schedule.due(), time.now() + wait);
        time.advance(wait);
    }
}

TEST_F(OauthScheduleTest, HurriesForADeadTokenButNotWhileItFails) {
    schedule.succeeded(time.now(), 3600s);
    schedule.hurry(time.now());
    EXPECT_LE(schedule.due(), time.now());
    schedule.failed(time.now(), 30s);
    schedule.hurry(time.now());
    EXPECT_GE(schedule.due(), time.now() + 30s);
}

}  // namespace
}  // namespace tocsin::auth
