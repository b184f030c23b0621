#include "providers/fcm/apple_trouble.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};

class AppleTrouble : public ::testing::Test {
protected:
    bool refuse(const std::string& token, time_point now = start) {
        return trouble.refused(token, now - 1s, now);
    }
    bool accept(const std::string& token, time_point now = start) {
        return trouble.accepted(token, now - 1s);
    }

    apple_trouble trouble;
};

TEST_F(AppleTrouble, IsOverWhenADeviceThatWasRefusedForItIsAccepted) {
    EXPECT_FALSE(accept("iphone")) << "there is none";
    refuse("iphone");
    EXPECT_FALSE(accept("android"));
    EXPECT_TRUE(trouble.lasts(start));
    EXPECT_TRUE(accept("iphone"));
    EXPECT_FALSE(trouble.lasts(start));
    EXPECT_FALSE(accept("iphone")) << "it ends once";
}

TEST_F(AppleTrouble, OfACityIsOverWithAnyOfTheDevicesThatWereRefusedLast) {
    for (int i = 0; i < 10'000; ++i) {
        refuse("iphone-" + std::to_string(i));
    }
    EXPECT_TRUE(accept("iphone-9999"));
    EXPECT_FALSE(trouble.lasts(start));
}

TEST_F(AppleTrouble, IsNotBegunAgainByWhatWasOnItsWayWhenItEnded) {
    trouble.refused("a", start, start + 1s);
    trouble.refused("b", start, start + 1s);
    EXPECT_TRUE(trouble.accepted("a", start + 5s));
    EXPECT_FALSE(trouble.refused("c", start + 4s, start + 6s));
    EXPECT_FALSE(trouble.lasts(start + 6s));
    EXPECT_TRUE(trouble.refused("c", start + 7s, start + 8s)) << "refused after the other was accepted";
    EXPECT_TRUE(trouble.lasts(start + 8s));
}

TEST_F(AppleTrouble, ThatNoDeviceMeetsAnyMoreIsNotKnownAnyMore) {
    refuse("iphone");
    EXPECT_TRUE(trouble.lasts(start + 12min));
    EXPECT_FALSE(trouble.lasts(start + 13min));
    EXPECT_TRUE(refuse("iphone", start + 14min)) << "news again";
}

TEST_F(AppleTrouble, LeavesDevicesAloneForLongerTheLongerItLastsAndOneComesBackSoon) {
    refuse("iphone");
    EXPECT_EQ(trouble.pause(start), 30s) << "the one that finds out";
    EXPECT_EQ(trouble.pause(start), 5min);
    EXPECT_EQ(trouble.pause(start + 29s), 5min);
    EXPECT_EQ(trouble.pause(start + 30s), 30s);
    for (auto now = start; now < start + 24h; now += 10min) {
        refuse("iphone", now);
    }
    EXPECT_EQ(trouble.pause(start + 4h), 30s);
    EXPECT_EQ(trouble.pause(start + 4h), 30min);
    EXPECT_EQ(trouble.pause(start + 24h), 30s);
    EXPECT_EQ(trouble.pause(start + 24h), 1h);
    EXPECT_TRUE(trouble.lasts(start + 26h)) << "a device comes back once an hour";
    accept("iphone", start + 26h);
    refuse("iphone", start + 27h);
    EXPECT_EQ(trouble.pause(start + 27h), 30s);
    EXPECT_EQ(trouble.pause(start + 27h), 5min) << "another trouble";
}

TEST_F(AppleTrouble, IsALineOfTheLogOnceInTenMinutesOrWhenItIsNews) {
    EXPECT_TRUE(refuse("a"));
    EXPECT_FALSE(refuse("b", start + 9min));
    EXPECT_TRUE(refuse("b", start + 10min));
    EXPECT_TRUE(accept("b", start + 11min));
    EXPECT_TRUE(refuse("b", start + 12min));
}

}  // namespace
}  // namespace tocsin::fcm
