#include "engine/runtime/thread_load.hpp"

#include "tests/support/manual_time.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime() of a thread is POSIX.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Keeps this thread's core busy for that long.
void work(std::chrono::milliseconds how_long) {
    const auto used = [] {
        timespec now{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    };
    for (const auto until = used() + how_long; used() < until;) {
    }
}

TEST(ThreadLoad, IsWhatWasUsedOfTheTimeThatHasPassed) {
    testing::manual_time time;
    thread_load subject;
    EXPECT_EQ(subject.share(time.now()), 0.0) << "nothing to compare with yet";
    work(50ms);
    time.advance(10s);
    // The kernel counts waiting for a core as well, so a busy machine makes it more.
    const double share = subject.share(time.now());
    EXPECT_GE(share, 0.004);
    time.advance(1h);
    EXPECT_LT(subject.share(time.now()), share) << "since the last look, and not since the beginning";
}

TEST(ThreadLoad, AskedMoreOftenItGivesTheAnswerOfBefore) {
    testing::manual_time time;
    thread_load subject;
    static_cast<void>(subject.share(time.now()));
    time.advance(79ms);
    work(5ms);
    EXPECT_EQ(subject.share(time.now()), 0.0);
    time.advance(1ms);
    EXPECT_GT(subject.share(time.now()), 0.0);
}

}  // namespace
}  // namespace tocsin
