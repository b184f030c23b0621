#include "providers/fcm/traits.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

std::string code_of(const parsed<>& checked) {
    return checked ? "accepted" : checked.error().code;
}

TEST(FcmTraits, TokenIsPrintableAndNeedsNoEscaping) {
    const auto code = [](std::string_view token) { return code_of(traits().check_token(token, "token")); };
    const std::string good = "cXJ0b2tlbg:APA91bFab_-";
    EXPECT_EQ(code(good), "accepted");
    EXPECT_EQ(code(std::string(19, 'a')), "invalid_fcm_token");
    EXPECT_EQ(code(std::string(1'024, 'a')), "accepted");
    EXPECT_EQ(code(std::string(1'025, 'a')), "invalid_fcm_token");
    for (const char bad : {' ', '"', '\'', '\\', '\n', '\x7f', '\xC3'}) {
        EXPECT_EQ(code(good + bad), "invalid_fcm_token") << static_cast<int>(bad);
    }
}

TEST(FcmTraits, TokenIsStoredAsItIsWritten) {
    EXPECT_EQ(traits().stored_token("Abc:1"), "Abc:1");
    EXPECT_EQ(traits().written_token("Abc:1"), "Abc:1");
}

TEST(FcmTraits, ValidatesADryRunOnlyIfToldSo) {
    EXPECT_TRUE(traits().validates({{"validate_only", true}}));
    EXPECT_FALSE(traits().validates({{"validate_only", false}}));
    EXPECT_FALSE(traits().validates({{"validate_only", "true"}}));
    EXPECT_FALSE(traits().validates({}));
}

TEST(FcmTraits, KeepsSomeKeysOfTheDataForItself) {
    for (const char* const key : {"from", "message_type", "google.x", "gcm"}) {
        EXPECT_TRUE(traits().reserves(key)) << key;
    }
    EXPECT_FALSE(traits().reserves("aps"));
    EXPECT_FALSE(traits().reserves("from_whom"));
}

}  // namespace
}  // namespace tocsin::fcm
