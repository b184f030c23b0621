#include "engine/audience/roster_head.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(RosterHead, IsReadAsItWasWritten) {
    const auto head = decode_roster_head(encode_roster_head({.generation = 3, .buckets = 1'000'000}));
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->generation, 3U);
    EXPECT_EQ(head->buckets, 1'000'000U);
}

TEST(RosterHead, RefusesWhatNobodyHasWritten) {
    for (const auto* text :
         {"", ":", "1", "1:", ":1", "1:0", "1:x", "1:2 ", "x:2", "1x:2", "1:4294967296", "-1:2",
          "4294967295:2", "1000000001:2"}) {
        EXPECT_FALSE(decode_roster_head(text).has_value()) << text;
    }
}

TEST(RosterHead, IsFoundByPlatformAndTerritory) {
    EXPECT_EQ(roster_head_field(platform::fcm, {*parse_commune_id("2A004"), {}}), "fcm:2A004");
    EXPECT_EQ(roster_head_field(platform::apns, {*parse_commune_id("21231"), "centre"}), "apns:21231:centre");
}

}  // namespace
}  // namespace tocsin
