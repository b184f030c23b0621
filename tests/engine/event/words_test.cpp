#include "engine/event/words.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string code_of(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().code : "";
}

TEST(EventWords, AnAppIsOneWordOfAscii) {
    for (const std::string& app :
         {std::string("a"), std::string("Mairies-21_v2.fr"), std::string("0"), std::string(64, 'x')}) {
        EXPECT_EQ(code_of(check_app(app, "app")), "") << app;
    }
    for (const std::string& app :
         {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a/b"), std::string("a:b"),
          std::string("santé"), std::string("a\n"), std::string("a\0b", 3)}) {
        EXPECT_EQ(code_of(check_app(app, "app")), "invalid_app") << app;
    }
}

TEST(EventWords, ACategoryIsTheSameAndMayHaveLettersOfAnyLanguage) {
    for (const std::string& category :
         {std::string("alerte"), std::string("santé"), std::string("été-2026_a.b"), std::string(64, 'x'),
          std::string(62, 'x') + "é"}) {
        EXPECT_EQ(code_of(check_category(category, "category")), "") << category;
    }
    for (const std::string& category :
         {std::string(), std::string(65, 'x'), std::string(63, 'x') + "é", std::string("a b"),
          std::string("a,b"), std::string("a\x7f"), std::string("a\t")}) {
        EXPECT_EQ(code_of(check_category(category, "category")), "invalid_category") << category;
    }
}

TEST(EventWords, ARefusalNamesThePathAndTheMistake) {
    EXPECT_EQ(check_app("", "apps[1]").error().message, "apps[1] must have 1 to 64 bytes, not 0");
    EXPECT_EQ(
        check_category(std::string(65, 'x'), "category").error().message,
        "category must have 1 to 64 bytes, not 65");
    EXPECT_NE(check_app("a b", "app").error().message.find("\"a b\""), std::string::npos);
}

}  // namespace
}  // namespace tocsin
