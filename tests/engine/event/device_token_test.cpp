#include "engine/event/device_token.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string code_of(const parsed<>& checked) {
    return checked ? "accepted" : checked.error().code;
}

TEST(DeviceToken, FidIsAWord) {
    EXPECT_TRUE(check_fid("cXJ0b2tlbg0123456789_-", "fid"));
    EXPECT_EQ(code_of(check_fid("short", "fid")), "invalid_fid");
    EXPECT_EQ(code_of(check_fid("cXJ0b2tlbg0123456789:-", "fid")), "invalid_fid");
}

}  // namespace
}  // namespace tocsin
