#include "providers/auth/provider_token.hpp"

#include "tests/providers/auth/test_keys.hpp"
#include "tests/support/manual_time.hpp"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;

class ProviderTokenTest : public ::testing::Test {
protected:
    std::string now_serving() {
        token.keep_fresh(time.now());
        const auto held = token.slot().load();
        return held != nullptr ? held->authorization : std::string();
    }

    testing::manual_time time;
    provider_token token{
        es256_signer::from_pem(testing::test_key::p256().pem()).value(), "ABCDE12345", "KEY1234567", time, 7};
};

TEST_F(ProviderTokenTest, IsMadeAtTheFirstUse) {
    EXPECT_EQ(token.slot().load(), nullptr);
    EXPECT_TRUE(now_serving().starts_with("bearer eyJ"));
    EXPECT_EQ(token.slot().load()->issued_at, time.wall_now());
    EXPECT_EQ(token.state().expires_at, time.wall_now() + 1h);
    EXPECT_TRUE(token.state().usable);
}

TEST_F(ProviderTokenTest, IsTheSameForEverybodyForFortyMinutes) {
    const std::string first = now_serving();
    for (int minute = 0; minute < 40; ++minute) {
        ASSERT_EQ(now_serving(), first) << minute;
        time.advance(1min);
    }
}

TEST_F(ProviderTokenTest, IsRenewedBetweenFortyAndFiftyMinutes) {
    const std::string first = now_serving();
    std::set<int> ages;
    for (int round = 0; round < 20; ++round) {
        const std::string before = now_serving();
        int minutes = 0;
        while (now_serving() == before) {
            time.advance(1min);
            ASSERT_LE(++minutes, 51);
        }
        EXPECT_GE(minutes, 40);
        ages.insert(minutes);
    }
    EXPECT_GT(ages.size(), 2U);  // Not all at the same age: engines must not renew in step.
    EXPECT_NE(now_serving(), first);
}

TEST_F(ProviderTokenTest, ThatExpiredIsRenewedOnceHoweverManyRequestsSaySo) {
    const std::string first = now_serving();
    time.advance(25min);
    const auto written = time.now();
    time.advance(1s);
    EXPECT_EQ(token.refresh_after_refusal(written, time.now()), renewal::renewed);
    const std::string second = now_serving();
    EXPECT_NE(second, first);
    time.advance(1s);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(token.refresh_after_refusal(written, time.now()), renewal::not_needed);
    }
    EXPECT_EQ(now_serving(), second);
}

TEST_F(ProviderTokenTest, ThatIsYoungIsNotRenewedBecauseTheClockIsWrong) {
    const std::string first = now_serving();
    time.advance(10s);
    token.accepted(time.now());
    time.advance(18min + 50s);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::too_young);
    EXPECT_EQ(now_serving(), first);
    time.advance(1min);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::renewed);
}

TEST_F(ProviderTokenTest, ThatNobodyHasAcceptedIsNotSentForMoreThanAMinute) {
    const std::string first = now_serving();
    time.advance(10s);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::too_young);
    }
    time.advance(50s);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::renewed);
    EXPECT_NE(now_serving(), first);
    EXPECT_EQ(token.refresh_after_refusal(time.now() - 1s, time.now()), renewal::not_needed);
    // Accepted by others, it is good: what one app may not do is no reason to change it for all.
    time.advance(10s);
    token.accepted(time.now());
    time.advance(2min);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::too_young);
}

TEST_F(ProviderTokenTest, AcceptanceOfTheTokenBeforeProvesNothing) {
    static_cast<void>(now_serving());
    const time_point written = time.now();
    token.accepted(written);
    time.advance(1min);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::renewed);
}

class ProviderTokenClock : public ProviderTokenTest,
                           public ::testing::WithParamInterface<std::chrono::seconds> {};

TEST_P(ProviderTokenClock, ThatIsSetMakesTheNextSignatureFresh) {
    const std::string first = now_serving();
    time.advance(20s);
    token.accepted(time.now());
    time.set_wall(time.wall_now() + GetParam());
    time.advance(1s);
    EXPECT_NE(now_serving(), first);
    EXPECT_EQ(token.slot().load()->issued_at, time.wall_now());
    // And no further one, now that the token says what the clock says.
    const std::string second = now_serving();
    time.advance(39min);
    EXPECT_EQ(now_serving(), second);
}

INSTANTIATE_TEST_SUITE_P(
    Steps, ProviderTokenClock,
    ::testing::Values(10s, -10s, 60s, -60s, 7'200s, -7'200s, 86'400s * 365, -86'400s * 365),
    [](const auto& step) {
        return (step.param < 0s ? "Back" : "Ahead") + std::to_string(std::abs(step.param.count()));
    });

TEST_F(ProviderTokenTest, SlewedClockIsNoReasonToSign) {
    const std::string first = now_serving();
    for (int minute = 0; minute < 39; ++minute) {
        time.set_wall(time.wall_now() + 30ms);  // 500 ppm, the most that NTP slews.
        time.advance(1min);
        ASSERT_EQ(now_serving(), first);
    }
}

TEST_F(ProviderTokenTest, ClockThatIsSetAgainAndAgainSignsOnceAMinute) {
    std::set<std::string> seen;
    for (int second = 0; second < 300; ++second) {
        time.set_wall(time.wall_now() + (second % 2 == 0 ? 1h : -1h));
        time.advance(1s);
        seen.insert(now_serving());
    }
    EXPECT_LE(seen.size(), 7U);
}

TEST_F(ProviderTokenTest, ClockThatWasSetIsReasonEnoughToRenewARefusedToken) {
    const std::string first = now_serving();
    time.advance(300ms);
    token.accepted(time.now() + 10s);
    time.set_wall(time.wall_now() + 2h);
    EXPECT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::renewed);
    EXPECT_NE(now_serving(), first);
}

TEST_F(ProviderTokenTest, OfAnotherClockIsNothingToFallBackTo) {
    static_cast<void>(now_serving());
    time.advance(5min);
    time.set_wall(time.wall_now() - 2h);
    time.advance(1s);
    const std::string second = now_serving();
    EXPECT_FALSE(token.too_many_updates(time.now()));
    EXPECT_EQ(now_serving(), second);
}

TEST_F(ProviderTokenTest, ThatChangedTooOftenFallsBackToTheOneBefore) {
    const std::string first = now_serving();
    time.advance(30min);
    ASSERT_EQ(token.refresh_after_refusal(time.now(), time.now()), renewal::renewed);
    const std::string second = now_serving();

    EXPECT_TRUE(token.too_many_updates(time.now()));
    EXPECT_EQ(now_serving(), first);
    time.advance(19min);
    EXPECT_EQ(now_serving(), first);
    time.advance(1min);
    EXPECT_EQ(now_serving(), second);  // Not a third one.
    time.advance(19min);
    EXPECT_EQ(now_serving(), second);
    time.advance(1min);
    EXPECT_NE(now_serving(), second);
}

TEST_F(ProviderTokenTest, TooOldToFallBackToIsNotServed) {
    now_serving();
    time.advance(50min);
    const std::string second = now_serving();
    time.advance(10min);
    EXPECT_FALSE(token.too_many_updates(time.now()));
    EXPECT_EQ(now_serving(), second);
}

TEST_F(ProviderTokenTest, WithNothingToFallBackToIsKept) {
    const std::string first = now_serving();
    EXPECT_FALSE(token.too_many_updates(time.now()));
    time.advance(39min);
    EXPECT_EQ(now_serving(), first);
}

TEST_F(ProviderTokenTest, IsMadeOnceForManyThreads) {
    std::vector<std::string> seen(4);
    std::atomic<int> ready{0};
    {
        std::vector<std::jthread> threads;
        for (auto& mine : seen) {
            threads.emplace_back([&] {
                ++ready;
                while (ready < 4) {
                }
                token.keep_fresh(time.now());
                mine = token.slot().load()->authorization;
            });
        }
    }
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 1U);
}

}  // namespace
}  // namespace tocsin::auth
