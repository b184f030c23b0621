#include "engine/control/quota_book.hpp"

#include "tests/support/redis_fixture.hpp"

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

    quota_book book{redis, keys, time};
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

TEST_F(QuotaBookTest, CriticalPushesKeepToTheRateAmongThemselves) {
    const quota_slice first = lease(500, true);
    const quota_slice second = lease(500, true);
    EXPECT_GE(second.until - first.from, 9s);
}

TEST_F(QuotaBookTest, PushbackHoldsTheBucketAndSlowsItDown) {
    lease(1);
    ASSERT_TRUE(run(book.slow_down(target{"mairies", platform::fcm}, 5s)).has_value());
    const quota_slice slice = lease(70);
    EXPECT_GE(slice.from, time.now() + 4s);
    EXPECT_GE(slice.until - slice.from, 900ms);
    EXPECT_LE(slice.until - slice.from, 1'010ms);
    const quota_slice alert = lease(1, true);
    EXPECT_GE(alert.from, time.now() + 4s);
}

}  // namespace
}  // namespace tocsin
