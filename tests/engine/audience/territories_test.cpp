#include "engine/audience/territories.hpp"

#include "engine/audience/territories_bundled.hpp"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

constexpr std::string_view header = "insee,name,population,department,epci\n";

std::string fault(const std::string& rows) {
    const auto loaded = territories::parse(std::string(header) + rows, "");
    return loaded ? "accepted" : loaded.error().message;
}

const territories& france() {
    static const territories loaded = territories::load({}).value();
    return loaded;
}

TEST(Territories, BundledDataIsAllOfFrance) {
    EXPECT_EQ(france().all().size(), 34'969U);
    EXPECT_EQ(france().total_population(), 68'952'941U);
    EXPECT_TRUE(std::ranges::is_sorted(france().all(), {}, &commune::id));
    EXPECT_TRUE(bundled_communes().ends_with('\n'));
    EXPECT_TRUE(bundled_epci().starts_with("epci,"));
}

TEST(Territories, KnowsACommune) {
    const commune* dijon = france().find(*parse_commune_id("21231"));
    ASSERT_NE(dijon, nullptr);
    EXPECT_EQ(dijon->name, "Dijon");
    EXPECT_GT(dijon->population, 150'000U);
    EXPECT_EQ(to_string(dijon->department), "21");
    ASSERT_TRUE(dijon->epci);
    EXPECT_EQ(to_string(*dijon->epci), "242100410");
    EXPECT_EQ(france().epci_name(*dijon->epci), "Dijon Métropole");
    EXPECT_EQ(france().name(dijon->id), "Dijon");
    EXPECT_EQ(france().population(dijon->id), dijon->population);
}

TEST(Territories, KnowsWhatItDoesNotKnow) {
    const commune_id nowhere = *parse_commune_id("21999");
    EXPECT_EQ(france().find(nowhere), nullptr);
    EXPECT_EQ(france().population(nowhere), 0U);
    EXPECT_EQ(france().name(nowhere), "");
    EXPECT_TRUE(france().of_epci(*parse_epci_id("123456789")).empty());
    EXPECT_TRUE(france().of_department(*parse_department_id("980")).empty());
    EXPECT_EQ(france().epci_name(*parse_epci_id("123456789")), "");
}

TEST(Territories, DepartmentsAndEpciHoldTheirCommunes) {
    EXPECT_EQ(france().of_department(*parse_department_id("59")).size(), 647U);
    EXPECT_EQ(france().of_department(*parse_department_id("75")).size(), 1U);
    EXPECT_EQ(france().of_epci(*parse_epci_id("242100410")).size(), 23U);
    std::size_t sum = 0;
    for (const std::string& code : france().department_codes()) {
        const auto communes = france().of_department(*parse_department_id(code));
        EXPECT_TRUE(std::ranges::is_sorted(communes));
        sum += communes.size();
    }
    EXPECT_EQ(sum, france().all().size());
}

TEST(Territories, IslandsNeedNoEpci) {
    const commune* ouessant = france().find(*parse_commune_id("29155"));
    ASSERT_NE(ouessant, nullptr);
    EXPECT_FALSE(ouessant->epci);
}

TEST(Territories, AFileTakesThePlaceOfTheBundledData) {
    const std::string path = ::testing::TempDir() + "territories_test.csv";
    std::ofstream(path) << header << "99001,\"Ville, la\",12,21,\r\n";
    const auto loaded = territories::load(path);
    std::remove(path.c_str());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(loaded->all().size(), 1U);
    EXPECT_EQ(loaded->all()[0].name, "Ville, la");
}

TEST(Territories, AFileThatCannotBeReadIsNamed) {
    const auto loaded = territories::load("/nowhere/communes.csv");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, "invalid_territories_file");
    EXPECT_EQ(loaded.error().message, "/nowhere/communes.csv: No such file or directory");
    EXPECT_FALSE(territories::load(::testing::TempDir()));
}

TEST(Territories, FaultsNameTheirLine) {
    EXPECT_EQ(
        territories::parse("", "").error().message,
        "line 1: the header must be insee,name,population,department,epci");
    EXPECT_EQ(
        territories::parse("code,name\n", "").error().message,
        "line 1: the header must be insee,name,population,department,epci");
    EXPECT_EQ(fault(""), "line 2: there is no commune in the file");
    EXPECT_EQ(
        fault("21231,Dijon,1,21\n"),
        "line 2: a commune has 5 fields (insee,name,population,department,epci), not 4");
    EXPECT_EQ(fault("2123,Dijon,1,21,\n"), "line 2: \"2123\" is not an INSEE code, as in 21231 or 2A004");
    EXPECT_EQ(fault("21231,,1,21,\n"), "line 2: commune 21231 has no name");
    EXPECT_EQ(
        fault("21231,Dijon,1,21,\n21232,\xFF,1,21,\n"), "line 3: the name of commune 21232 is not UTF-8");
    EXPECT_EQ(fault("21231,Dijon,many,21,\n"), "line 2: \"many\" is not a number of inhabitants");
    EXPECT_EQ(fault("21231,Dijon,-1,21,\n"), "line 2: \"-1\" is not a number of inhabitants");
    EXPECT_EQ(
        fault("21231,Dijon,99999999999,21,\n"), "line 2: \"99999999999\" is not a number of inhabitants");
    EXPECT_EQ(fault("21231,Dijon,1,20,\n"), "line 2: \"20\" is not a department");
    EXPECT_EQ(
        fault("21231,Dijon,1,21,24210041\n"),
        "line 2: \"24210041\" is not a SIREN number of 9 digits (leave it empty for none)");
    EXPECT_EQ(
        fault("21231,A,1,21,\n21232,B,1,21,\n21231,C,1,21,\n"),
        "line 4: commune 21231 stands on line 2 already");
    EXPECT_EQ(fault("21231,\"Dijon,1,21,\n"), "line 2: a quoted field is never closed");
}

}  // namespace
}  // namespace tocsin
