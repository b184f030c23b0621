#include "engine/audience/unknown_commune.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(UnknownCommuneHint, SaysWhatCommonlyStandsThere) {
    const territories known = territories::parse(
                                  "insee,name,population,department,epci\n"
                                  "21231,Dijon,9000,21,\n"
                                  "21054,Beaune,9000,21,\n"
                                  "13055,Marseille,9000,13,\n",
                                  "epci,name,type,communes,population\n",
                                  "code,commune,name\n"
                                  "21901,21231,\n"
                                  "21902,21231,\n"
                                  "21902,21054,\n")
                                  .value();
    struct row {
        std::string code;
        std::string wanted;
    };
    const std::vector<row> rows{
        {"75101", "; Paris is \"75056\" as a whole, its arrondissements can be zones"},
        {"69380", "; is it a postal code?"},
        {"69381", "; Lyon is \"69123\" as a whole, its arrondissements can be zones"},
        {"69389", "; Lyon is \"69123\" as a whole, its arrondissements can be zones"},
        {"69390", "; is it a postal code?"},
        {"13200", "; is it a postal code?"},
        {"13201", "; Marseille is \"13055\" as a whole, its arrondissements can be zones"},
        {"13216", "; Marseille is \"13055\" as a whole, its arrondissements can be zones"},
        {"13217", "; was the commune merged into another?"},
        {"21901", "; it is a part of \"21231\" (Dijon) now"},
        {"21902", "; its parts belong to \"21054\" (Beaune) and \"21231\" (Dijon) now"},
        {"20004", "; codes of Corsica begin with \"2A\" or \"2B\""},
        {"21000", "; is it a postal code?"},
        {"99123", "; was the commune merged into another?"},
        {"Dijon", "; was the commune merged into another?"},
    };
    for (const row& each : rows) {
        EXPECT_EQ(unknown_commune_hint(each.code, known), each.wanted) << each.code;
    }
}

}  // namespace
}  // namespace tocsin
