#include "providers/apns/traits.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

std::string code_of(const parsed<>& checked) {
    return checked ? "accepted" : checked.error().code;
}

TEST(ApnsTraits, TokenIsHexOfSixteenToTwoHundredBytes) {
    const auto code = [](std::size_t digits) {
        return code_of(traits().check_token(std::string(digits, 'F'), "token"));
    };
    EXPECT_EQ(code(30), "invalid_apns_token");
    EXPECT_EQ(code(32), "accepted");
    EXPECT_EQ(code(33), "invalid_apns_token");
    EXPECT_EQ(code(400), "accepted");
    EXPECT_EQ(code(402), "invalid_apns_token");
    EXPECT_EQ(
        code_of(traits().check_token("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax", "token")), "invalid_apns_token");
}

TEST(ApnsTraits, TokenIsStoredInBytesAndWrittenInLowerCase) {
    EXPECT_EQ(traits().stored_token("00FFa1"), std::string("\x00\xFF\xA1", 3));
    EXPECT_EQ(traits().written_token(std::string("\x00\xFF\xA1", 3)), "00ffa1");
}

TEST(ApnsTraits, AnApsOfItsOwnIsSomethingToSend) {
    EXPECT_TRUE(traits().is_content({{"aps", {{"content-changed", true}}}}));
    EXPECT_FALSE(traits().is_content({{"aps", boost::json::object()}}));
    EXPECT_FALSE(traits().is_content({{"aps", "text"}}));
    EXPECT_FALSE(traits().is_content({{"headers", {{"apns-priority", "5"}}}}));
}

TEST(ApnsTraits, KeepsOneKeyOfTheDataForItself) {
    EXPECT_TRUE(traits().reserves("aps"));
    EXPECT_FALSE(traits().reserves("from"));
}

}  // namespace
}  // namespace tocsin::apns
