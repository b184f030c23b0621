#include "tools/simulator/fcm_message.hpp"

#include <boost/json/parse.hpp>

#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

using fcm::reason;

constexpr std::string_view token = "device-1:APA91bTestRegistrationToken";

std::string with(const std::string& members) {
    return R"({"message":{"token":")" + std::string(token) + "\"" + members + "}}";
}

TEST(FcmMessage, TakesBothSpellingsOfANameAndEveryTarget) {
    EXPECT_EQ(read_fcm_message(with(R"(,"fcm_options":{"analytics_label":"x"})")).why, success);
    EXPECT_EQ(read_fcm_message(with(R"(,"fcmOptions":{"analyticsLabel":"x"})")).why, success);
    EXPECT_EQ(
        read_fcm_message(with(R"(,"android":{"collapseKey":"c","ttl":"3.5s","priority":"HIGH"})")).why,
        success);
    const auto to_topic = read_fcm_message(R"({"message":{"topic":"crue"},"validateOnly":true})");
    EXPECT_EQ(to_topic.why, success);
    EXPECT_EQ(to_topic.target, "crue");
    EXPECT_FALSE(to_topic.single_device);
    EXPECT_TRUE(to_topic.validate_only);
    const auto to_installation = read_fcm_message(R"({"message":{"fid":"cJ8x-installation-id"}})");
    EXPECT_EQ(to_installation.why, success);
    EXPECT_TRUE(to_installation.single_device);
}

TEST(FcmMessage, CountsKeysAndStringsAgainstTheLimit) {
    const auto data = [](std::size_t size) { return R"(,"data":{"k":")" + std::string(size, 'x') + "\"}"; };
    // "data" itself is not counted; the key inside is.
    EXPECT_EQ(read_fcm_message(with(data(4095))).why, success);
    EXPECT_EQ(read_fcm_message(with(data(4096))).why, index_of(reason::message_too_big));
    EXPECT_EQ(
        read_fcm_message(R"({"message":{"topic":"t")" + data(2048) + "}}").why,
        index_of(reason::message_too_big));
}

TEST(FcmMessage, AMalformedTokenHasAnAnswerOfItsOwn) {
    EXPECT_EQ(read_fcm_message(R"({"message":{"token":"short"}})").why, index_of(reason::invalid_token));
    EXPECT_EQ(
        read_fcm_message(R"({"message":{"token":"a space is not part of any token"}})").why,
        index_of(reason::invalid_token));
}

struct bad_case {
    std::string_view name;
    std::string body;
    std::string_view description;
};
void PrintTo(const bad_case& given, std::ostream* out) {
    *out << given.name;
}

class FcmBadMessageTest : public ::testing::TestWithParam<bad_case> {};

TEST_P(FcmBadMessageTest, IsExplained) {
    const auto read = read_fcm_message(GetParam().body);
    EXPECT_EQ(read.why, index_of(reason::invalid_argument));
    const auto body = boost::json::parse(read.words);
    EXPECT_EQ(body.at("error").at("status").as_string(), "INVALID_ARGUMENT");
    EXPECT_EQ(
        std::string_view(body.at("error").at("message").as_string()).substr(0, GetParam().description.size()),
        GetParam().description);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FcmBadMessageTest,
    ::testing::Values(
        bad_case{"NotJson", "{", "Invalid JSON payload received."},
        bad_case{"NoMessage", "{}", "Message is required."},
        bad_case{"NoTarget", R"({"message":{}})", "Recipient of the message is not set."},
        bad_case{
            "TwoTargets", with(R"(,"topic":"t")"), "Only one of token, fid, topic and condition may be set."},
        bad_case{
            "UnknownName", with(R"(,"notificaton":{})"),
            "Invalid JSON payload received. Unknown name \"notificaton\" at 'message': Cannot find field."},
        bad_case{
            "UnknownInside", with(R"(,"android":{"notification":{"titel":"x"}})"),
            "Invalid JSON payload received. Unknown name \"titel\" at 'message.android.notification'"},
        bad_case{
            "NumberInData", with(R"(,"data":{"a":"1","b":12})"),
            "Invalid value at 'message.data[1].value' (TYPE_STRING), 12"},
        bad_case{"ReservedKey", with(R"(,"data":{"google.x":"1"})"), "Invalid data payload key: google.x"},
        bad_case{
            "TtlWithoutUnit", with(R"(,"android":{"ttl":"60"})"), "Invalid value at 'message.android.ttl'"},
        bad_case{
            "UnknownPriority", with(R"(,"android":{"priority":"URGENT"})"),
            "Invalid value at 'message.android.priority'"},
        bad_case{
            "BothSpellings", with(R"(,"android":{"collapse_key":"a","collapseKey":"b"})"),
            "Invalid JSON payload received. Field \"collapse_key\" at 'message.android' is set more than "
            "once."},
        bad_case{
            "BothSpellingsDeep",
            with(
                R"(,"android":{"notification":{"light_settings":{"lightOnDuration":"1s","light_on_duration":"1s"}}})"),
            "Invalid JSON payload received. Field \"light_on_duration\" at "
            "'message.android.notification.light_settings'"},
        bad_case{"BadTopic", R"({"message":{"topic":"a b"}})", "Malformed topic name"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tocsin::sim
