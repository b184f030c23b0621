#include "providers/fcm/message_members.hpp"

#include "providers/fcm/renderer.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;
using testing::flood_event;

const renderer with("dijon");
const wall_time now = *parse_rfc3339("2026-11-23T06:00:00.500Z");

std::string camel(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        out += name[i] == '_' ? static_cast<char>(name[++i] - 'a' + 'A') : name[i];
    }
    return out;
}

/// A value that the form takes.
json::value fit_for(const member& one) {
    switch (one.what) {
        case holds::text: return "x";
        case holds::flag: return true;
        case holds::count:
        case holds::share: return 1;
        case holds::color: return "#1a2b3C";
        case holds::label: return "crue-2026_11.23~%";
        case holds::link: return "https://example.fr";
        case holds::duration: return "3s";
        case holds::timestamp: return "2026-11-23T06:00:00Z";
        case holds::word: return json::value(one.detail.substr(0, one.detail.find(' ')));
        case holds::texts: return json::array{"x"};
        case holds::durations: return json::array{"1s"};
        case holds::text_map:
        case holds::own_data:
        case holds::push_headers:
        case holds::anything:
        case holds::form: return json::object();
    }
    return nullptr;
}

/// What the form does not take there: other types, and what is beyond the range of the right one.
std::vector<json::value> unfit_for(const member& one) {
    const json::value object = json::object{{"x", 1}};
    switch (one.what) {
        case holds::text: return {7, true, json::array{"x"}, object};
        case holds::flag: return {"true", 1, json::array{true}, object};
        case holds::count: return {"1", true, 3.5, 1e300, -1, 2147483648, 18446744073709551615U, object};
        case holds::share: return {"1", true, -0.1, 1.1, 2, 1e300, object};
        case holds::color: return {7, "red", "#fff", "1a2b3c4", "#1a2b3g", object};
        case holds::label: return {7, true, "", "two words", "é", json::value(std::string(51, 'x')), object};
        case holds::link: return {7, true, "", "http://example.fr", "example.fr", object};
        case holds::duration: return {3, "3", "s", "-3s", "1h", "1.s", true, object};
        case holds::timestamp: return {1764000000, "noon", "2026-11-23", object};
        case holds::word: return {1, "", "Nothing", json::value(one.detail), object};
        case holds::texts: return {"x", json::array{"x", 1}, object};
        case holds::durations: return {"1s", json::array{"1s", "1h"}, object};
        case holds::text_map: return {"x", json::array{"x"}, object};
        case holds::own_data:
            return {
                "x",
                object,
                json::object{{"from", "x"}},
                json::object{{"message_type", "x"}},
                json::object{{"google.sent_time", "x"}},
                json::object{{"gcm.notification.x", "x"}}};
        case holds::push_headers:
            return {
                "x",
                object,
                json::object{{"Urgency", "urgent"}},
                json::object{{"urgency", ""}},
                json::object{{"TTL", "1h"}},
                json::object{{"ttl", "-1"}},
                json::object{{"TTL", "1"}, {"ttl", "1"}}};
        case holds::anything:
        case holds::form: return {"x", 7, true, json::array{object}};
    }
    return {};
}

/// A member where it stands in a message.
struct place {
    std::vector<std::string> above;
    const member* what;

    [[nodiscard]] std::string path() const {
        std::string out;
        for (const std::string& one : above) {
            out += one + '.';
        }
        return out + std::string(what->name);
    }
    /// The overrides that hold `inner` there.
    [[nodiscard]] json::object around(json::object inner) const {
        for (auto one = above.rbegin(); one != above.rend(); ++one) {
            inner = json::object{{*one, std::move(inner)}};
        }
        return inner;
    }
};

std::vector<place> places() {
    std::vector<place> out;
    const std::function<void(std::string_view, const std::vector<std::string>&)> walk =
        [&](std::string_view form, const std::vector<std::string>& above) {
            for (const member& one : message_members()) {
                if (one.of != form) {
                    continue;
                }
                out.push_back({above, &one});
                if (one.what == holds::form) {
                    auto deeper = above;
                    deeper.emplace_back(one.name);
                    walk(one.detail, deeper);
                }
            }
        };
    walk("Message", {});
    return out;
}

std::string answer(const json::object& overrides) {
    publish_event event = flood_event();
    event.overrides[platform::fcm] = overrides;
    const auto made = with.render(event, now);
    if (made.has_error()) {
        return made.error().code + ": " + made.error().message;
    }
    std::string out;
    for (const std::string_view part : (*made)->after_token(0, now)) {
        out += part;
    }
    return out;
}

TEST(FcmMessageMembers, AMemberInCamelCaseIsSentInTheSpellingOfTheDefaults) {
    std::size_t tried = 0;
    for (const place& one : places()) {
        const std::string other = camel(one.what->name);
        if (other == one.what->name) {
            continue;
        }
        ++tried;
        const std::string sent = answer(one.around({{other, fit_for(*one.what)}}));
        EXPECT_FALSE(sent.starts_with("invalid_override")) << one.path() << ": " << sent;
        EXPECT_EQ(sent.find('"' + other + '"'), std::string::npos) << one.path() << ": " << sent;
        const bool empty = one.what->what == holds::form;
        EXPECT_TRUE(empty || sent.find('"' + std::string(one.what->name) + '"') != std::string::npos)
            << one.path() << ": " << sent;
    }
    EXPECT_GT(tried, 30U);
}

TEST(FcmMessageMembers, AMemberInBothSpellingsIsRefusedWithItsPath) {
    for (const place& one : places()) {
        const std::string other = camel(one.what->name);
        if (other == one.what->name) {
            continue;
        }
        const json::value fit = fit_for(*one.what);
        const std::string said = answer(one.around({{std::string(one.what->name), fit}, {other, fit}}));
        EXPECT_TRUE(said.starts_with("invalid_override: fcm." + one.path() + " stands twice"))
            << one.path() << ": " << said;
    }
}

TEST(FcmMessageMembers, WhatAMemberDoesNotHoldIsRefusedWithItsPath) {
    for (const place& one : places()) {
        const std::vector<json::value> wrong = unfit_for(*one.what);
        ASSERT_FALSE(wrong.empty()) << one.path();
        for (const json::value& value : wrong) {
            const std::string said = answer(one.around({{std::string(one.what->name), value}}));
            EXPECT_TRUE(said.starts_with("invalid_override: fcm." + one.path()))
                << one.path() << " as " << json::serialize(value) << ": " << said;
        }
    }
}

TEST(FcmMessageMembers, WhatAMemberHoldsIsTaken) {
    for (const place& one : places()) {
        const std::string said = answer(one.around({{std::string(one.what->name), fit_for(*one.what)}}));
        EXPECT_FALSE(said.starts_with("invalid_override")) << one.path() << ": " << said;
    }
    for (const std::string_view good :
         {R"({"webpush":{"headers":{"Urgency":"very-low","TTL":"0","Topic":"crue"}}})",
          R"({"android":{"notification":{"notification_count":2147483647}}})",
          R"({"android":{"notification":{"light_settings":{"color":{"red":0.5,"alpha":0}}}}})"}) {
        EXPECT_FALSE(answer(json::parse(good).as_object()).starts_with("invalid_override")) << good;
    }
}

struct apns_case {
    std::string_view given;
    std::string_view says;  ///< Behind "fcm.apns."; empty if it is taken.
};

TEST(FcmMessageMembers, ItsApnsBlockIsHeldToTheRulesOfApns) {
    const std::vector<apns_case> rows{
        {R"({"headers":{"apns-push-type":"alerte"}})",
         "headers.apns-push-type: \"alerte\" is not a push type"},
        {R"({"headers":{"apns-priority":"7"}})", "headers.apns-priority: \"7\" must be 1, 5 or 10"},
        {R"({"headers":{"apns-push-type":"background"}})", "headers.apns-priority: APNs refuses background"},
        {R"({"headers":{"apns-push-type":"background","apns-priority":"5"}})",
         "headers.apns-push-type is background, but aps holds an alert, badge or sound"},
        {R"({"headers":{"apns-expiration":"tomorrow"}})", "headers.apns-expiration must be seconds"},
        {R"({"headers":{"apns-collapse-id":"01234567890123456789012345678901234567890123456789012345678901234"}})",
         "headers.apns-collapse-id is 65 bytes"},
        {R"({"headers":{"apns-topic":"a b"}})", "headers.apns-topic: \"a b\" is not a bundle id"},
        {R"({"headers":{"apns-topic":"x.voip"}})", "headers.apns-topic: \"x.voip\" ends in .voip"},
        {R"({"headers":{"apns-push-type":"voip","apns-topic":"x.voip.voip"}})",
         "headers.apns-topic: \"x.voip.voip\" ends in .voip and .voip"},
        {R"({"headers":{"Apns-Priority":"5"}})", "headers.Apns-Priority cannot be set"},
        {R"({"headers":{"apns-id":"x"}})", "headers.apns-id cannot be set"},
        {R"({"headers":{"apns-priority":""}})", "headers.apns-priority must be a string of printable"},
        {R"({"payload":{"aps":7}})", "payload.aps must be an object"},
        {R"({"payload":{"aps":{"alert":7}}})", "payload.aps.alert must be"},
        {R"({"payload":{"aps":{"interruption-level":"loud"}}})", "payload.aps.interruption-level must be"},
        {R"({"headers":{"apns-push-type":"voip","apns-topic":"x.voip"}})", ""},
        {R"({"headers":{"apns-push-type":null}})", ""},
        {R"({"payload":{"aps":null}})", ""},
        {R"({"payload":{"aps":{"interruption-level":"critical"}}})", ""}};
    for (const apns_case& one : rows) {
        const std::string said = answer({{"apns", json::parse(one.given)}});
        const std::string expected =
            one.says.empty() ? "\"" : "invalid_override: fcm.apns." + std::string(one.says);
        EXPECT_TRUE(said.starts_with(expected)) << one.given << ": " << said;
    }
}

TEST(FcmMessageMembers, ASilentEventsApnsBlockMustWakeTheAppAndShowNothing) {
    publish_event event = testing::silent_event();
    for (const auto& [given, says] : std::vector<std::pair<std::string, std::string>>{
             {R"({"apns":{"payload":{"aps":{"content-available":null}}}})",
              "fcm.apns.payload.aps.content-available"},
             {R"({"apns":{"headers":{"apns-priority":null}}})",
              "fcm.apns.headers.apns-priority must be \"5\""},
             {R"({"apns":{"payload":null}})", "fcm.apns.payload.aps.content-available"},
             {R"({"apns":{"payload":{"aps":{"sound":"x"}}}})",
              "fcm.apns.headers.apns-push-type is background"},
             {R"({"notification":{"title":"x"}})", "fcm.apns.headers.apns-push-type is background"},
             {R"({"apns":{"headers":{"apns-push-type":"alert"}}})",
              "fcm.apns.headers.apns-push-type is alert"}}) {
        event.overrides[platform::fcm] = json::parse(given).as_object();
        const auto made = with.render(event, now);
        ASSERT_TRUE(made.has_error()) << given;
        EXPECT_TRUE(made.error().message.starts_with(says)) << given << ": " << made.error().message;
    }
}

TEST(FcmMessageMembers, ANullInCamelCaseRemovesTheDefault) {
    const std::string sent =
        answer(json::parse(R"({"android":{"collapseKey":null,"notification":{"notificationCount":null}}})")
                   .as_object());
    EXPECT_EQ(sent.find("collapse_key"), std::string::npos) << sent;
    EXPECT_EQ(sent.find("notification_count"), std::string::npos) << sent;
}

TEST(FcmMessageMembers, KeysOfTheAppsOwnKeepTheirSpelling) {
    const std::string sent = answer(json::parse(R"({"data":{"collapseKey":"a","collapse_key":"b"},
                        "webpush":{"notification":{"requireInteraction":true}}})")
                                        .as_object());
    for (const std::string_view one :
         {"\"collapseKey\":\"a\"", "\"collapse_key\":\"b\"", "requireInteraction"}) {
        EXPECT_NE(sent.find(one), std::string::npos) << sent;
    }
}

}  // namespace
}  // namespace tocsin::fcm
