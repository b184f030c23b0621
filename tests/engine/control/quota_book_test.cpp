#include "engine/control/quota_book.hpp"

#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class QuotaBookTest : public testing::redis_fixture {
protected:
    quota_slice lease(std::uint32_t wanted, bool critical = false, std::uint64_t rate = 100) {
        quota_book::question what;
        what.which = {"mairies", platform::fcm};
        what.rate = rate;
        what.wanted = wanted;
        what.critical = critical;
        return run(book.lease(std::move(what))).value();
    }
    static double rate_of(const quota_slice& slice) {
        return slice.pushes / std::chrono::duration<double>(slice.until - slice.from).count();
    }

    quota_book book{redis, keys, time, 0ms};
};

// Redis' clock runs on between two calls: what is compared are distances, with room for a slow machine.

TEST_F(QuotaBookTest, SlicesFollowOneAnotherAtTheRate) {
    const quota_slice first = lease(100);
    const quota_slice second = lease(100);
    EXPECT_EQ(first.pushes, 100U);
    EXPECT_EQ(first.until - first.from, 1s);
    EXPECT_EQ(second.until - second.from, 1s);
    EXPECT_LE(second.from, first.until + 100ms);
    EXPECT_GE(second.from, first.until - 900ms);
    const quota_slice third = lease(50);
    EXPECT_GE(third.until - first.from, 1'600ms);
}

TEST_F(QuotaBookTest, ACriticalPushDoesNotStandBehindSlicesThatWereGivenOutAndTheyPayForIt) {
    lease(1'000);
    const quota_slice alert = lease(10, true);
    EXPECT_LE(alert.from, time.now());
    const quota_slice next = lease(1);
    EXPECT_GE(next.from, time.now() + 9'100ms);
}

TEST_F(QuotaBookTest, AClockOfRedisThatIsSetBackHoldsNothingUp) {
    lease(100);
    const std::string bucket = keys.limit("mairies/fcm");
    // As if all of it had been written an hour from now.
    for (const char* const field : {"taken", "urgent", "at"}) {
        const std::string written = server.cli({"HGET", bucket, field});
        server.cli({"HSET", bucket, field, std::to_string(std::stoll(written) + 3'600'000'000)});
    }
    const quota_slice next = lease(100);
    EXPECT_GE(next.from, time.now() + 500ms) << "behind what was given out";
    EXPECT_LE(next.from, time.now() + 1100ms);
}

TEST_F(QuotaBookTest, ABucketThatIsSomethingElseHoldsNothingUp) {
    const std::string bucket = keys.limit("mairies/fcm");
    server.cli({"SET", bucket, "of another program"});
    EXPECT_EQ(lease(100).pushes, 100U);
    server.cli({"DEL", bucket});
    server.cli({"RPUSH", bucket, "x"});
    EXPECT_TRUE(run(book.slow_down(target{"mairies", platform::fcm}, 5s)).has_value());
    EXPECT_GE(lease(100).from, time.now() + 4s);
    for (const char* const value : {"9e99", "inf", "nan", "x", "-1"}) {
        server.cli({"HSET", bucket, "taken", value, "urgent", value, "share_at", value, "warmth", "1"});
        EXPECT_LE(lease(1).from, time.now() + 100ms) << value;
        EXPECT_LE(lease(1, true).from, time.now() + 100ms) << value;
    }
}

TEST_F(QuotaBookTest, CriticalPushesKeepToTheRateAmongThemselves) {
    const quota_slice first = lease(500, true);
    const quota_slice second = lease(500, true);
    EXPECT_GE(second.until - first.from, 9s);
}

TEST_F(QuotaBookTest, PushbackHoldsTheBucketAndSlowsItDown) {
    lease(1);
    ASSERT_TRUE(run(book.slow_down(target{"mairies", platform::fcm}, 5s)).has_value());
    const quota_slice slice = lease(100);
    EXPECT_GE(slice.from, time.now() + 4s);
    EXPECT_NEAR(rate_of(slice), 70, 2);
    EXPECT_LE(slice.until - slice.from, 1'010ms);
    const quota_slice alert = lease(1, true);
    EXPECT_GE(alert.from, time.now() + 4s);
}

/// Redis' clock cannot be turned: what "later" means here is that the bucket has been used for so long.
class QuotaRampTest : public QuotaBookTest {
protected:
    static constexpr std::uint64_t rate = 11'000;

    QuotaRampTest() : ramped(redis, keys, time, 20s) {}
    quota_slice lease(std::uint32_t wanted, bool critical = false, std::uint64_t of = rate) {
        quota_book::question what;
        what.which = {"mairies", platform::fcm};
        what.rate = of;
        what.wanted = wanted;
        what.critical = critical;
        return run(ramped.lease(std::move(what))).value();
    }

    quota_book ramped;
};

TEST_F(QuotaRampTest, ABucketThatWasIdleBeginsGentlyAndReachesTheRateOverTheRamp) {
    EXPECT_NEAR(rate_of(lease(550)), 1'000, 25);
    // Slices of a second each, as if it had been used for so long.
    time_point last{};
    for (int i = 0; i < 10; ++i) {
        last = lease(rate).until;
    }
    EXPECT_NEAR(rate_of(lease(550)), 6'000, 300);
    for (int i = 0; i < 11; ++i) {
        const quota_slice slice = lease(rate);
        EXPECT_GE(slice.from + 50ms, last);
        last = slice.until;
    }
    EXPECT_NEAR(rate_of(lease(550)), rate, 50);
}

TEST_F(QuotaRampTest, AnIdleBucketCoolsDown) {
    for (int i = 0; i < 21; ++i) {
        lease(rate);
    }
    // As it stands in Redis after ten seconds in which nobody wanted any.
    const std::string bucket = keys.limit("mairies/fcm");
    redis::request ask;
    ask.add("TIME");
    const auto now = run(redis.execute(std::move(ask)));
    const auto seconds = std::stoll(std::string(now.value()[0][0].text()));
    redis::request turn;
    turn.add("HSET", bucket, "taken", std::to_string((seconds - 10) * 1'000'000));
    ASSERT_TRUE(run(redis.execute(std::move(turn))).has_value());
    EXPECT_NEAR(rate_of(lease(550)), 5'800, 400);
}

TEST_F(QuotaRampTest, AnAlertDoesNotWaitForTheRampAndWarmsTheBucket) {
    EXPECT_NEAR(rate_of(lease(550, true)), rate, 50);
    for (int i = 0; i < 10; ++i) {
        lease(rate, true);
    }
    EXPECT_NEAR(rate_of(lease(550)), 6'000, 300);
}

TEST_F(QuotaRampTest, ALowRateHasNoRamp) {
    EXPECT_NEAR(rate_of(lease(50, false, 1'000)), 1'000, 1);
}

TEST_F(QuotaRampTest, ASilenceThatTheProviderAskedForCoolsTheBucketDown) {
    for (int i = 0; i < 21; ++i) {
        lease(rate);
    }
    ASSERT_TRUE(run(ramped.slow_down(target{"mairies", platform::fcm}, 20s)).has_value());
    EXPECT_NEAR(rate_of(lease(550)), 1'000, 25);
}

}  // namespace
}  // namespace tocsin
