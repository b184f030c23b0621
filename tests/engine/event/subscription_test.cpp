#include "engine/event/subscription.hpp"

#include "engine/event/device_token.hpp"
#include "engine/event/registration.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

// The browser of RFC 8291, appendix A.
constexpr std::string_view point =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr std::string_view secret = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr std::string_view endpoint = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB";
constexpr wall_time now{std::chrono::milliseconds{1'795'420'800'000}};

std::string subscription(
    std::string_view where = endpoint, std::string_view p256dh = point, std::string_view auth = secret) {
    return R"({"endpoint":")" + std::string(where) + R"(","expirationTime":null,"keys":{"p256dh":")" +
           std::string(p256dh) + R"(","auth":")" + std::string(auth) + R"("}})";
}

parsed<registration> read(std::string_view op, std::string_view who, std::string_view platform = "webpush") {
    return parse_registration(
        known_platforms(),
        R"({"op":")" + std::string(op) + R"(","app":"mairies","platform":")" + std::string(platform) +
            R"(",)" + std::string(who) + R"(,"follow":["commune:21231"]})",
        now);
}

parsed<registration> enrolled(const std::string& given) {
    return read("register", R"("subscription":)" + given);
}

TEST(SubscriptionTest, WhatTheBrowserSaysIsRegisteredAndComesBackAsItWas) {
    const auto device = enrolled(subscription());
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->platform, platform::webpush);
    EXPECT_EQ(device->token, endpoint);
    EXPECT_EQ(device->keys.size(), subscription_keys_size);
    EXPECT_EQ(written_p256dh(device->keys), point);
    EXPECT_EQ(written_auth(device->keys), secret);
    const auto again = parse_registration(known_platforms(), to_json(known_platforms(), *device), now);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *device);
}

TEST(SubscriptionTest, ItIsUnregisteredByItselfOrByItsEndpoint) {
    const auto whole = read("unregister", R"("subscription":)" + subscription());
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->token, endpoint);
    const auto token = read("unregister", R"("token":")" + std::string(endpoint) + '"');
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_EQ(token->token, endpoint);
    const auto again = parse_registration(known_platforms(), to_json(known_platforms(), *token), now);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->token, endpoint);
}

TEST(SubscriptionTest, KeysMayBePaddedAndTheTimeOfExpiryMayBeSet) {
    EXPECT_TRUE(enrolled(subscription(endpoint, std::string(point) + "=", std::string(secret) + "==")));
    EXPECT_TRUE(read(
        "register", R"("subscription":{"endpoint":")" + std::string(endpoint) +
                        R"(","expirationTime":1795420800000.5,"keys":{"p256dh":")" + std::string(point) +
                        R"(","auth":")" + std::string(secret) + R"("}})"));
}

TEST(SubscriptionTest, KeysThatNobodyCouldEncryptForAreRefused) {
    std::string elsewhere(point);
    elsewhere[40] = elsewhere[40] == 'A' ? 'B' : 'A';
    const std::string compressed = "AyVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx";
    struct row {
        std::string p256dh;
        std::string auth;
        std::string_view says;
    };
    const std::vector<row> rows{
        {elsewhere, std::string(secret), "not a point on the curve P-256"},
        {std::string(87, 'A'), std::string(secret), "uncompressed point"},
        {"BAAA", std::string(secret), "65 bytes"},
        {compressed, std::string(secret), "uncompressed"},
        {"", std::string(secret), "p256dh"},
        {"ä", std::string(secret), "base64url"},
        {std::string(point), "BTBZMqHH6r4Tts7J_aSI", "16 bytes, not 15"},
        {std::string(point), "", "16 bytes, not 0"},
        {std::string(point), "*", "auth is not base64url"},
    };
    for (const row& each : rows) {
        const auto device = enrolled(subscription(endpoint, each.p256dh, each.auth));
        ASSERT_FALSE(device) << each.says;
        EXPECT_EQ(device.error().code, "invalid_subscription_key") << each.says;
        EXPECT_NE(device.error().message.find(each.says), std::string::npos) << device.error().message;
    }
}

TEST(SubscriptionTest, EndpointsThatAreNoneAreRefusedInWordsAndNeverShown) {
    struct row {
        std::string_view endpoint;
        std::string_view says;
    };
    const std::vector<row> rows{
        {"http://push.example.org/secret-path", "https://"},
        {"ftp://push.example.org/secret-path", "https://"},
        {"HTTPS://push.example.org/secret-path", "https://"},
        {"https://user@push.example.org/secret-path", "user name"},
        {"https://user:word@push.example.org/secret-path", "user name"},
        {"https://127.0.0.1/secret-path", "IP address"},
        {"https://[::1]/secret-path", "IP address"},
        {"https://[::ffff:10.0.0.1]:8443/secret-path", "IP address"},
        {"https://2130706433/secret-path", "IP address"},
        {"https://0x7f.1/secret-path", "IP address"},
        {"https://127.1/secret-path", "IP address"},
        {"https://push%2eexample.org/secret-path", "ASCII"},
        {"https:///secret-path", "host"},
        {"https://push.example.org:0/secret-path", "port"},
        {"https://push.example.org:99999/secret-path", "port"},
        {"https://push.example.org:/secret-path", "port"},
        {"https://push.example.org", "path"},
        {"https://push.example.org:84secret-path", "path"},
        {"https://push.example.org/secret-path#part", "fragment"},
        {"https://push.example.org/secret path", "URL"},
        {"push.example.org/secret-path", "URL"},
        {"", "URL"},
    };
    for (const row& each : rows) {
        const auto device = enrolled(subscription(each.endpoint));
        ASSERT_FALSE(device) << each.endpoint;
        EXPECT_EQ(device.error().code, "invalid_endpoint") << each.endpoint;
        EXPECT_NE(device.error().message.find(each.says), std::string::npos) << device.error().message;
        EXPECT_EQ(device.error().message.find("secret-path"), std::string::npos) << device.error().message;
    }
    const auto large = enrolled(subscription("https://push.example.org/" + std::string(max_endpoint, 'x')));
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, "invalid_endpoint");
}

TEST(SubscriptionTest, WhatDoesNotBelongTogetherIsRefused) {
    EXPECT_EQ(read("register", R"("token":")" + std::string(endpoint) + '"').error().code, "missing_field");
    EXPECT_EQ(
        read("register", R"("token":"x","subscription":)" + subscription()).error().code,
        "token_and_subscription");
    EXPECT_EQ(
        read("register", R"("subscription":)" + subscription(), "fcm").error().code, "invalid_endpoint");
    EXPECT_EQ(
        read("register", R"("environment":"sandbox","subscription":)" + subscription()).error().code,
        "invalid_environment");
    EXPECT_EQ(read("register", R"("subscription":{"endpoint":"x"})").error().code, "missing_field");
    const auto unknown = read("register", R"("subscription":{"endpoint":"x","keys":{},"options":{}})");
    EXPECT_EQ(unknown.error().code, "unknown_field");
    EXPECT_NE(unknown.error().message.find("options"), std::string::npos);
    EXPECT_EQ(enrolled("null").error().code, "wrong_type");
}

TEST(SubscriptionTest, ASelectorNamesADeviceByItsEndpoint) {
    const auto one =
        parse_selector(known_platforms(), "device:webpush:" + std::string(endpoint), "audience[0]");
    ASSERT_TRUE(one) << one.error().message;
    EXPECT_EQ(one->device, platform::webpush);
    EXPECT_EQ(one->value, endpoint);
    EXPECT_EQ(to_string(*one), "device:webpush:" + std::string(endpoint));
    EXPECT_FALSE(
        parse_selector(known_platforms(), "device:webpush:http://push.example.org/x", "audience[0]"));
}

TEST(SubscriptionTest, OriginsAreComparedInLowerCaseAndWithoutTheUsualPort) {
    EXPECT_EQ(origin_of_endpoint("https://Push.Example.org:443/a"), "https://push.example.org");
    EXPECT_EQ(origin_of_endpoint("https://push.example.org:8443/a?b"), "https://push.example.org:8443");
    const auto parts = split_endpoint("https://push.example.org:8443/a?b=c");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->authority, "push.example.org:8443");
    EXPECT_EQ(parts->path, "/a?b=c");
}

}  // namespace
}  // namespace tocsin
