#include "engine/audience/short_endpoint.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

struct endpoint_case {
    std::string endpoint;
    std::size_t saved;  ///< Bytes, the one that says how it begins taken off.
};

void PrintTo(const endpoint_case& given, std::ostream* out) {
    *out << given.endpoint;
}

class ShortEndpointTest : public ::testing::TestWithParam<endpoint_case> {};

TEST_P(ShortEndpointTest, LosesItsBeginningAndIsWholeAgain) {
    const auto& [endpoint, saved] = GetParam();
    const std::string stored = shortened_endpoint(endpoint);
    EXPECT_EQ(stored.size() + saved, endpoint.size());
    const auto back = lengthened_endpoint(stored);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->whole(), endpoint);
    EXPECT_EQ(back->size(), endpoint.size());
}

INSTANTIATE_TEST_SUITE_P(
    Browsers, ShortEndpointTest,
    ::testing::Values(
        endpoint_case{"https://fcm.googleapis.com/fcm/send/dGVzdA:APA91bX", 35},
        endpoint_case{"https://fcm.googleapis.com/wp/dGVzdA:APA91bX", 29},
        endpoint_case{"https://fcm.googleapis.com/preprod/wp/x", 26},
        endpoint_case{"https://updates.push.services.mozilla.com/wpush/v2/gAAAA", 50},
        endpoint_case{"https://updates.push.services.mozilla.com/wpush/v1/gAAAA", 50},
        endpoint_case{"https://updates.push.services.mozilla.com/m/gAAAA", 41},
        endpoint_case{"https://web.push.apple.com/QGuQyavXutnMH", 26},
        endpoint_case{"https://api.push.apple.com/QGuQ/yavXutnMH", 22},
        endpoint_case{"https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2f", 26},
        // What only looks like one of them, and what is on the list of the configuration.
        endpoint_case{"https://fcm.googleapis.com:8443/fcm/send/x", 7},
        endpoint_case{"https://FCM.googleapis.com/fcm/send/x", 7},
        endpoint_case{"https://wns2.notify.windows.com.example.org/w/", 7},
        endpoint_case{"https://push.example.org/w/.notify.windows.com/", 7},
        endpoint_case{"https://push.example.org/send/a?b=c", 7}));

TEST(ShortEndpoint, WhatIsNoEndpointIsKeptAsItIs) {
    const std::vector<std::string> texts{
        "", "x", "http://push.example.org/", "https:/", std::string(3, '\0')};
    for (const std::string& text : texts) {
        EXPECT_EQ(lengthened_endpoint(shortened_endpoint(text)).value().whole(), text);
    }
}

TEST(ShortEndpoint, NobodyKnowsWhatBeginsInAnotherWay) {
    EXPECT_FALSE(lengthened_endpoint("").has_value());
    EXPECT_FALSE(lengthened_endpoint(std::string(1, '\0') + "x").has_value());
    EXPECT_FALSE(lengthened_endpoint("\x1Fx").has_value());
    EXPECT_FALSE(lengthened_endpoint("https://push.example.org/").has_value());
}

// They stand in Redis.
TEST(ShortEndpoint, AByteKeepsItsMeaning) {
    const std::vector<std::string> whole{
        "https://fcm.googleapis.com/fcm/send/a/b",
        "https://fcm.googleapis.com/wp/a/b",
        "https://fcm.googleapis.com/a/b",
        "https://updates.push.services.mozilla.com/wpush/v2/a/b",
        "https://updates.push.services.mozilla.com/wpush/v1/a/b",
        "https://updates.push.services.mozilla.com/a/b",
        "https://web.push.apple.com/a/b",
        "https://a.push.apple.com/b",
        "https://a.notify.windows.com/b",
        "https://a/b",
        "a/b"};
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(shortened_endpoint(whole[i]), std::string(1, static_cast<char>(i + 1)) + "a/b");
    }
}

}  // namespace
}  // namespace tocsin
