#include "tools/proof/reach_csv.hpp"
#include "tools/proof/reach_rows.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::proof {
namespace {

const territories& places() {
    static const territories known = territories::parse(
                                         "insee,name,population,department,epci\n"
                                         "01004,Ambérieu-en-Bugey,14000,01,\n"
                                         "21054,Beaune,20000,21,\n"
                                         "21231,Dijon,160000,21,\n"
                                         "76351,Le Havre,170000,76,\n"
                                         "78140,Échouboulains,500,78,\n",
                                         "")
                                         .value();
    return known;
}

std::vector<reach_row> rows() {
    return reach_rows(
        boost::json::parse(R"({
            "76351": {"population": 170000, "targeted": 60, "accepted": 50, "received": 40, "displayed": 45, "opened": 9},
            "21231": {"population": 160000, "targeted": 900, "accepted": 800, "received": 0, "displayed": 0, "opened": 0},
            "78140": {"population": 500, "targeted": 400, "accepted": 400, "received": 1, "displayed": 2, "opened": 3},
            "21054": {"population": 20000, "targeted": 0, "accepted": 0, "received": 0, "displayed": 0, "opened": 0},
            "99999": {"accepted": 3}})")
            .as_object(),
        places());
}

std::string order_by(std::string_view word) {
    auto sorted = rows();
    sort_rows(sorted, word);
    std::string out;
    for (const reach_row& row : sorted) {
        out += row.insee + " ";
    }
    return out;
}

TEST(ReachTest, RowsAreSortedAsTheirReaderAsks) {
    EXPECT_EQ(order_by("insee"), "21054 21231 76351 78140 99999 ");
    EXPECT_EQ(order_by("name"), "99999 21054 21231 78140 76351 ");  // Échouboulains before Le Havre.
    EXPECT_EQ(order_by("accepted"), "21231 78140 76351 99999 21054 ");
    EXPECT_EQ(order_by("reach"), "78140 21231 76351 21054 99999 ");
    EXPECT_EQ(order_by("confirmed_reach"), "78140 76351 21054 21231 99999 ");
    EXPECT_EQ(order_by("population"), "76351 21231 21054 78140 99999 ");
    for (const std::string& word : sort_words()) {
        EXPECT_EQ(order_by(word).size(), 30U) << word;
    }
}

TEST(ReachTest, OnlyTheDepartmentsThatAreAskedForAreKept) {
    auto kept = rows();
    const std::vector<std::string> asked{"21", "78"};
    keep_departments(kept, asked);
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[0].insee, "21054");
    keep_departments(kept, {});
    EXPECT_EQ(kept.size(), 3U);
}

TEST(ReachTest, SumsAndTheConfirmedReachAreMadeOfWhatIsCounted) {
    const reach_row sum = sum_of(rows());
    EXPECT_EQ(sum.of(measure::accepted), 1'253U);
    EXPECT_EQ(sum.of(measure::population), 350'500U);
    EXPECT_EQ(sum.confirmed(), 47U);
    const auto all = rows();
    EXPECT_EQ(all.front().share(all.front().confirmed()), 0.0);
    EXPECT_EQ(all.back().confirmed(), std::nullopt);
    EXPECT_FALSE(all.back().share(all.back().of(measure::accepted)));
}

TEST(ReachTest, PlainCsvIsWhatEveryProgramReads) {
    auto some = rows();
    std::erase_if(some, [](const reach_row& row) { return row.insee != "76351" && row.insee != "99999"; });
    some.front().name = "Le \"Havre\", port";
    EXPECT_EQ(
        reach_csv(some, csv_form::plain),
        "insee,name,department,population,targeted,accepted,received,displayed,opened,reach,confirmed_"
        "reach\r\n"
        "76351,\"Le \"\"Havre\"\", port\",76,170000,60,50,40,45,9,0.0003,0.0003\r\n"
        "99999,,,,,3,,,,,\r\n");
}

TEST(ReachTest, CsvForASpreadsheetIsFrenchAndHoldsNoFormula) {
    auto some = rows();
    std::erase_if(some, [](const reach_row& row) { return row.insee != "78140"; });
    some.front().name = "=HYPERLINK(\"x\")";
    EXPECT_EQ(
        reach_csv(some, csv_form::excel),
        "\xEF\xBB\xBFinsee;name;department;population;targeted;accepted;received;displayed;opened;reach;"
        "confirmed_reach\r\n"
        "78140;\"'=HYPERLINK(\"\"x\"\")\";78;500;400;400;1;2;3;0,8000;0,0060\r\n");
}

TEST(ReachTest, WhatIsNoCommuneIsVisibleAndNoFormulaEither) {
    const auto strange = reach_rows(
        {{"=1+\x1b[2J\r\ntocsin: all is well\u202e", boost::json::object{{"accepted", 7}}}}, places());
    ASSERT_EQ(strange.size(), 1U);
    EXPECT_EQ(strange.front().insee, "=1+\\u001b[2J\\r\\ntocsin: all is well\\u202e");
    EXPECT_NE(reach_csv(strange, csv_form::excel).find("\n'=1+\\u001b[2J\\r\\ntocsin"), std::string::npos);
    EXPECT_NE(reach_csv(strange, csv_form::plain).find("\n=1+\\u001b[2J"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::proof
