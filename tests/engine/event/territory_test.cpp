#include "engine/event/territory.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(CommuneId, IsWrittenAsItIsRead) {
    for (const char* code : {"01001", "21231", "2A004", "2B366", "97411", "98832", "99999"}) {
        const auto id = parse_commune_id(code);
        ASSERT_TRUE(id) << code;
        EXPECT_EQ(to_string(*id), code);
        EXPECT_TRUE(is_commune_id(id->value()));
        EXPECT_LT(id->value(), 1U << 26U);
    }
}

TEST(CommuneId, RefusesWhatIsNoCode) {
    for (const char* code :
         {"", "2123", "212311", "2a004", "2C004", "A1231", "2123A", "00001", "21 31", "-1231"}) {
        EXPECT_FALSE(parse_commune_id(code)) << code;
    }
}

TEST(CommuneId, IsOrderedAsCodesAre) {
    const std::vector<std::string> codes{"01001", "19999", "21001", "29999",
                                         "2A004", "2B033", "30001", "97101"};
    for (std::size_t i = 1; i < codes.size(); ++i) {
        EXPECT_LT(*parse_commune_id(codes[i - 1]), *parse_commune_id(codes[i]));
    }
}

TEST(CommuneId, KnowsANumberThatIsNoCode) {
    const std::uint32_t dijon = parse_commune_id("21231")->value();
    EXPECT_FALSE(is_commune_id(0));
    EXPECT_FALSE(is_commune_id(dijon + 10));                      // 2123B
    EXPECT_FALSE(is_commune_id(dijon + 36 * 36 * 36 * 36 * 36));  // The same digits, one round further.
    EXPECT_FALSE(is_commune_id(UINT32_MAX));
}

TEST(DepartmentId, IsWrittenAsItIsRead) {
    for (const char* code : {"01", "2A", "21", "95", "971", "988"}) {
        const auto id = parse_department_id(code);
        ASSERT_TRUE(id) << code;
        EXPECT_EQ(to_string(*id), code);
    }
}

TEST(EpciId, KeepsLeadingZeros) {
    EXPECT_EQ(to_string(*parse_epci_id("200069193")), "200069193");
    EXPECT_EQ(to_string(*parse_epci_id("000000001")), "000000001");
    EXPECT_FALSE(parse_epci_id("20006919"));
    EXPECT_FALSE(parse_epci_id("20006919x"));
}

TEST(Territory, CommuneComesBeforeItsZonesAndZonesBeforeTheNextCommune) {
    const std::vector<territory> ordered{
        {.commune = *parse_commune_id("21231")},
        {.commune = *parse_commune_id("21231"), .zone = "centre"},
        {.commune = *parse_commune_id("21231"), .zone = "gare"},
        {.commune = *parse_commune_id("21232")}};
    EXPECT_TRUE(std::is_sorted(ordered.begin(), ordered.end()));
}

TEST(Territory, IsWrittenAsItIsRead) {
    for (const std::string text : {"21231", "2A004", "21231:centre", "21231:a.b_c-1"}) {
        const auto where = parse_territory(text);
        ASSERT_TRUE(where) << text;
        EXPECT_EQ(to_string(*where), text);
    }
    for (const char* text : {"", "2123", "21231:", "21231centre", "21231:a b", "212310", ":centre"}) {
        EXPECT_FALSE(parse_territory(text)) << text;
    }
}

TEST(Territory, IsASelectorToo) {
    EXPECT_EQ(selector_of(*parse_territory("21231")), "commune:21231");
    EXPECT_EQ(selector_of(*parse_territory("21231:centre")), "zone:21231:centre");
}

}  // namespace
}  // namespace tocsin
