#include "providers/webpush/traits.hpp"

#include "engine/audience/short_token.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

std::string stored(std::string_view endpoint) {
    return shortened_token(endpoint, webpush::traits().beginnings());
}

struct endpoint_case {
    std::string endpoint;
    std::size_t saved;  ///< Bytes, the one that says how it begins taken off.
};

void PrintTo(const endpoint_case& given, std::ostream* out) {
    *out << given.endpoint;
}

class WebpushBeginningsTest : public ::testing::TestWithParam<endpoint_case> {};

TEST_P(WebpushBeginningsTest, AnEndpointIsStoredWithoutWhatItSharesWithOthers) {
    const auto& [endpoint, saved] = GetParam();
    const std::string shortened = stored(endpoint);
    EXPECT_EQ(shortened.size() + saved, endpoint.size());
    const auto back = lengthened_token(shortened, webpush::traits().beginnings());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->whole(), endpoint);
}

INSTANTIATE_TEST_SUITE_P(
    Browsers, WebpushBeginningsTest,
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

// They stand in Redis.
TEST(WebpushBeginnings, AByteKeepsItsMeaning) {
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
    ASSERT_EQ(whole.size(), webpush::traits().beginnings().size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(stored(whole[i]), std::string(1, static_cast<char>(i + 1)) + "a/b");
    }
}

}  // namespace
}  // namespace tocsin
