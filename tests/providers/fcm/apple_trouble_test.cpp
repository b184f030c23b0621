#include "providers/fcm/apple_trouble.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};

TEST(AppleTrouble, IsOverWhenADeviceThatWasRefusedForItIsAccepted) {
    apple_trouble trouble;
    EXPECT_FALSE(trouble.accepted("iphone")) << "there is none";
    trouble.refused("iphone", "the key is wrong", start);
    EXPECT_FALSE(trouble.accepted("android"));
    EXPECT_EQ(trouble.sentence(start), "the key is wrong");
    EXPECT_TRUE(trouble.accepted("iphone"));
    EXPECT_FALSE(trouble.sentence(start).has_value());
    EXPECT_FALSE(trouble.accepted("iphone")) << "it ends once";
}

TEST(AppleTrouble, OfACityIsOverWithAFewOfItsDevices) {
    apple_trouble trouble;
    for (int i = 0; i < 10'000; ++i) {
        trouble.refused("iphone-" + std::to_string(i), "the key is wrong", start);
    }
    int needed = 0;
    while (needed < 10'000 && !trouble.accepted("iphone-" + std::to_string(needed))) {
        ++needed;
    }
    EXPECT_LT(needed, 9'999);
    EXPECT_FALSE(trouble.sentence(start).has_value());
}

TEST(AppleTrouble, ThatNobodyMetForAnHourIsNotKnownAnyMore) {
    apple_trouble trouble;
    trouble.refused("iphone", "the key is wrong", start);
    EXPECT_TRUE(trouble.sentence(start + 59min).has_value());
    EXPECT_FALSE(trouble.sentence(start + 1h).has_value());
}

TEST(AppleTrouble, IsALineOfTheLogOnceInTenMinutesOrWhenItIsNews) {
    apple_trouble trouble;
    EXPECT_TRUE(trouble.refused("a", "the key is wrong", start));
    EXPECT_FALSE(trouble.refused("b", "the key is wrong", start + 9min));
    EXPECT_TRUE(trouble.refused("b", "the key is wrong", start + 10min));
    EXPECT_TRUE(trouble.refused("b", "the key is of the other environment", start + 11min));
    EXPECT_TRUE(trouble.accepted("b"));
    EXPECT_TRUE(trouble.refused("b", "the key is of the other environment", start + 12min));
}

}  // namespace
}  // namespace tocsin::fcm
