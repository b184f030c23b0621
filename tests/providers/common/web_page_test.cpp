#include "providers/common/web_page.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(WebPage, BeginsWithATagBehindWhateverIsNotSeen) {
    for (const std::string_view page :
         {"<html>", "<!DOCTYPE html>", "<", " \t\r\n<html>", "\xEF\xBB\xBF<html>", "\xEF\xBB\xBF\n<html>"}) {
        EXPECT_TRUE(is_web_page(page)) << page;
    }
    EXPECT_TRUE(is_web_page("\x1F\x8B\x08 compressed"));
    for (const std::string_view other :
         {"", " \n", "\xEF\xBB\xBF", "\xC3\x89teint", R"({"reason":"<html>"})", "x<html>", "\xEF\xBB<html>",
          "\n\xEF\xBB\xBF<html>", "\x1F", "\xFF\xFE"}) {
        EXPECT_FALSE(is_web_page(other)) << other;
    }
}

}  // namespace
}  // namespace tocsin
