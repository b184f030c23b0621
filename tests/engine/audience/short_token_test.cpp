#include "engine/audience/short_token.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

constexpr auto beginnings = std::to_array<token_beginning>(
    {{"https://push.example.org/send/", ""},
     {"https://push.example.org/", ""},
     {"https://", ".notify.example.org"},
     {"https://", ""},
     {"", ""}});

struct token_case {
    std::string token;
    std::string stored;
};

void PrintTo(const token_case& given, std::ostream* out) {
    *out << given.token;
}

class ShortTokenTest : public ::testing::TestWithParam<token_case> {};

TEST_P(ShortTokenTest, LosesItsBeginningAndIsWholeAgain) {
    const auto& [token, stored] = GetParam();
    EXPECT_EQ(shortened_token(token, beginnings), stored);
    const auto back = lengthened_token(stored, beginnings);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->whole(), token);
    EXPECT_EQ(back->size(), token.size());
}

INSTANTIATE_TEST_SUITE_P(
    Endpoints, ShortTokenTest,
    ::testing::Values(
        token_case{
            "https://push.example.org/send/a:b/c",
            "\x01"
            "a:b/c"},
        token_case{"https://push.example.org/receive/a", "\x02receive/a"},
        token_case{"https://par02.notify.example.org/w/?token=a%2f", "\x03par02/w/?token=a%2f"},
        token_case{"https://.notify.example.org/w", "\x03/w"},
        token_case{"https://par02.notify.example.org", "\x03par02"},
        // What only looks like one of them.
        token_case{"https://push.example.org:8443/send/x", "\x04push.example.org:8443/send/x"},
        token_case{"https://PUSH.example.org/send/x", "\x04PUSH.example.org/send/x"},
        token_case{"https://par02.notify.example.org.fr/w/", "\x04par02.notify.example.org.fr/w/"},
        token_case{
            "https://example.fr/.notify.example.org/",
            "\x04"
            "example.fr/.notify.example.org/"}));

INSTANTIATE_TEST_SUITE_P(
    WhatIsNoEndpoint, ShortTokenTest,
    ::testing::Values(
        token_case{"", "\x05"}, token_case{"x", "\x05x"},
        token_case{"http://push.example.org/", "\x05http://push.example.org/"},
        token_case{"https:/", "\x05https:/"},
        token_case{std::string(3, '\0'), "\x05" + std::string(3, '\0')}));

TEST(ShortToken, NobodyKnowsWhatBeginsInAnotherWay) {
    EXPECT_FALSE(lengthened_token("", beginnings).has_value());
    EXPECT_FALSE(lengthened_token(std::string(1, '\0') + "x", beginnings).has_value());
    EXPECT_FALSE(lengthened_token("\x06x", beginnings).has_value());
    EXPECT_FALSE(lengthened_token("\x1Fx", beginnings).has_value());
    EXPECT_FALSE(lengthened_token("https://push.example.org/", beginnings).has_value());
}

TEST(ShortToken, OfAPlatformWithoutCommonBeginningsIsWhole) {
    EXPECT_EQ(
        shortened_token("https://push.example.org/x", no_common_beginning), "\x01https://push.example.org/x");
    EXPECT_EQ(lengthened_token("\x01token", no_common_beginning).value().whole(), "token");
}

}  // namespace
}  // namespace tocsin
