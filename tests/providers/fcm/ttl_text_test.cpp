#include "providers/fcm/ttl_text.hpp"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using std::chrono::seconds;

std::string text(seconds left) {
    std::string out;
    for (const std::string_view part : ttl_text(left)) {
        out += part;
    }
    return out;
}

TEST(TtlText, SaysEveryNumberAsItIsWritten) {
    for (std::int64_t number = 0; number <= longest_ttl.count(); number += number < 20'000 ? 1 : 997) {
        ASSERT_EQ(text(seconds(number)), std::to_string(number));
    }
    EXPECT_EQ(text(longest_ttl), "2419200");
}

TEST(TtlText, StaysWithinWhatGoogleTakes) {
    EXPECT_EQ(text(seconds(-5)), "0");
    EXPECT_EQ(text(longest_ttl + seconds(1)), "2419200");
}

}  // namespace
}  // namespace tocsin::fcm
