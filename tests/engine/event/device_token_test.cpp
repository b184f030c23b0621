#include "engine/event/device_token.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string code_of(const parsed<>& checked) {
    return checked ? "accepted" : checked.error().code;
}

TEST(DeviceToken, ApnsIsHexOfSixteenToTwoHundredBytes) {
    const auto code = [](std::size_t digits) {
        return code_of(check_token(platform::apns, std::string(digits, 'F'), "token"));
    };
    EXPECT_EQ(code(30), "invalid_apns_token");
    EXPECT_EQ(code(32), "accepted");
    EXPECT_EQ(code(33), "invalid_apns_token");
    EXPECT_EQ(code(400), "accepted");
    EXPECT_EQ(code(402), "invalid_apns_token");
    EXPECT_EQ(
        code_of(check_token(platform::apns, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax", "token")),
        "invalid_apns_token");
}

TEST(DeviceToken, FcmIsPrintableAndNeedsNoEscaping) {
    const auto code = [](std::string_view token) {
        return code_of(check_token(platform::fcm, token, "token"));
    };
    const std::string good = "cXJ0b2tlbg:APA91bFab_-";
    EXPECT_EQ(code(good), "accepted");
    EXPECT_EQ(code(std::string(19, 'a')), "invalid_fcm_token");
    EXPECT_EQ(code(std::string(1'024, 'a')), "accepted");
    EXPECT_EQ(code(std::string(1'025, 'a')), "invalid_fcm_token");
    for (const char bad : {' ', '"', '\'', '\\', '\n', '\x7f', '\xC3'}) {
        EXPECT_EQ(code(good + bad), "invalid_fcm_token") << static_cast<int>(bad);
    }
}

TEST(DeviceToken, FidIsAWord) {
    EXPECT_TRUE(check_fid("cXJ0b2tlbg0123456789_-", "fid"));
    EXPECT_EQ(code_of(check_fid("short", "fid")), "invalid_fid");
    EXPECT_EQ(code_of(check_fid("cXJ0b2tlbg0123456789:-", "fid")), "invalid_fid");
}

TEST(DeviceToken, IsStoredInBytesAndWrittenInLowerCase) {
    EXPECT_EQ(stored_token(platform::apns, "00FFa1"), std::string("\x00\xFF\xA1", 3));
    EXPECT_EQ(written_token(platform::apns, std::string("\x00\xFF\xA1", 3)), "00ffa1");
    EXPECT_EQ(stored_token(platform::fcm, "Abc:1"), "Abc:1");
    EXPECT_EQ(written_token(platform::fcm, "Abc:1"), "Abc:1");
}

}  // namespace
}  // namespace tocsin
