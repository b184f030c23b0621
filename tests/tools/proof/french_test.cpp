#include "tools/proof/french.hpp"

#include "engine/core/rfc3339.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::french {
namespace {

/// With the no-break spaces as a reader can tell them apart: "_" for the wide one, "~" for the narrow one.
std::string told(std::string text) {
    for (const auto& [space, sign] : {std::pair(narrow, "~"), std::pair(wide, "_")}) {
        for (std::size_t at = text.find(space); at != std::string::npos; at = text.find(space, at)) {
            text.replace(at, space.size(), sign);
        }
    }
    return text;
}

TEST(FrenchTest, NumbersAreGroupedByThreeAndNeverBroken) {
    EXPECT_EQ(number(0), "0");
    EXPECT_EQ(number(999), "999");
    EXPECT_EQ(told(number(1'000)), "1~000");
    EXPECT_EQ(told(number(24'100'345)), "24~100~345");
}

TEST(FrenchTest, SharesHaveADecimalCommaAndSmallOnesMoreDecimals) {
    EXPECT_EQ(told(percent(364, 1'000)), "36,4~%");
    EXPECT_EQ(told(percent(1, 1)), "100,0~%");
    EXPECT_EQ(told(percent(0, 5)), "0,0~%");
    EXPECT_EQ(told(percent(1, 40'000)), "0,0025~%");
    EXPECT_EQ(percent(1, 0), "");
}

TEST(FrenchTest, SpansAreSaidInTheUnitThatFits) {
    EXPECT_EQ(told(span(0)), "0~ms");
    EXPECT_EQ(told(span(999)), "999~ms");
    EXPECT_EQ(told(span(12'340)), "12,3~s");
    EXPECT_EQ(told(span(125'000)), "2~min~05~s");
    EXPECT_EQ(told(span(3'720'000)), "1~h~02~min");
}

TEST(FrenchTest, PlacesHaveTheirApostropheAndKeepTheirArticle) {
    EXPECT_EQ(told(place("L'Haÿ-les-Roses")), "L’Haÿ-les-Roses");
    EXPECT_EQ(told(place("La Roche-sur-Yon")), "La_Roche-sur-Yon");
    EXPECT_EQ(told(place("Leuglay")), "Leuglay");
    const std::vector<std::pair<std::string_view, std::string_view>> communes{
        {"Dijon", "à_Dijon"},
        {"Arras", "à_Arras"},
        {"Le Havre", "au_Havre"},
        {"Les Ulis", "aux_Ulis"},
        {"La Rochelle", "à_La_Rochelle"},
        {"L'Haÿ-les-Roses", "à_L’Haÿ-les-Roses"},
        {"Lesquin", "à_Lesquin"}};
    for (const auto& [name, said] : communes) {
        EXPECT_EQ(told(in_commune(name)), said) << name;
    }
}

TEST(FrenchTest, MomentsAreInWordsAndInTheTimeOfParis) {
    const std::vector<std::pair<std::string_view, std::string_view>> moments{
        {"2026-11-23T06:00:05Z", "lundi 23_novembre_2026 à 7~h~00~min~05~s"},
        {"2026-07-31T22:30:00Z", "samedi 1er_août_2026 à 0~h~30~min~00~s"},
        // The last Sunday of March and of October, at one o'clock UTC.
        {"2026-03-29T00:59:59Z", "dimanche 29_mars_2026 à 1~h~59~min~59~s"},
        {"2026-03-29T01:00:00Z", "dimanche 29_mars_2026 à 3~h~00~min~00~s"},
        {"2026-10-25T00:59:59Z", "dimanche 25_octobre_2026 à 2~h~59~min~59~s"},
        {"2026-10-25T01:00:00Z", "dimanche 25_octobre_2026 à 2~h~00~min~00~s"},
        {"2026-12-31T23:00:00Z", "vendredi 1er_janvier_2027 à 0~h~00~min~00~s"}};
    for (const auto& [written, said] : moments) {
        EXPECT_EQ(told(moment(parse_rfc3339(written).value())), said) << written;
    }
}

}  // namespace
}  // namespace tocsin::french
