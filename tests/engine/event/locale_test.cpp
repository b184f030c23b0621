#include "engine/event/locale.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string normalized(std::string_view tag) {
    const auto locale = normalize_locale(tag, "locale");
    return locale ? *locale : locale.error().code;
}

TEST(Locale, IsSpeltInOneWay) {
    EXPECT_EQ(normalized("fr"), "fr");
    EXPECT_EQ(normalized("FR"), "fr");
    EXPECT_EQ(normalized("fr_fr"), "fr-FR");
    EXPECT_EQ(normalized("pt-br"), "pt-BR");
    EXPECT_EQ(normalized("ZH_HANS_cn"), "zh-Hans-CN");
    EXPECT_EQ(normalized("es-419"), "es-419");
    EXPECT_EQ(normalized("oci-aranes"), "oci-aranes");
    EXPECT_EQ(normalized("fr-u-NU-LATN"), "fr-u-nu-latn");
}

TEST(Locale, SpellingIsStable) {
    for (const char* tag : {"fr-FR", "zh-Hans-CN", "de-1996", "fr-u-nu-latn"}) {
        EXPECT_EQ(normalized(tag), tag);
    }
}

TEST(Locale, RefusesWhatIsNoTag) {
    for (const char* tag :
         {"", "f", "french", "fr-", "-fr", "fr--FR", "fr FR", "fr_FR.UTF-8", "12", "fr-abcdefghi", "é"}) {
        EXPECT_EQ(normalized(tag), "invalid_locale") << tag;
    }
    EXPECT_EQ(normalized("fr-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd"), "invalid_locale");
}

}  // namespace
}  // namespace tocsin
