#include "tools/tocsin/commune_movements.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

/// 01004, 21231 and 85001 are today's.
const territories& today() {
    static const territories loaded =
        territories::parse(
            "insee,name,population,department,epci\n01004,A,1,01,\n21231,B,1,21,\n"
            "85001,C,1,85,\n",
            "")
            .value();
    return loaded;
}

std::string gone_to(const std::string& csv, std::string_view code) {
    const auto table = commune_movements::parse(csv);
    if (table.has_error()) {
        return table.error().message;
    }
    std::string out;
    for (const commune_id id : table->today(*parse_commune_id(code), today())) {
        out += (out.empty() ? "" : " ") + to_string(id);
    }
    return out;
}

constexpr const char* head = "MOD,DATE_EFF,TYPECOM_AV,COM_AV,TNCC_AV,NCC_AV,TYPECOM_AP,COM_AP\n";

TEST(CommuneMovements, FollowsACommuneThroughAllThatBefellIt) {
    const std::string csv = std::string(head) +
                            "31,1973-01-01,COM,01002,1,X,COM,01003\n"  // Merged …
                            "32,2016-01-01,COM,01003,1,X,COM,01006\n"  // … into one that merged …
                            "41,2020-01-01,COM,01006,1,X,COM,85001\n"  // … and changed its department.
                            "32,2016-01-01,COM,01003,1,X,COMD,01003\n"
                            "10,2018-01-01,COM,01003,1,X,COM,01004\n";
    EXPECT_EQ(gone_to(csv, "01002"), "85001");
    EXPECT_EQ(gone_to(csv, "01006"), "85001");
    EXPECT_EQ(gone_to(csv, "01999"), "");
}

TEST(CommuneMovements, LooksAtTheLastOfManyEvents) {
    // Merged, restored, and merged again into another.
    const std::string csv = std::string(head) +
                            "33,1973-01-01,COM,01002,1,X,COM,01004\n"
                            "21,1990-01-01,COM,01004,1,X,COM,01002\n"
                            "32,2019-01-01,COM,01002,1,X,COM,21231\n";
    EXPECT_EQ(gone_to(csv, "01002"), "21231");
}

TEST(CommuneMovements, SaysAllPartsOfWhatWasDivided) {
    EXPECT_EQ(
        gone_to(
            std::string(head) +
                "30,2000-01-01,COM,01002,1,X,COM,01004\n30,2000-01-01,COM,01002,1,X,COM,21231\n",
            "01002"),
        "01004 21231");
}

TEST(CommuneMovements, ACircleEnds) {
    EXPECT_EQ(
        gone_to(
            std::string(head) +
                "31,2000-01-01,COM,01002,1,X,COM,01003\n31,2000-01-01,COM,01003,1,X,COM,01002\n",
            "01002"),
        "");
}

TEST(CommuneMovements, ReadsEveryFormThatInseeHasPublishedAndATableOfOnesOwn) {
    for (const std::string csv :
         {"mod,date_eff,typecom_av,com_av,typecom_ap,com_ap\n32,2019-01-01,COM,01002,COM,01004\n",
          "\"MOD\",\"DATE_EFF\",\"TYPECOM_AV\",\"COM_AV\",\"TYPECOM_AP\",\"COM_AP\"\r\n"
          "\"32\",\"01/01/2019\",\"COM\",\"01002\",\"COM\",\"01004\"\r\n",
          "\xEF\xBB\xBF"
          "from,to\n01002,01004\n",
          "from,to\n01002,01004\n\n"}) {
        EXPECT_EQ(gone_to(csv, "01002"), "01004") << csv;
    }
}

TEST(CommuneMovements, WhatIsWrongIsToldWithItsLine) {
    EXPECT_NE(
        gone_to("insee,name\n01002,X\n", "01002").find("line 1: the columns COM_AV"), std::string::npos);
    EXPECT_NE(gone_to("", "01002").find("line 1"), std::string::npos);
    EXPECT_EQ(
        gone_to("from,to\n01002,01004\n1002,01004\n", "01002"), "line 3: \"1002\" is not an INSEE code");
    EXPECT_EQ(gone_to("from,to\n01002\n", "01002"), "line 2: \"\" is not an INSEE code");
}

}  // namespace
}  // namespace tocsin::cli
