#include "engine/event/selector.hpp"

#include "providers/known_platforms.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string code_of(std::string_view text) {
    const auto one = parse_selector(known_platforms(), text, "audience[0]");
    return one ? "accepted" : one.error().code;
}

TEST(Selector, IsWrittenAsItIsRead) {
    for (const std::string text :
         {"commune:21231", "commune:2A004", "epci:242100410", "department:21", "department:2B",
          "department:971", "department:988", "zone:21231:centre", "zone:21231:Les_Gr.e-1", "everyone",
          "device:apns:0123456789abcdef0123456789abcdef", "device:fcm:cXJ0b2tlbg:APA91bFab_-"}) {
        const auto one = parse_selector(known_platforms(), text, "audience[0]");
        ASSERT_TRUE(one) << one.error().message;
        EXPECT_EQ(to_string(*one), text);
    }
}

TEST(Selector, DepartmentsHaveTheirForm) {
    for (const char* code : {"01", "19", "21", "95", "2A", "2B", "971", "976", "977", "978", "984", "988"}) {
        EXPECT_EQ(code_of(std::string("department:") + code), "accepted") << code;
    }
    for (const char* code :
         {"00", "20", "96", "97", "98", "99", "1", "001", "970", "979", "2C", "2a", "9A"}) {
        EXPECT_EQ(code_of(std::string("department:") + code), "invalid_department") << code;
    }
}

TEST(Selector, ZoneNamesHave64CharactersAndNoMore) {
    EXPECT_EQ(code_of("zone:21231:" + std::string(64, 'z')), "accepted");
    EXPECT_EQ(code_of("zone:21231:" + std::string(65, 'z')), "invalid_zone");
}

TEST(Selector, ZoneKnowsItsCommune) {
    const auto one = parse_selector(known_platforms(), "zone:21231:centre", "audience[0]");
    ASSERT_TRUE(one);
    EXPECT_EQ(zone_of(*one), (territory{.commune = *parse_commune_id("21231"), .zone = "centre"}));
}

TEST(Selector, SuggestsTheKindThatWasMeant) {
    const auto one = parse_selector(known_platforms(), "comune:21231", "audience[4]");
    ASSERT_FALSE(one);
    EXPECT_EQ(
        one.error().message,
        "audience[4]: no selector of kind \"comune\": commune, epci, department, zone, everyone or device; "
        "did you mean \"commune\"?");
}

TEST(Selector, DevicesFollowCommunesAndZonesOnly) {
    const auto follow = [](std::string_view text) {
        const auto where = parse_followed(known_platforms(), text, "follow[0]");
        return where ? to_string(*where) : where.error().code;
    };
    EXPECT_EQ(follow("commune:21231"), "21231");
    EXPECT_EQ(follow("zone:21231:centre"), "21231:centre");
    EXPECT_EQ(follow("epci:242100410"), "cannot_follow");
    EXPECT_EQ(follow("department:21"), "cannot_follow");
    EXPECT_EQ(follow("everyone"), "cannot_follow");
    EXPECT_EQ(follow("device:fcm:cXJ0b2tlbg:APA91bFab_-"), "cannot_follow");
    EXPECT_EQ(follow("commune:2123"), "invalid_commune");
}

}  // namespace
}  // namespace tocsin
