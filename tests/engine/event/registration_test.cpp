#include "engine/event/registration.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"

#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::sample_now;

constexpr std::string_view apns_token = "00fc13adff785122b4ad28809a342098";

std::string enrolled(const std::string& members) {
    return R"({"op":"register","app":"a","platform":"apns","token":")" + std::string(apns_token) +
           R"(","follow":["commune:21231"])" + (members.empty() ? "" : "," + members) + "}";
}

std::string code_of(const std::string& document) {
    const auto device = parse_registration(known_platforms(), document, sample_now);
    return device ? "accepted" : device.error().code;
}

TEST(Registration, ReadsEveryFieldOfTheContract) {
    const auto device =
        parse_registration(known_platforms(), testing::sample_registrations().front(), sample_now);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->op, registration_op::enroll);
    EXPECT_EQ(device->app, "mairies");
    EXPECT_EQ(device->platform, platform::apns);
    EXPECT_EQ(device->token.size(), 32U);
    EXPECT_EQ(device->token.substr(0, 3), std::string("\x00\xFC\x13", 3));
    EXPECT_FALSE(device->is_fid);
    ASSERT_EQ(device->follow.size(), 3U);
    EXPECT_EQ(to_string(device->follow[0]), "21054");
    EXPECT_EQ(to_string(device->follow[1]), "21231");
    EXPECT_EQ(to_string(device->follow[2]), "21231:centre");
    EXPECT_EQ(device->mute, std::vector<std::string>{"agenda"});
    EXPECT_EQ(device->locale, "fr");
    EXPECT_FALSE(device->sandbox);
    EXPECT_EQ(device->registered_at, wall_time(1'763'870'000s));
}

TEST(Registration, EverySampleIsReadBackAsWritten) {
    for (const std::string& document : testing::sample_registrations()) {
        const auto device = parse_registration(known_platforms(), document, sample_now);
        ASSERT_TRUE(device) << device.error().message << document;
        const auto again =
            parse_registration(known_platforms(), to_json(known_platforms(), *device), sample_now + 1h);
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(*again, *device) << document;
    }
}

TEST(Registration, HalvesOfTheRhoneAreRefusedWithTheCommunesToFollowInstead) {
    const std::string device = R"({"op":"register","app":"a","platform":"apns","token":")" +
                               std::string(apns_token) + R"(","follow":["commune:21231",")";
    for (const auto& [followed, instead] :
         {std::pair("commune:69M", "commune:69123"), std::pair("commune:69D", "commune:69264"),
          std::pair("zone:69M:centre", "commune:69123"), std::pair("epci:69M", "commune:69123"),
          std::pair("department:69D", "commune:69264")}) {
        const auto read = parse_registration(known_platforms(), device + followed + R"("]})", sample_now);
        ASSERT_FALSE(read) << followed;
        EXPECT_TRUE(read.error().message.starts_with("follow[1]: ")) << read.error().message;
        EXPECT_NE(read.error().message.find(instead), std::string::npos) << read.error().message;
    }
    for (const char* const instead : {"commune:69123", "commune:69264"}) {
        EXPECT_TRUE(parse_registration(known_platforms(), device + instead + R"("]})", sample_now))
            << instead;
    }
}

TEST(Registration, TimeDefaultsToNowInWholeSeconds) {
    const auto device = parse_registration(known_platforms(), enrolled(""), sample_now + 250ms);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->registered_at, sample_now);
}

TEST(Registration, HexOfEitherCaseIsTheSameDevice) {
    std::string upper(apns_token);
    std::ranges::transform(
        upper, upper.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    const std::string head = R"({"op":"unregister","app":"a","platform":"apns","token":")";
    const auto one =
        parse_registration(known_platforms(), head + std::string(apns_token) + "\"}", sample_now);
    const auto other = parse_registration(known_platforms(), head + upper + "\"}", sample_now);
    ASSERT_TRUE(one);
    ASSERT_TRUE(other);
    EXPECT_EQ(*one, *other);
}

TEST(Registration, TerritoriesAndCategoriesAreSortedAndKeptOnce) {
    const auto device = parse_registration(
        known_platforms(),
        R"({"op":"register","app":"a","platform":"fcm","token":"cXJ0b2tlbg:APA91bFab_-",
            "follow":["zone:21231:b","commune:21231","zone:21231:a","commune:21231"],"mute":["b","a","b"]})",
        sample_now);
    ASSERT_TRUE(device) << device.error().message;
    ASSERT_EQ(device->follow.size(), 3U);
    EXPECT_TRUE(std::ranges::is_sorted(device->follow));
    EXPECT_EQ(device->mute, (std::vector<std::string>{"a", "b"}));
}

TEST(Registration, FidStandsForAToken) {
    const auto device = parse_registration(known_platforms(), testing::sample_registrations()[2], sample_now);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_TRUE(device->is_fid);
    EXPECT_EQ(device->token, "cXJ0b2tlbg0123456789_-");
}

struct refused_registration {
    std::string document;
    std::string code;
};

TEST(Registration, FaultsHaveTheirCodesAndMessages) {
    const std::string token = R"("token":")" + std::string(apns_token) + "\"";
    const auto followed = [](std::size_t count) {
        std::string out = "[";
        for (std::size_t i = 0; i < count; ++i) {
            out += (i == 0 ? "\"zone:21231:z" : ",\"zone:21231:z") + std::to_string(i) + "\"";
        }
        return out + "]";
    };
    const std::string head = R"({"op":"register","app":"a","platform":"apns",)" + token;
    const std::vector<refused_registration> cases{
        {"", "invalid_json"},
        {"[]", "not_an_object"},
        {std::string(70'000, ' '), "too_large"},
        {"{\"op\":\"\xFF\"}", "invalid_utf8"},
        {R"({"op":"register","op":"register"})", "duplicate_key"},
        {R"({"app":"a","platform":"apns",)" + token + "}", "missing_field"},
        {R"({"op":"unregister","platform":"apns",)" + token + "}", "missing_field"},
        {R"({"op":"unregister","app":"a",)" + token + "}", "missing_field"},
        {R"({"op":"unregister","app":"a","platform":"apns"})", "missing_field"},
        {R"({"op":"unregister","app":"a","platform":"fcm"})", "missing_field"},
        {R"({"op":"subscribe","app":"a","platform":"apns",)" + token + "}", "invalid_op"},
        {R"({"op":"unregister","app":"","platform":"apns",)" + token + "}", "invalid_app"},
        {R"({"op":"unregister","app":"a/b","platform":"apns",)" + token + "}", "invalid_app"},
        {R"({"op":"unregister","app":"a","platform":"ios",)" + token + "}", "invalid_platform"},
        {R"({"op":"unregister","app":"a","platform":"APNS",)" + token + "}", "invalid_platform"},
        {R"({"op":"unregister","app":"a","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-",)" + token + "}",
         "token_and_fid"},
        {R"({"op":"unregister","app":"a","platform":"apns","fid":"cXJ0b2tlbg0123456789_-"})", "invalid_fid"},
        {R"({"op":"unregister","app":"a","platform":"fcm","fid":"x"})", "invalid_fid"},
        {R"({"op":"unregister","app":"a","platform":"fcm","token":"x"})", "invalid_fcm_token"},
        {R"({"op":"unregister","app":"a","platform":"apns","token":"xyz"})", "invalid_apns_token"},
        {head + "}", "missing_field"},
        {head + R"(,"follow":[]})", "empty_follow"},
        {head + R"(,"follow":"commune:21231"})", "wrong_type"},
        {head + R"(,"follow":[21231]})", "wrong_type"},
        {head + R"(,"follow":["commune:21231","epci:242100410"]})", "cannot_follow"},
        {head + R"(,"follow":["everyone"]})", "cannot_follow"},
        {head + R"(,"follow":["commune:dijon"]})", "invalid_commune"},
        {head + R"(,"follow":["zone:21231"]})", "invalid_zone"},
        {head + R"(,"follow":["21231"]})", "malformed_selector"},
        {head + ",\"follow\":" + followed(101) + "}", "too_many_follows"},
        {enrolled(R"("mute":["la vie"])"), "invalid_category"},
        {enrolled(R"("mute":[1])"), "wrong_type"},
        {enrolled(
             "\"mute\":[" +
             [] {
                 std::string out = "\"a\"";
                 for (int i = 1; i < 33; ++i) {
                     out += ",\"a\"";
                 }
                 return out;
             }() +
             "]"),
         "too_many_mutes"},
        {enrolled(R"("locale":"french")"), "invalid_locale"},
        {enrolled(R"("environment":"development")"), "invalid_environment"},
        {R"({"op":"unregister","app":"a","platform":"fcm","token":"cXJ0b2tlbg:APA91bFab_-","environment":"sandbox"})",
         "invalid_environment"},
        {enrolled(R"("registered_at":-1)"), "invalid_time"},
        {enrolled(R"("registered_at":1763870000000)"), "invalid_time"},
        {enrolled(R"("registered_at":1795500000)"), "registered_in_future"},
        {enrolled(R"("registered_at":"2026-01-01T00:00:00Z")"), "wrong_type"},
        {enrolled(R"("plateform":"apns")"), "unknown_field"},
        {enrolled(R"("followed":[])"), "unknown_field"},
    };
    std::set<std::string> messages;
    for (const refused_registration& given : cases) {
        const auto device = parse_registration(known_platforms(), given.document, sample_now);
        ASSERT_FALSE(device) << given.document;
        EXPECT_EQ(device.error().code, given.code) << given.document << device.error().message;
        EXPECT_TRUE(messages.insert(device.error().message).second) << device.error().message;
    }
}

TEST(Registration, LimitsAreInclusive) {
    std::string follow = "\"commune:21231\"";
    for (int i = 1; i < 100; ++i) {
        follow += ",\"zone:21231:z" + std::to_string(i) + "\"";
    }
    EXPECT_EQ(
        code_of(
            R"({"op":"register","app":"a","platform":"fcm","token":"cXJ0b2tlbg:APA91bFab_-","follow":[)" +
            follow + "]}"),
        "accepted");
    EXPECT_EQ(code_of(enrolled(R"("registered_at":1795499940)")), "accepted");
    EXPECT_EQ(code_of(enrolled(R"("registered_at":0)")), "accepted");
}

}  // namespace
}  // namespace tocsin
