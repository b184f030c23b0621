#include "engine/event/selector.hpp"

#include "providers/known_platforms.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

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

TEST(Selector, HalvesOfTheRhoneAreToldHowTheyAreNamed) {
    for (const auto& [code, instead] :
         {std::pair("69M", "\"epci:200046977\", and a device follows its communes, as in \"commune:69123\""),
          std::pair("69m", "\"epci:200046977\""),
          std::pair("69D", "\"department:69\", and a device follows its communes, as in \"commune:69264\""),
          std::pair("69d", "\"department:69\"")}) {
        for (const std::string kind : {"commune", "department", "epci"}) {
            const std::string text = kind + ":" + code;
            const auto one = parse_selector(known_platforms(), text, "audience[2]");
            ASSERT_FALSE(one) << text;
            EXPECT_EQ(one.error().code, "invalid_" + kind);
            EXPECT_TRUE(one.error().message.starts_with(std::string("audience[2]: \"") + code + "\" is "))
                << one.error().message;
            EXPECT_NE(one.error().message.find(instead), std::string::npos) << one.error().message;
        }
    }
    for (const char* const instead : {"epci:200046977", "department:69", "commune:69123", "commune:69264"}) {
        EXPECT_EQ(code_of(instead), "accepted") << instead;
    }
}

TEST(Selector, HalvesOfTheRhoneAreNotFollowedAndTheDeviceIsToldWhatIs) {
    for (const auto& [text, code, instead] : std::vector<std::array<std::string, 3>>{
             {"commune:69M", "invalid_commune", "\"commune:69123\""},
             {"commune:69D", "invalid_commune", "\"commune:69264\""},
             {"zone:69M:centre", "invalid_commune", "\"commune:69123\""},
             {"zone:69D:centre", "invalid_commune", "\"commune:69264\""},
             {"epci:69M", "invalid_epci", "\"commune:69123\""},
             {"epci:69D", "invalid_epci", "\"commune:69264\""},
             {"department:69M", "invalid_department", "\"commune:69123\""},
             {"department:69D", "invalid_department", "\"commune:69264\""}}) {
        const auto where = parse_followed(known_platforms(), text, "follow[0]");
        ASSERT_FALSE(where) << text;
        EXPECT_EQ(where.error().code, code) << text;
        EXPECT_NE(where.error().message.find(instead), std::string::npos) << where.error().message;
    }
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
