#include "engine/delivery/forgotten_devices.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

TEST(ForgottenDevices, ConcernWhatWasReadBefore) {
    forgotten_devices forgotten;
    EXPECT_FALSE(forgotten.contains("a", start));
    forgotten.add("a", start);
    EXPECT_TRUE(forgotten.contains("a", start));
    EXPECT_FALSE(forgotten.contains("b", start));
    EXPECT_FALSE(forgotten.contains("a", start + 1ns));
    forgotten.add("a", start + 1s);
    EXPECT_TRUE(forgotten.contains("a", start + 1ns));
}

TEST(ForgottenDevices, AreDroppedAfterTenMinutesAndLookedThroughUntilThen) {
    forgotten_devices forgotten;
    EXPECT_FALSE(forgotten.due(start));
    forgotten.add("a", start);
    EXPECT_TRUE(forgotten.due(start));
    EXPECT_FALSE(forgotten.due(start + 1min));
    EXPECT_TRUE(forgotten.due(start + 3min));
    forgotten.drop_oldest(start + 10min);
    EXPECT_TRUE(forgotten.contains("a", start));
    forgotten.drop_oldest(start + 10min + 1ns);
    EXPECT_FALSE(forgotten.contains("a", start));
    EXPECT_FALSE(forgotten.due(start + 1h));
}

}  // namespace
}  // namespace tocsin
