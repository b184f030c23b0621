#include "providers/common/locale_table.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(LocaleTable, PrefersTheLocaleThenItsLanguageThenTheDefault) {
    locale_table locales;
    locales.add("en");
    locales.add("pt-BR");
    locales.add("pt");
    EXPECT_EQ(locales.size(), 4U);
    EXPECT_EQ(locales.find("pt-BR"), 2);
    EXPECT_EQ(locales.find("pt-PT"), 3);
    EXPECT_EQ(locales.find("en-GB"), 1);
    EXPECT_EQ(locales.find("de"), 0);
    EXPECT_EQ(locales.find(""), 0);
    EXPECT_EQ(locales.find("-"), 0);
}

TEST(LocaleTable, DoesNotMindHowALocaleIsSpelt) {
    locale_table locales;
    locales.add("fr-CA");
    EXPECT_EQ(locales.find("fr_CA"), 1);
    EXPECT_EQ(locales.find("FR-ca"), 1);
    EXPECT_EQ(locales.find("fr"), 0);
}

}  // namespace
}  // namespace tocsin
