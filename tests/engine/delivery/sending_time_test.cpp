#include "engine/delivery/sending_time.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(SendingTime, GrowsWithTheRateUntilTheRampEnds) {
    struct row {
        std::uint64_t devices;
        double rate;
        double ramp_up;
        double wanted;
        const char* because;
    };
    // From 1,000 to 9,000 a second in 60 s: 300,000 by then, and 9,000 a second from there.
    const std::vector<row> rows{
        {0, 9'000, 60, 0, "nobody"},
        {9'000, 9'000, 0, 1, "no ramp"},
        {500, 500, 60, 1, "a rate that needs none"},
        {1'000, 1'000, 60, 1, "the gentle rate itself"},
        {90'000, 9'000, 60, 30, "within the ramp"},
        {300'000, 9'000, 60, 60, "all of the ramp"},
        {300'009, 9'000, 60, 60.001, "just after it"},
        {390'000, 9'000, 60, 70, "long after it"},
    };
    for (const row& each : rows) {
        const std::chrono::duration<double> ramp_up(each.ramp_up);
        EXPECT_NEAR(sending_time(each.devices, each.rate, 1'000, ramp_up).count(), each.wanted, 1e-9)
            << each.because;
    }
}

TEST(SendingTime, NeverShrinksWithMoreDevices) {
    const std::chrono::duration<double> ramp_up(60);
    double before = 0;
    for (std::uint64_t devices = 0; devices <= 600'000; devices += 500) {
        const double now = sending_time(devices, 9'000, 1'000, ramp_up).count();
        EXPECT_GE(now, before) << devices;
        EXPECT_GE(now, static_cast<double>(devices) / 9'000) << "faster than the rate: " << devices;
        before = now;
    }
}

}  // namespace
}  // namespace tocsin
