#include "engine/event/event_content.hpp"

#include "providers/known_platforms.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// At the edges of each rule; that all of what is malformed is refused: malformed_events_test.cpp.

namespace tocsin {
namespace {

namespace json = boost::json;

struct read_document {
    std::string code;  ///< Of the refusal; empty if there is none.
    std::string message;
    publish_event event;
};

read_document read(const json::object& document) {
    read_document out;
    const auto fine = read_content(known_platforms(), document, out.event);
    if (fine.has_error()) {
        out.code = fine.error().code;
        out.message = fine.error().message;
    }
    return out;
}
read_document read(std::string_view document) {
    return read(json::parse(document).as_object());
}

json::object shown(std::string_view field, const json::value& value) {
    json::object notification{{"title", "a"}};
    notification[field] = value;
    return {{"notification", std::move(notification)}};
}

TEST(EventContent, SomethingIsToBeSent) {
    struct row {
        std::string_view given;
        std::string_view code;
    };
    for (const row& one : std::vector<row>{
             {R"({"notification":{"title":"a"}})", ""},
             {R"({"notification":{"body":"a"}})", ""},
             {R"({"data":{"a":"b"}})", ""},
             {R"({"data":{"a":"b"},"notification":{}})", ""},
             {R"({"apns":{"aps":{"alert":"a"}}})", ""},
             {"{}", "nothing_to_send"},
             {R"({"data":{}})", "nothing_to_send"},
             {R"({"apns":{}})", "nothing_to_send"},
             {R"({"apns":7})", "nothing_to_send"},
             {R"({"fcm":{"aps":{"alert":"a"}}})", "nothing_to_send"},
             {R"({"notification":{}})", "empty_notification"},
             {R"({"data":{},"notification":{"title":"","body":""}})", "empty_notification"},
             {R"({"notification":{"subtitle":"a"}})", "empty_notification"},
             {R"({"notification":{"badge":0}})", "empty_notification"},
             {R"({"data":{"a":"b"},"notification":{"sound":"a"}})", "empty_notification"}}) {
        EXPECT_EQ(read(one.given).code, one.code) << one.given;
    }
}

TEST(EventContent, ANotificationWithoutWordsBesideDataIsASilentPush) {
    EXPECT_FALSE(read(R"({"data":{"a":"b"},"notification":{}})").event.notification.has_value());
    EXPECT_TRUE(read(R"({"data":{"a":"b"},"notification":{"body":"c"}})").event.notification.has_value());
    EXPECT_NE(
        read(R"({"data":{"a":"b"},"notification":{"badge":1,"sound":"a"}})").message.find("has a badge but"),
        std::string::npos);
    EXPECT_NE(
        read(R"({"data":{"a":"b"},"notification":{"thread":"a"}})").message.find("has a thread but"),
        std::string::npos);
}

TEST(EventContent, EachTextHasALimitOfItsOwn) {
    const std::string host = "https://a.example/";
    struct row {
        std::string field;
        std::size_t limit;
        std::string begin;
        std::string notification::*place;
    };
    for (const row& one : std::vector<row>{
             {"title", 16'384, "", &notification::title},
             {"subtitle", 16'384, "", &notification::subtitle},
             {"body", 16'384, "", &notification::body},
             {"image", 2'048, host, &notification::image},
             {"url", 2'048, host, &notification::url},
             {"sound", 256, "", &notification::sound},
             {"thread", 256, "", &notification::thread}}) {
        std::string text = one.begin + std::string(one.limit - one.begin.size(), 'x');
        const read_document longest = read(shown(one.field, json::value(std::string_view(text))));
        EXPECT_EQ(longest.code, "") << one.field;
        EXPECT_TRUE((*longest.event.notification).*one.place == text) << one.field;
        text += 'x';
        EXPECT_EQ(read(shown(one.field, json::value(std::string_view(text)))).code, "text_too_long")
            << one.field;
    }
}

TEST(EventContent, ABadgeIsACountThatAnInt32Holds) {
    EXPECT_EQ(read(shown("badge", 0)).event.notification->badge, 0);
    EXPECT_EQ(read(shown("badge", 2'147'483'647)).event.notification->badge, 2'147'483'647);
    EXPECT_EQ(read(shown("badge", -1)).code, "invalid_badge");
    EXPECT_EQ(read(shown("badge", 2'147'483'648)).code, "invalid_badge");
    EXPECT_FALSE(read(shown("sound", "x")).event.notification->badge.has_value());
}

TEST(EventContent, AnImageComesOverHttpsAndALinkMayLeadAnywhere) {
    struct row {
        std::string_view url;
        std::string_view of_an_image;
        std::string_view of_a_link;
    };
    for (const row& one : std::vector<row>{
             {"https://a.example/b.png", "", ""},
             {"HTTPS://a.example/b.png", "", ""},
             {"http://a.example/b.png", "invalid_url", ""},
             {"app://alerts/12", "invalid_url", ""},
             {"https:///b.png", "invalid_url", ""},
             {"/b.png", "invalid_url", "invalid_url"},
             {"a.example/b.png", "invalid_url", "invalid_url"},
             {"https://a.example/b c", "invalid_url", "invalid_url"}}) {
        EXPECT_EQ(read(shown("image", json::value(one.url))).code, one.of_an_image) << one.url;
        EXPECT_EQ(read(shown("url", json::value(one.url))).code, one.of_a_link) << one.url;
    }
}

TEST(EventContent, DataHasSoManyEntriesWithKeysOfSuchALength) {
    json::object data;
    for (int i = 0; i < 64; ++i) {
        data["k" + std::to_string(i)] = "v";
    }
    const read_document most = read(json::object{{"data", data}});
    EXPECT_EQ(most.code, "");
    ASSERT_EQ(most.event.data.size(), 64U);
    EXPECT_EQ(most.event.data[63], (std::pair<std::string, std::string>("k63", "v")));
    data["k64"] = "v";
    EXPECT_EQ(read(json::object{{"data", data}}).code, "too_many_data");

    const auto with_key = [](const std::string& key) {
        return read(json::object{{"data", json::object{{key, "v"}}}}).code;
    };
    EXPECT_EQ(with_key(std::string(256, 'k')), "");
    EXPECT_EQ(with_key(std::string(257, 'k')), "invalid_data_key");
    EXPECT_EQ(with_key(""), "invalid_data_key");
    EXPECT_EQ(read(R"({"data":{"a":1}})").code, "wrong_type");
}

TEST(EventContent, AKeyThatAnyPlatformKeepsForItselfIsRefusedAndItIsNamed) {
    for (const auto& [key, owner] : std::vector<std::pair<std::string, std::string>>{
             {"aps", "APNs"}, {"from", "FCM"}, {"google.c.a", "FCM"}}) {
        const read_document refused = read(json::object{{"data", json::object{{key, "v"}}}});
        EXPECT_EQ(refused.code, "reserved_data_key") << key;
        EXPECT_NE(refused.message.find("data." + key + " is reserved by " + owner), std::string::npos)
            << refused.message;
    }
}

TEST(EventContent, ALanguageReplacesSomeOfTheWordsOfANotification) {
    const auto localized = [](std::string_view languages) {
        json::object document = shown("sound", "x");
        document["localized"] = json::parse(languages);
        return read(document);
    };
    const read_document two = localized(R"({"en-gb":{"title":"Flood"},"de":{"subtitle":"x","body":"y"}})");
    EXPECT_EQ(two.code, "") << two.message;
    ASSERT_EQ(two.event.localized.size(), 2U);
    EXPECT_EQ(two.event.localized.at("de"), (localized_text{.title = "", .subtitle = "x", .body = "y"}));
    EXPECT_EQ(localized("{}").code, "");
    EXPECT_EQ(localized(R"({"en":{"title":""}})").code, "empty_localized");
    EXPECT_EQ(localized(R"({"en":{"sound":"x"}})").code, "unknown_field");
    EXPECT_EQ(localized(R"({"en":"Flood"})").code, "wrong_type");
    EXPECT_EQ(localized(R"({"en-GB":{"title":"a"},"EN_gb":{"title":"b"}})").code, "duplicate_locale");
    for (const std::string field : {"title", "subtitle", "body"}) {
        const auto of_size = [&](std::size_t size) {
            return localized(R"({"en":{")" + field + R"(":")" + std::string(size, 'x') + "\"}}").code;
        };
        EXPECT_EQ(of_size(16'384), "") << field;
        EXPECT_EQ(of_size(16'385), "text_too_long") << field;
    }
    EXPECT_EQ(
        read(R"({"data":{"a":"b"},"localized":{"en":{"title":"a"}}})").code,
        "localized_without_notification");
    EXPECT_EQ(read(R"({"data":{"a":"b"},"localized":{}})").code, "");
}

TEST(EventContent, NotificationsAreReadInSoManyLanguages) {
    const auto languages = [](int count) {
        json::object all;
        for (int i = 0; i < count; ++i) {
            all["fr-" + std::to_string(100 + i)] = json::object{{"title", "a"}};
        }
        json::object document = shown("sound", "x");
        document["localized"] = std::move(all);
        return read(document).code;
    };
    EXPECT_EQ(languages(64), "");
    EXPECT_EQ(languages(65), "too_many_locales");
}

}  // namespace
}  // namespace tocsin
