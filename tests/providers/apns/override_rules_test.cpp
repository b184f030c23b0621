#include "providers/apns/override_rules.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

const override_paths at;

std::string complaint(const parsed<>& outcome) {
    return outcome.has_error() ? outcome.error().message : "";
}

shared_headers some_headers() {
    return {"alert", "10", "fr.example.dijon", "1795417200", "crue"};
}

std::string said_of_headers(const shared_headers& given, bool uses_certificate = false) {
    return complaint(check_headers(given, find_push_type(given.push_type), uses_certificate, at));
}

std::string said_of_aps(std::string_view aps, std::string_view type, bool shown_beside = false) {
    return complaint(check_aps(boost::json::parse(aps).as_object(), find_push_type(type), shown_beside, at));
}

TEST(ApnsOverrideRules, EachFieldReplacesItsOwnAndNoOther) {
    struct row {
        std::string_view name;
        std::string shared_headers::*place;
    };
    for (const row& one : std::vector<row>{
             {"apns-push-type", &shared_headers::push_type},
             {"apns-priority", &shared_headers::priority},
             {"apns-topic", &shared_headers::topic},
             {"apns-expiration", &shared_headers::expiration},
             {"apns-collapse-id", &shared_headers::collapse_id}}) {
        shared_headers headers = some_headers();
        ASSERT_FALSE(override_headers(headers, boost::json::object{{one.name, "new"}}, at).has_error());
        shared_headers expected = some_headers();
        expected.*one.place = "new";
        EXPECT_EQ(headers.push_type, expected.push_type) << one.name;
        EXPECT_EQ(headers.priority, expected.priority) << one.name;
        EXPECT_EQ(headers.topic, expected.topic) << one.name;
        EXPECT_EQ(headers.expiration, expected.expiration) << one.name;
        EXPECT_EQ(headers.collapse_id, expected.collapse_id) << one.name;
    }
}

TEST(ApnsOverrideRules, AFieldIsATextOfPrintableCharacters) {
    const auto refused = [](const boost::json::value& value) {
        shared_headers headers;
        return override_headers(headers, boost::json::object{{"apns-collapse-id", value}}, at).has_error();
    };
    EXPECT_FALSE(refused(" ~é"));
    for (const boost::json::value& bad : std::initializer_list<boost::json::value>{
             "", "a\x1f", "a\x7f", "a\r\nb", "\t", 7, nullptr, boost::json::array{"x"}}) {
        EXPECT_TRUE(refused(bad));
    }
}

TEST(ApnsOverrideRules, AFieldThatIsTheEnginesOwnCannotBeSet) {
    const auto said = [](std::string_view name) {
        shared_headers headers;
        return complaint(override_headers(headers, boost::json::object{{name, "x"}}, at));
    };
    EXPECT_EQ(said("apns-prioriti"), "apns.headers.apns-prioriti cannot be set; did you mean apns-priority?");
    EXPECT_EQ(said("authorization"), "apns.headers.authorization cannot be set");
    EXPECT_NE(said("apns-id"), "");
    EXPECT_NE(said("Apns-Topic"), "") << "HTTP/2 knows small letters alone";
    shared_headers headers;
    EXPECT_EQ(
        complaint(override_headers(headers, boost::json::array(), at)),
        "apns.headers must be an object of strings");
}

TEST(ApnsOverrideRules, HeadersAreHeldToTheirEdges) {
    struct row {
        std::string shared_headers::*place;
        std::vector<std::string> taken;
        std::vector<std::string> refused;
    };
    for (const row& one : std::vector<row>{
             {&shared_headers::priority, {"", "1", "5", "10"}, {"0", "2", "05", "100", "high"}},
             {&shared_headers::expiration,
              {"", "0", std::string(18, '9')},
              {std::string(19, '9'), "-1", "1.5", "now", " 1"}},
             {&shared_headers::collapse_id, {"", std::string(64, 'x')}, {std::string(65, 'x')}},
             {&shared_headers::topic,
              {"", "fr.example-2.dijon_x", std::string(255, 'x')},
              {std::string(256, 'x'), "a b", "a/b", "é"}}}) {
        for (const bool fine : {true, false}) {
            for (const std::string& value : fine ? one.taken : one.refused) {
                shared_headers headers = some_headers();
                headers.*one.place = value;
                EXPECT_EQ(said_of_headers(headers).empty(), fine)
                    << value << ": " << said_of_headers(headers);
            }
        }
    }
}

TEST(ApnsOverrideRules, ATopicHasTheSuffixOfItsPushTypeOnce) {
    struct row {
        std::string type;
        std::string topic;
        std::string_view says;
    };
    for (const row& one : std::vector<row>{
             {"voip", "x.voip", ""},
             {"voip", "x", ""},
             {"", "x.voip", ""},
             {"pushtotalk", "x.voip-ptt", ""},
             {"alert", "x.voip", "ends in .voip, which is not of the push type alert"},
             {"voip", "x.voip-ptt", "ends in .voip-ptt, which is not"},
             {"voip", "x.voip.voip", "ends in .voip and .voip; a topic has one suffix"},
             {"widgets", "x.voip.push-type.widgets", "ends in .voip and .push-type.widgets"},
             {"", "x.voip.voip", "a topic has one suffix"}}) {
        shared_headers headers = some_headers();
        headers.push_type = one.type;
        headers.topic = one.topic;
        const std::string said = said_of_headers(headers);
        EXPECT_EQ(said.empty(), one.says.empty()) << one.type << ' ' << one.topic << ": " << said;
        EXPECT_NE(said.find(one.says), std::string::npos) << one.type << ' ' << one.topic << ": " << said;
    }
}

TEST(ApnsOverrideRules, APushTypeIsKnownAndSomeNeedAKey) {
    shared_headers headers = some_headers();
    headers.push_type = "alerte";
    EXPECT_EQ(
        said_of_headers(headers),
        "apns.headers.apns-push-type: \"alerte\" is not a push type; did you mean \"alert\"?");
    headers.push_type = "location";
    EXPECT_EQ(said_of_headers(headers, false), "");
    EXPECT_NE(said_of_headers(headers, true).find("needs a key"), std::string::npos);
    headers.push_type = "voip";
    EXPECT_EQ(said_of_headers(headers, true), "");
    headers.push_type = "";
    EXPECT_EQ(said_of_headers(headers, true), "") << "a field that is not sent";
}

TEST(ApnsOverrideRules, ABackgroundPushIsNotOfTheHighestPriority) {
    shared_headers headers = some_headers();
    headers.push_type = "background";
    EXPECT_NE(said_of_headers(headers).find("background pushes of priority 10"), std::string::npos);
    for (const char* const priority : {"", "1", "5"}) {
        headers.priority = priority;
        EXPECT_EQ(said_of_headers(headers), "") << priority;
    }
}

struct aps_case {
    std::string_view type;
    bool shown_beside;
    std::string_view aps;
    std::string_view says;  ///< Empty if it is taken.
};

TEST(ApnsOverrideRules, WhatApsHoldsFitsThePushType) {
    for (const aps_case& one : std::vector<aps_case>{
             {"alert", false, R"({"alert":"x"})", ""},
             {"alert", false, R"({"badge":0})", ""},
             {"alert", false, R"({"sound":"x"})", ""},
             {"alert", true, "{}", ""},
             {"alert", false, "{}", "apns.headers.apns-push-type is alert, but"},
             {"alert", false, R"({"content-available":1})", "apns.headers.apns-push-type is alert, but"},
             {"background", false, R"({"content-available":1})", ""},
             {"background", false, "{}", "apns.aps.content-available must be 1"},
             {"background", false, R"({"content-available":0})", "apns.aps.content-available must be 1"},
             {"background", false, R"({"content-available":"1"})", "apns.aps.content-available must be 1"},
             {"background", false, R"({"content-available":1,"alert":"x"})", "is background, but"},
             {"background", false, R"({"content-available":1,"badge":1})", "is background, but"},
             {"background", false, R"({"content-available":1,"sound":"x"})", "is background, but"},
             {"background", true, R"({"content-available":1})", "is background, but"},
             {"voip", false, "{}", ""},
             {"", false, "{}", ""},
             {"voip", false, R"({"alert":{}})", ""},
             {"voip", false, R"({"alert":7})", "apns.aps.alert must be an object or a string"},
             {"voip", false, R"({"alert":["x"]})", "apns.aps.alert must be an object or a string"}}) {
        const std::string said = said_of_aps(one.aps, one.type, one.shown_beside);
        EXPECT_EQ(said.empty(), one.says.empty()) << one.type << ' ' << one.aps << ": " << said;
        EXPECT_NE(said.find(one.says), std::string::npos) << one.type << ' ' << one.aps << ": " << said;
    }
}

TEST(ApnsOverrideRules, AnInterruptionLevelIsOneOfApples) {
    for (const std::string level : {"passive", "active", "time-sensitive", "critical"}) {
        EXPECT_EQ(said_of_aps(R"({"interruption-level":")" + level + "\"}", ""), "") << level;
    }
    for (const std::string_view level : {R"("loud")", R"("")", R"("Active")", "1", "null"}) {
        EXPECT_NE(said_of_aps(R"({"interruption-level":)" + std::string(level) + "}", ""), "") << level;
    }
}

TEST(ApnsOverrideRules, ARefusalBeginsWithWhereTheEventHasIt) {
    constexpr override_paths elsewhere{"fcm.apns.headers", "fcm.apns.payload.aps"};
    shared_headers headers;
    headers.priority = "7";
    EXPECT_TRUE(complaint(check_headers(headers, nullptr, false, elsewhere))
                    .starts_with("fcm.apns.headers.apns-priority"));
    EXPECT_TRUE(complaint(check_aps({{"alert", 7}}, nullptr, false, elsewhere))
                    .starts_with("fcm.apns.payload.aps.alert"));
}

}  // namespace
}  // namespace tocsin::apns
