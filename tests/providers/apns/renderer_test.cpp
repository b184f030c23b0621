#include "providers/apns/renderer.hpp"

#include "tests/support/override_cases.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

using testing::bad_override_case;
using testing::flood_event;
using testing::silent_event;

const renderer with_key("dijon", "fr.example.dijon", false);

boost::json::value body_of(const publish_event& event, std::string_view locale = "") {
    const auto made = with_key.render(event).value();
    return boost::json::parse(made->body(made->variant_for(locale)));
}

boost::json::object overrides(std::string_view text) {
    return boost::json::parse(text).as_object();
}

refusal refused(const publish_event& event) {
    const auto made = with_key.render(event);
    return made.has_error() ? made.error() : refusal{"not refused", ""};
}

TEST(ApnsRenderer, PutsEveryFieldInItsPlace) {
    EXPECT_EQ(body_of(flood_event()), boost::json::parse(R"({
        "aps": {"alert": {"title": "Crue de l'Ouche", "subtitle": "Dijon", "body": "Évitez les quais."},
                "sound": "default", "badge": 1, "thread-id": "crue", "mutable-content": 1,
                "interruption-level": "time-sensitive"},
        "image": "https://example.fr/crue.jpg", "url": "https://example.fr/crue",
        "category": "alerte", "article": "1234"})"));
    const auto made = with_key.render(flood_event()).value();
    EXPECT_EQ(made->headers().push_type, "alert");
    EXPECT_EQ(made->headers().priority, "10");
    EXPECT_EQ(made->headers().topic, "fr.example.dijon");
    EXPECT_EQ(made->headers().expiration, "1795417200");
    EXPECT_EQ(made->headers().collapse_id, "crue-ouche");
    EXPECT_EQ(made->largest_payload(), made->body(0).size());
}

TEST(ApnsRenderer, LeavesOutWhatTheEventDoesNotSay) {
    publish_event event;
    event.id = "short";
    event.expires_at = flood_event().expires_at;
    event.notification.emplace().title = "Marché";
    EXPECT_EQ(body_of(event), boost::json::parse(R"({"aps":{"alert":{"title":"Marché"}}})"));
    EXPECT_EQ(with_key.render(event).value()->headers().collapse_id, event.effective_collapse_id());
}

TEST(ApnsRenderer, AnEventWithReceiptsCarriesItsIdAndWakesTheAppsExtension) {
    publish_event event;
    event.id = "short";
    event.expires_at = flood_event().expires_at;
    event.notification.emplace().title = "Marché";
    const std::size_t without = with_key.render(event).value()->largest_payload();
    event.receipts = true;
    EXPECT_EQ(
        body_of(event),
        boost::json::parse(
            R"({"aps":{"alert":{"title":"Marché"},"mutable-content":1},"tocsin_event":"short"})"));
    EXPECT_GT(with_key.render(event).value()->largest_payload(), without);
    event.notification.reset();
    event.data = {{"sync", "1"}};
    EXPECT_EQ(
        body_of(event),
        boost::json::parse(R"({"aps":{"content-available":1},"sync":"1","tocsin_event":"short"})"));
}

TEST(ApnsRenderer, DefaultsFollowThePushType) {
    const std::vector<std::string> types{"alert",        "background",   "complication", "controls",
                                         "fileprovider", "liveactivity", "location",     "mdm",
                                         "pushtotalk",   "voip",         "widgets"};
    for (const std::string& type : types) {
        for (const priority urgency : {priority::critical, priority::normal, priority::low}) {
            publish_event event = silent_event();
            event.priority = urgency;
            event.overrides[platform::apns] =
                overrides(R"({"headers":{"apns-push-type":")" + type + R"("}})");
            if (type == "alert") {
                event.overrides[platform::apns]["aps"] = boost::json::object{{"sound", "x"}};
            }
            const auto made = with_key.render(event);
            ASSERT_TRUE(made.has_value()) << type << ": " << made.error().message;
            const bool quiet = type == "background" || urgency == priority::low;
            EXPECT_EQ((*made)->headers().priority, quiet ? "5" : "10") << type;
            const auto aps = boost::json::parse((*made)->body(0)).at("aps").as_object();
            EXPECT_EQ(aps.contains("content-available"), type == "background") << type;
        }
    }
}

TEST(ApnsRenderer, ATopicOfAnotherPushTypeIsRefused) {
    for (const std::string topic : {"fr.example.dijon.voip", "fr.example.dijon.push-type.widgets"}) {
        publish_event event = flood_event();
        event.overrides[platform::apns] = overrides(R"({"headers":{"apns-topic":")" + topic + R"("}})");
        EXPECT_EQ(refused(event).code, "invalid_override") << topic;
    }
    publish_event call = silent_event();
    call.overrides[platform::apns] =
        overrides(R"({"headers":{"apns-push-type":"voip","apns-topic":"fr.example.dijon.voip"}})");
    EXPECT_EQ(with_key.render(call).value()->headers().topic, "fr.example.dijon.voip");
    EXPECT_TRUE(with_key.render(call).value()->overridden());
    EXPECT_FALSE(with_key.render(flood_event()).value()->overridden());
}

TEST(ApnsRenderer, NoNullLeavesWhateverItsDepth) {
    for (const std::string given :
         {R"({"x":[null]})", R"({"aps":{"alert":{"loc-args":["a",null]}}})", R"({"x":[{"y":null}]})"}) {
        publish_event event = flood_event();
        event.overrides[platform::apns] = overrides(given);
        EXPECT_EQ(refused(event).code, "invalid_override") << given;
    }
    publish_event event = flood_event();
    event.overrides[platform::apns] = overrides(R"({"x":{"y":{"z":null,"a":1}}})");
    EXPECT_EQ(body_of(event).at("x"), boost::json::parse(R"({"y":{"a":1}})"));
}

TEST(ApnsRenderer, ASilentEventIsABackgroundPush) {
    EXPECT_EQ(body_of(silent_event()), boost::json::parse(R"({"aps":{"content-available":1},"sync":"1"})"));
    const auto made = with_key.render(silent_event()).value();
    EXPECT_EQ(made->headers().push_type, "background");
    EXPECT_EQ(made->headers().priority, "5");
}

TEST(ApnsRenderer, PriorityBecomesPriorityAndInterruptionLevel) {
    const auto level = [](priority given) {
        auto event = flood_event();
        event.priority = given;
        const auto body = body_of(event);
        const auto* found = body.at("aps").as_object().if_contains("interruption-level");
        return with_key.render(event).value()->headers().priority + " " +
               (found != nullptr ? std::string(found->as_string()) : "default");
    };
    EXPECT_EQ(level(priority::critical), "10 time-sensitive");
    EXPECT_EQ(level(priority::high), "10 default");
    EXPECT_EQ(level(priority::normal), "10 default");
    EXPECT_EQ(level(priority::low), "5 passive");
}

TEST(ApnsRenderer, LocalizedWordsReplaceTheirOwnAndNoOthers) {
    auto event = flood_event();
    event.localized["en"] = {.title = "Flood", .subtitle = "", .body = "Avoid the quays."};
    const auto body = body_of(event, "en-GB");
    EXPECT_EQ(
        body.at("aps").at("alert"),
        boost::json::parse(R"({"title":"Flood","subtitle":"Dijon","body":"Avoid the quays."})"));
    EXPECT_EQ(body.at("article"), boost::json::value("1234"));
    EXPECT_EQ(body_of(event, "de").at("aps").at("alert").at("title"), boost::json::value("Crue de l'Ouche"));
}

TEST(ApnsRenderer, TextsThatLookLikeJsonStayTexts) {
    auto event = flood_event();
    event.notification->body = "\"},\"aps\":{\"x\":\"\\\n\x01";
    EXPECT_EQ(
        std::string(body_of(event).at("aps").at("alert").at("body").as_string()), event.notification->body);
}

TEST(ApnsRenderer, ADataKeyWinsOverOursOfTheSameName) {
    auto event = flood_event();
    event.data.emplace_back("url", "app://crue");
    EXPECT_EQ(body_of(event).at("url"), boost::json::value("app://crue"));
}

TEST(ApnsRenderer, RefusesDataNamedAps) {
    auto event = flood_event();
    event.data.emplace_back("aps", "x");
    EXPECT_EQ(refused(event).code, "reserved_data_key");
}

TEST(ApnsRenderer, OverridesAreMergedLast) {
    auto event = flood_event();
    event.localized["en"] = {.title = "Flood", .subtitle = "", .body = ""};
    event.overrides[platform::apns] = overrides(R"({
        "headers": {"apns-priority": "5", "apns-collapse-id": "mine", "apns-expiration": "0"},
        "aps": {"interruption-level": "critical", "sound": {"critical": 1, "name": "siren.caf", "volume": 1.0},
                "badge": null, "alert": {"title-loc-key": "FLOOD"}},
        "article": {"id": 7}, "deep": {"link": true}})");
    for (const std::string_view locale : {"", "en"}) {
        const auto body = body_of(event, locale);
        const auto& aps = body.at("aps").as_object();
        EXPECT_EQ(aps.at("interruption-level"), boost::json::value("critical"));
        EXPECT_EQ(aps.at("sound").at("name"), boost::json::value("siren.caf"));
        EXPECT_FALSE(aps.contains("badge"));
        EXPECT_EQ(aps.at("alert").at("title-loc-key"), boost::json::value("FLOOD"));
        EXPECT_TRUE(aps.at("alert").as_object().contains("title"));
        EXPECT_EQ(body.at("article"), boost::json::parse(R"({"id":7})"));
        EXPECT_EQ(body.at("deep"), boost::json::parse(R"({"link":true})"));
        EXPECT_FALSE(body.as_object().contains("headers"));
    }
    const auto made = with_key.render(event).value();
    EXPECT_EQ(made->headers().priority, "5");
    EXPECT_EQ(made->headers().collapse_id, "mine");
    EXPECT_EQ(made->headers().expiration, "0");
}

TEST(ApnsRenderer, NumbersOfAnOverrideArriveAsWrittenOrAreRefused) {
    testing::expect_exact_numbers(
        platform::apns, R"({"apns":{"own":{"x":)", "}}}",
        [](const publish_event& event) { return std::string(with_key.render(event).value()->body(0)); });
}

struct suffix_case {
    std::string type;
    std::string topic;
};

class ApnsTopicTest : public ::testing::TestWithParam<suffix_case> {};

TEST_P(ApnsTopicTest, GetsTheSuffixOfItsPushType) {
    auto event = flood_event();
    event.overrides[platform::apns] =
        overrides(R"({"headers":{"apns-push-type":")" + GetParam().type + "\"}}");
    EXPECT_EQ(with_key.render(event).value()->headers().topic, GetParam().topic);
    event.overrides[platform::apns] =
        overrides(R"({"headers":{"apns-topic":"my.own","apns-push-type":")" + GetParam().type + "\"}}");
    EXPECT_EQ(with_key.render(event).value()->headers().topic, "my.own");
}

INSTANTIATE_TEST_SUITE_P(
    Types, ApnsTopicTest,
    ::testing::Values(
        suffix_case{"alert", "fr.example.dijon"}, suffix_case{"voip", "fr.example.dijon.voip"},
        suffix_case{"complication", "fr.example.dijon.complication"},
        suffix_case{"fileprovider", "fr.example.dijon.pushkit.fileprovider"},
        suffix_case{"mdm", "fr.example.dijon"}, suffix_case{"location", "fr.example.dijon.location-query"},
        suffix_case{"liveactivity", "fr.example.dijon.push-type.liveactivity"},
        suffix_case{"pushtotalk", "fr.example.dijon.voip-ptt"},
        suffix_case{"widgets", "fr.example.dijon.push-type.widgets"},
        suffix_case{"controls", "fr.example.dijon.push-type.controls"}),
    [](const auto& test) { return test.param.type; });

class ApnsBadOverrideTest : public ::testing::TestWithParam<bad_override_case> {};

TEST_P(ApnsBadOverrideTest, IsRefusedByName) {
    auto event = flood_event();
    event.overrides[platform::apns] = overrides(GetParam().given);
    const refusal why = refused(event);
    EXPECT_EQ(why.code, "invalid_override");
    EXPECT_NE(why.message.find(GetParam().says), std::string::npos) << why.message;
}

INSTANTIATE_TEST_SUITE_P(
    Overrides, ApnsBadOverrideTest,
    ::testing::Values(
        bad_override_case{"headers_no_object", R"({"headers":1})", "apns.headers must be an object"},
        bad_override_case{"header_no_text", R"({"headers":{"apns-priority":5}})", "headers.apns-priority"},
        bad_override_case{
            "header_typo", R"({"headers":{"apns-prioriti":"5"}})", "did you mean apns-priority"},
        bad_override_case{"header_foreign", R"({"headers":{"authorization":"x"}})", "cannot be set"},
        bad_override_case{"header_id", R"({"headers":{"apns-id":"x"}})", "apns-id cannot be set"},
        bad_override_case{"header_break", R"({"headers":{"apns-collapse-id":"a\r\nb"}})", "printable"},
        bad_override_case{
            "push_type", R"({"headers":{"apns-push-type":"alerte"}})", "did you mean \"alert\""},
        bad_override_case{"priority", R"({"headers":{"apns-priority":"7"}})", "must be 1, 5 or 10"},
        bad_override_case{
            "background_with_alert", R"({"headers":{"apns-push-type":"background","apns-priority":"5"}})",
            "is background, but"},
        bad_override_case{
            "background_at_ten",
            R"({"headers":{"apns-push-type":"background","apns-priority":"10"},"aps":{"alert":null}})",
            "priority 10"},
        bad_override_case{
            "collapse_id", R"({"headers":{"apns-collapse-id":")" + std::string(65, 'x') + "\"}}", "65 bytes"},
        bad_override_case{"expiration", R"({"headers":{"apns-expiration":"tomorrow"}})", "apns-expiration"},
        bad_override_case{"topic", R"({"headers":{"apns-topic":"a b"}})", "not a bundle id"},
        bad_override_case{
            "topic_doubled", R"({"headers":{"apns-push-type":"voip","apns-topic":"x.voip.voip"}})",
            "a topic has one suffix"},
        bad_override_case{
            "topic_of_two_types",
            R"({"headers":{"apns-push-type":"widgets","apns-topic":"x.voip.push-type.widgets"}})",
            "apns.headers.apns-topic: \"x.voip.push-type.widgets\" ends in .voip and .push-type.widgets"},
        bad_override_case{"aps_no_object", R"({"aps":"x"})", "aps must be an object"},
        bad_override_case{"aps_removed", R"({"aps":null})", "aps must be an object"},
        bad_override_case{
            "nothing_to_show", R"({"aps":{"alert":null,"sound":null,"badge":null}})", "holds no alert"},
        bad_override_case{"level", R"({"aps":{"interruption-level":"loud"}})", "interruption-level"},
        bad_override_case{"alert", R"({"aps":{"alert":7}})", "aps.alert"}),
    [](const auto& test) { return test.param.name; });

TEST(ApnsRenderer, ABackgroundPushMustWakeTheApp) {
    auto event = silent_event();
    event.overrides[platform::apns] = overrides(R"({"aps":{"content-available":null}})");
    EXPECT_EQ(refused(event).code, "invalid_override");
    event.overrides[platform::apns] = overrides(R"({"headers":{"apns-priority":"1"}})");
    EXPECT_TRUE(with_key.render(event).has_value());
}

TEST(ApnsRenderer, LocationNeedsAKey) {
    auto event = flood_event();
    event.overrides[platform::apns] = overrides(R"({"headers":{"apns-push-type":"location"}})");
    const renderer with_certificate("dijon", "fr.example.dijon", true);
    ASSERT_TRUE(with_certificate.render(event).has_error());
    EXPECT_EQ(with_certificate.render(event).error().code, "invalid_override");
}

TEST(ApnsRenderer, CountsTheBodyToTheByte) {
    auto event = flood_event();
    const std::size_t rest =
        with_key.render(event).value()->largest_payload() - event.notification->body.size();
    event.notification->body = std::string(4096 - rest, 'x');
    ASSERT_TRUE(with_key.render(event).has_value());
    EXPECT_EQ(with_key.render(event).value()->largest_payload(), 4096U);
    event.notification->body += 'x';
    const refusal why = refused(event);
    EXPECT_EQ(why.code, "payload_too_large");
    EXPECT_NE(why.message.find("4097 bytes, the limit is 4096"), std::string::npos) << why.message;
}

TEST(ApnsRenderer, NamesTheLocaleThatIsTooLarge) {
    auto event = flood_event();
    event.localized["en"] = {.title = "", .subtitle = "", .body = std::string(5000, 'x')};
    EXPECT_NE(refused(event).message.find("in locale en"), std::string::npos);
}

TEST(ApnsRenderer, VoipMayBeLarger) {
    auto event = flood_event();
    event.notification->body = std::string(4500, 'x');
    event.overrides[platform::apns] = overrides(R"({"headers":{"apns-push-type":"voip"}})");
    EXPECT_TRUE(with_key.render(event).has_value());
    event.notification->body = std::string(5120, 'x');
    EXPECT_NE(refused(event).message.find("the limit is 5120"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::apns
