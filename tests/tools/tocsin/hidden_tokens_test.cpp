#include "tools/tocsin/hidden_tokens.hpp"

#include <boost/json/parse.hpp>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string apns(64, 'a');
const std::string fcm = "dQw4w9WgXcQ:APA91b" + std::string(120, 'x');

TEST(HiddenTokens, AMemberThatHoldsATokenIsShortenedHoweverShortItsValue) {
    EXPECT_EQ(shorten_tokens(R"({"token":"0123456789abcdef"})"), R"({"token":"0123…cdef"})");
    EXPECT_EQ(shorten_tokens(R"({"fid" : "cdefghijklmnopqrstuvwx"})"), R"({"fid" : "cdef…uvwx"})");
    EXPECT_EQ(shorten_tokens(R"({"token":"short"})"), R"({"token":"…"})");
}

TEST(HiddenTokens, ASelectorKeepsItsKindAndPlatform) {
    EXPECT_EQ(
        shorten_tokens(R"({"audience":["device:fcm:abcdefghijklmnopqrstu","commune:21231"]})"),
        R"({"audience":["device:fcm:abcd…rstu","commune:21231"]})");
    EXPECT_EQ(shorten_tokens("device:apns:" + apns + " and more"), "device:apns:aaaa…aaaa and more");
}

TEST(HiddenTokens, ATokenInTheWrongPlaceIsFoundByItsLength) {
    EXPECT_THAT(shorten_tokens(R"({"tokn":")" + apns + R"("})"), Not(HasSubstr(apns)));
    EXPECT_THAT(shorten_tokens(R"({"audience":["device:)" + fcm + R"("]})"), Not(HasSubstr(fcm)));
    EXPECT_THAT(shorten_tokens("register " + apns + "\nregister " + fcm), Not(HasSubstr("aaaaa")));
    EXPECT_THAT(shorten_tokens(R"("{\"token\":\")" + fcm + R"(\"}")"), Not(HasSubstr("APA91b")));
}

TEST(HiddenTokens, WhatIsNoTokenStaysAsItIs) {
    const std::string event = R"({"id": "550e8400-e29b-41d4-a716-446655440000", "audience": ["commune:21231"],
        "notification": {"title": "Crue de l\"Ouche", "url": "https://example.fr/a/b?c=1&d=2"}, "token": 7})";
    EXPECT_EQ(shorten_tokens(event), event);
    EXPECT_EQ(shorten_tokens(""), "");
}

TEST(HiddenTokens, WhatBreaksOffInsideATokenIsHiddenToo) {
    EXPECT_EQ(shorten_tokens(R"({"token":"0123456789abcdef)"), R"({"token":"0123…cdef)");
    EXPECT_EQ(shorten_tokens(R"({"token":"abc\)"), R"({"token":"…)");
    EXPECT_EQ(shorten_tokens(R"({"token")"), R"({"token")");
}

TEST(HiddenTokens, JsonStaysJsonWhateverTheTokenIsMadeOf) {
    const auto document =
        boost::json::parse(shorten_tokens(R"({"token":"\u00e9\"0123456789é","op":"register"})"));
    EXPECT_EQ(document.at("token").as_string(), "…");
    EXPECT_EQ(document.at("op").as_string(), "register");
}

}  // namespace
}  // namespace tocsin::cli
