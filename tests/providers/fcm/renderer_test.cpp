#include "providers/fcm/renderer.hpp"

#include "tests/support/override_cases.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
using testing::bad_override_case;
using testing::flood_event;
using testing::silent_event;

const renderer with("dijon");
const wall_time now = *parse_rfc3339("2026-11-23T06:00:00.500Z");

std::string request_of(
    const rendered_message& made, bool is_fid = false, std::string_view locale = "", wall_time at = now) {
    std::string out = std::string(rendered_message::beginning(is_fid)) + "TOKEN";
    for (const std::string_view part : made.after_token(made.variant_for(locale), at)) {
        out += part;
    }
    return out;
}

boost::json::value body_of(const publish_event& event, std::string_view locale = "") {
    return boost::json::parse(request_of(*with.render(event, now).value(), false, locale));
}

boost::json::object overrides(std::string_view text) {
    return boost::json::parse(text).as_object();
}

refusal refused(const publish_event& event) {
    const auto made = with.render(event, now);
    return made.has_error() ? made.error() : refusal{"not refused", ""};
}

TEST(FcmRenderer, TheDocumentedFormIsCheckedBeforeTheFirstPush) {
    struct row {
        std::string given;
        std::string says;
    };
    const std::vector<row> bad{
        {R"({"android":{"notification":{"android_channel_id":"a"}}})", "did you mean channel_id"},
        {R"({"android":{"channel_id":"a"}})", "android.channel_id"},
        {R"({"apns":{"headers":{"apns-priority":5}}})", "apns.headers.apns-priority must be a string"},
        {R"({"android":{"direct_boot_ok":"true"}})", "android.direct_boot_ok must be true or false"},
        {R"({"android":{"ttl":3600}})", "android.ttl must be a duration"},
        {R"({"android":{"priority":"HIGHEST"}})", "android.priority must be one of"},
        {R"({"android":{"notification":{"visibility":"public"}}})", "visibility must be one of"},
        {R"({"android":{"notification":{"vibrate_timings":["1s",2]}}})", "list of durations"},
        {R"({"android":{"notification":{"title_loc_args":"x"}}})", "list of strings"},
        {R"({"android":{"notification":{"light_settings":{"color":{"red":"1"}}}}})",
         "color.red must be a number from 0 to 1"},
        {R"({"android":{"notification":{"event_time":"noon"}}})", "event_time must be a time"},
        {R"({"android":{"fcm_options":{"label":"x"}}})", "no member"},
        {R"({"webpush":{"headers":{"TTL":1}}})", "webpush.headers.TTL must be a string"},
        {R"({"webpush":{"fcm_options":{"links":"x"}}})", "did you mean link"},
        {R"({"webpush":{"fcm_options":{"link":"http://example.fr"}}})", "link must begin with https://"},
        {R"({"fcm_options":{"analytics_label":"two words"}})", "analytics_label must be 1 to 50 of"},
        {R"({"android":{"fcm_options":{"analytics_label":""}}})", "analytics_label must be 1 to 50 of"},
        {R"({"apns":{"fcm_options":{"analyticsLabel":"é"}}})", "analytics_label must be 1 to 50 of"},
        {R"({"webpush":{"fcm_options":{"analytics_label":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}})",
         "analytics_label must be 1 to 50 of"},
        {R"({"apns":{"payloads":{}}})", "did you mean payload"},
        {R"({"notification":{"titel":"x"}})", "no member"},
        {R"({"data":{"a":1}})", "data.a must be a string"},
        {R"({"apns":{"headers":{"apns-push-type":"background","apns-priority":"10"}}})", "background"},
        {R"({"android":{"notification":{"body_loc_args":["a",null]}}})", "null"}};
    for (const row& one : bad) {
        publish_event event = flood_event();
        event.overrides[platform::fcm] = overrides(one.given);
        const refusal why = refused(event);
        EXPECT_EQ(why.code, "invalid_override") << one.given;
        EXPECT_NE(why.message.find(one.says), std::string::npos) << one.given << ": " << why.message;
    }
    for (
        const std::string good :
        {R"({"android":{"notification":{"channelId":"a","notification_count":3,"sticky":true}}})",
         R"({"android":{"ttl":"3.5s","notification":{"vibrate_timings":["0.5s"],"visibility":"PUBLIC"}}})",
         R"({"apns":{"payload":{"aps":{"sound":"x"},"own":[1,2]},"headers":{"apns-priority":"5"}}})",
         R"({"webpush":{"notification":{"anything":{"goes":1}},"fcm_options":{"link":"https://example.fr"}}})",
         R"({"fcm_options":{"analytics_label":"crue"}})"}) {
        publish_event event = flood_event();
        event.overrides[platform::fcm] = overrides(good);
        EXPECT_EQ(refused(event).code, "not refused") << good << ": " << refused(event).message;
    }
}

TEST(FcmRenderer, NumbersOfAnOverrideArriveAsWrittenOrAreRefused) {
    testing::expect_exact_numbers(
        platform::fcm, R"({"fcm":{"apns":{"payload":{"own":{"x":)", "}}}}}",
        [](const publish_event& event) { return request_of(*with.render(event, now).value()); });
}

TEST(FcmRenderer, PutsEveryFieldInItsPlace) {
    EXPECT_EQ(body_of(flood_event()), boost::json::parse(R"({"message": {
        "token": "TOKEN",
        "notification": {"title": "Crue de l'Ouche", "body": "Évitez les quais.",
                         "image": "https://example.fr/crue.jpg"},
        "data": {"subtitle": "Dijon", "thread": "crue", "url": "https://example.fr/crue", "category": "alerte",
                 "article": "1234"},
        "android": {"priority": "HIGH", "ttl": "3599s", "collapse_key": "crue-ouche",
                    "notification": {"tag": "crue-ouche", "sound": "default", "notification_count": 1,
                                     "notification_priority": "PRIORITY_MAX"}},
        "apns": {"headers": {"apns-collapse-id": "crue-ouche", "apns-expiration": "1795417200",
                             "apns-push-type": "alert", "apns-priority": "10"},
                 "payload": {"aps": {"alert": {"title": "Crue de l'Ouche", "subtitle": "Dijon",
                                               "body": "Évitez les quais."},
                                     "sound": "default", "badge": 1, "thread-id": "crue", "mutable-content": 1,
                                     "interruption-level": "time-sensitive"}},
                 "fcm_options": {"image": "https://example.fr/crue.jpg"}}}})"));
}

TEST(FcmRenderer, ASmallEventIsASmallMessage) {
    publish_event event;
    event.id = "short";
    event.expires_at = flood_event().expires_at;
    event.notification.emplace().title = "Marché";
    const std::string tag = event.effective_collapse_id();
    EXPECT_EQ(
        body_of(event), boost::json::parse(
                            R"({"message":{"token":"TOKEN",
        "notification":{"title":"Marché"},
        "android":{"priority":"NORMAL","ttl":"3599s","notification":{"tag":")" +
                            tag + R"("}},
        "apns":{"headers":{"apns-collapse-id":")" +
                            tag + R"(","apns-expiration":"1795417200",
                "apns-push-type":"alert","apns-priority":"10"}}}})"));
}

TEST(FcmRenderer, AnEventWithReceiptsCarriesItsIdAmongTheData) {
    publish_event event;
    event.id = "short";
    event.expires_at = flood_event().expires_at;
    event.notification.emplace().title = "Marché";
    const std::size_t without = with.render(event, now).value()->largest_payload();
    event.receipts = true;
    const auto body = body_of(event);
    EXPECT_EQ(body.at("message").at("data"), boost::json::parse(R"({"tocsin_event":"short"})"));
    EXPECT_EQ(
        body.at("message").at("apns").at("payload"), boost::json::parse(R"({"aps":{"mutable-content":1}})"));
    EXPECT_GT(with.render(event, now).value()->largest_payload(), without);
}

TEST(FcmRenderer, SendsToAnInstallationIdInTheSameWords) {
    const auto made = with.render(flood_event(), now).value();
    const auto body = boost::json::parse(request_of(*made, true));
    EXPECT_EQ(body.at("message").at("fid"), boost::json::value("TOKEN"));
    EXPECT_FALSE(body.at("message").as_object().contains("token"));
}

TEST(FcmRenderer, ASilentEventIsDataAlone) {
    const auto body = body_of(silent_event());
    const auto& message = body.at("message").as_object();
    EXPECT_FALSE(message.contains("notification"));
    EXPECT_EQ(message.at("data"), boost::json::parse(R"({"sync":"1"})"));
    EXPECT_FALSE(message.at("android").as_object().contains("notification"));
    EXPECT_EQ(message.at("apns").at("headers").at("apns-push-type"), boost::json::value("background"));
    EXPECT_EQ(message.at("apns").at("headers").at("apns-priority"), boost::json::value("5"));
    EXPECT_EQ(message.at("apns").at("payload"), boost::json::parse(R"({"aps":{"content-available":1}})"));
}

TEST(FcmRenderer, PriorityBecomesAndroidPriorityAndApnsPriority) {
    const auto both = [](priority given) {
        auto event = flood_event();
        event.priority = given;
        const auto body = body_of(event);
        const auto& message = body.at("message");
        return std::string(message.at("android").at("priority").as_string()) + " " +
               std::string(message.at("apns").at("headers").at("apns-priority").as_string());
    };
    EXPECT_EQ(both(priority::critical), "HIGH 10");
    EXPECT_EQ(both(priority::high), "HIGH 10");
    EXPECT_EQ(both(priority::normal), "NORMAL 10");
    EXPECT_EQ(both(priority::low), "NORMAL 5");
}

TEST(FcmRenderer, TtlIsBetweenNothingAndFourWeeks) {
    const auto ttl = [](wall_time expires_at) {
        auto event = flood_event();
        event.expires_at = expires_at;
        return std::string(body_of(event).at("message").at("android").at("ttl").as_string());
    };
    EXPECT_EQ(ttl(now - 1h), "0s");
    EXPECT_EQ(ttl(now + 1500ms), "1s");
    EXPECT_EQ(ttl(now + 24h * 60), "2419200s");
}

TEST(FcmRenderer, TellsTheTimeThatIsLeftWhenThePushIsSent) {
    publish_event event = flood_event();
    event.expires_at = now + 3'600s;
    const auto made = with.render(event, now).value();
    const auto ttl = [&made](duration later) {
        const auto body = boost::json::parse(
            request_of(*made, false, "", now + std::chrono::duration_cast<std::chrono::milliseconds>(later)));
        return std::string(body.at("message").at("android").at("ttl").as_string());
    };
    EXPECT_EQ(ttl(0s), "3600s");
    EXPECT_EQ(ttl(1s), "3599s");
    EXPECT_EQ(ttl(2'600s), "1000s");
    EXPECT_EQ(ttl(2'601s), "999s");
    EXPECT_EQ(ttl(3'590s), "10s");
    EXPECT_EQ(ttl(3'598s + 1ms), "1s");
    EXPECT_EQ(ttl(3'600s), "0s");
    EXPECT_EQ(ttl(9'000s), "0s");
}

TEST(FcmRenderer, LeavesATtlOfTheEventsOwnAlone) {
    publish_event event = flood_event();
    event.overrides[platform::fcm] = overrides(R"({"android":{"ttl":"60s"}})");
    const auto made = with.render(event, now).value();
    const auto body = boost::json::parse(request_of(*made, false, "", now + std::chrono::seconds(30)));
    EXPECT_EQ(body.at("message").at("android").at("ttl"), boost::json::value("60s"));
}

TEST(FcmRenderer, ABadgeOfNothingIsNotCountedOnAndroid) {
    auto event = flood_event();
    event.notification->badge = 0;
    const auto body = body_of(event);
    EXPECT_FALSE(
        body.at("message").at("android").at("notification").as_object().contains("notification_count"));
    EXPECT_EQ(body.at("message").at("apns").at("payload").at("aps").at("badge"), boost::json::value(0));
}

TEST(FcmRenderer, LocalizedWordsReplaceTheirOwnAndNoOthers) {
    auto event = flood_event();
    event.localized["en"] = {.title = "Flood", .subtitle = "", .body = ""};
    const auto body = body_of(event, "en-GB");
    EXPECT_EQ(body.at("message").at("notification").at("title"), boost::json::value("Flood"));
    EXPECT_EQ(body.at("message").at("notification").at("body"), boost::json::value("Évitez les quais."));
    EXPECT_EQ(
        body.at("message").at("apns").at("payload").at("aps").at("alert"),
        boost::json::parse(R"({"title":"Flood","subtitle":"Dijon","body":"Évitez les quais."})"));
    EXPECT_EQ(
        body_of(event, "de").at("message").at("notification").at("title"),
        boost::json::value("Crue de l'Ouche"));
}

TEST(FcmRenderer, OverridesAreMergedLast) {
    auto event = flood_event();
    event.overrides[platform::fcm] =
        overrides(R"({"android":{"notification":{"channel_id":"alertes","sound":null},"ttl":"60s"},
                              "data":{"article":"5678","more":"x"},"fcm_options":{"analytics_label":"crue"}})");
    const auto body = body_of(event);
    const auto& message = body.at("message").as_object();
    const auto& shown = message.at("android").at("notification").as_object();
    EXPECT_EQ(shown.at("channel_id"), boost::json::value("alertes"));
    EXPECT_EQ(shown.at("tag"), boost::json::value("crue-ouche"));
    EXPECT_FALSE(shown.contains("sound"));
    EXPECT_EQ(message.at("android").at("ttl"), boost::json::value("60s"));
    EXPECT_EQ(message.at("data").at("article"), boost::json::value("5678"));
    EXPECT_EQ(message.at("data").at("more"), boost::json::value("x"));
    EXPECT_EQ(message.at("fcm_options").at("analytics_label"), boost::json::value("crue"));
}

TEST(FcmRenderer, ValidateOnlyIsForDryRuns) {
    auto event = flood_event();
    event.overrides[platform::fcm] = overrides(R"({"validate_only":true})");
    EXPECT_EQ(refused(event).code, "invalid_override");
    event.mode = delivery_mode::dry_run;
    const auto body = body_of(event);
    EXPECT_EQ(body.at("validate_only"), boost::json::value(true));
    EXPECT_FALSE(body.at("message").as_object().contains("validate_only"));
    event.overrides[platform::fcm] = overrides(R"({"validate_only":false})");
    EXPECT_FALSE(body_of(event).as_object().contains("validate_only"));
}

TEST(FcmRenderer, EverythingRemovedStillLeavesAMessage) {
    auto event = flood_event();
    event.overrides[platform::fcm] =
        overrides(R"({"notification":null,"data":null,"android":null,"apns":null})");
    EXPECT_EQ(body_of(event), boost::json::parse(R"({"message":{"token":"TOKEN"}})"));
}

TEST(FcmRenderer, TextsThatLookLikeJsonStayTexts) {
    auto event = flood_event();
    event.notification->title = "\"}},\"token\":\"other\\\n";
    EXPECT_EQ(
        std::string(body_of(event).at("message").at("notification").at("title").as_string()),
        event.notification->title);
}

class FcmReservedKeyTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FcmReservedKeyTest, IsRefused) {
    auto event = flood_event();
    event.data.emplace_back(GetParam(), "x");
    EXPECT_EQ(refused(event).code, "reserved_data_key");
    event = flood_event();
    event.overrides[platform::fcm] = overrides(R"({"data":{")" + GetParam() + R"(":"x"}})");
    EXPECT_EQ(refused(event).code, "invalid_override");
}

INSTANTIATE_TEST_SUITE_P(
    Keys, FcmReservedKeyTest,
    ::testing::Values("from", "message_type", "gcm", "gcm.notification.x", "google", "google.sent_time"));

class FcmBadOverrideTest : public ::testing::TestWithParam<bad_override_case> {};

TEST_P(FcmBadOverrideTest, IsRefusedByName) {
    auto event = flood_event();
    event.overrides[platform::fcm] = overrides(GetParam().given);
    const refusal why = refused(event);
    EXPECT_EQ(why.code, "invalid_override");
    EXPECT_NE(why.message.find(GetParam().says), std::string::npos) << why.message;
}

INSTANTIATE_TEST_SUITE_P(
    Overrides, FcmBadOverrideTest,
    ::testing::Values(
        bad_override_case{"token", R"({"token":"x"})", "fcm.token cannot be set"},
        bad_override_case{"topic", R"({"topic":"x"})", "fcm.topic cannot be set"},
        bad_override_case{"condition", R"({"condition":"x"})", "fcm.condition cannot be set"},
        bad_override_case{"typo", R"({"androd":{}})", "did you mean android"},
        bad_override_case{"validate_only", R"({"validate_only":"yes"})", "validate_only must be"},
        bad_override_case{"android", R"({"android":7})", "fcm.android must be an object"},
        bad_override_case{"data_no_text", R"({"data":{"n":7}})", "data.n must be a string"},
        bad_override_case{"priority", R"({"android":{"priority":"MAX"}})", "android.priority"},
        bad_override_case{"ttl", R"({"android":{"ttl":"1h"}})", "android.ttl"}),
    [](const auto& test) { return test.param.name; });

TEST(FcmRenderer, CountsTheMessageWithoutItsTarget) {
    auto event = flood_event();
    const auto small = with.render(event, now).value();
    // {"token":"TOKEN", and the rest: what is counted is the object without these.
    const std::size_t envelope = std::string(R"({"message":)"
                                             "}")
                                     .size();
    const std::size_t target = std::string(R"("token":"TOKEN",)").size();
    // And of the two platforms' parts only the larger one: a device gets one of them.
    const auto message = boost::json::parse(request_of(*small)).at("message").as_object();
    const auto part = [&message](std::string_view name) {
        return boost::json::serialize(message.at(name)).size() + name.size() +
               std::string_view(R"(,"":)").size();
    };
    EXPECT_EQ(
        small->largest_payload(),
        request_of(*small).size() - envelope - target - std::min(part("apns"), part("android")));

    event.notification->subtitle.clear();  // Which would repeat the body for iOS.
    const std::size_t rest =
        with.render(event, now).value()->largest_payload() - event.notification->body.size();
    event.notification->body = std::string(payload_limit - rest, 'x');
    EXPECT_EQ(with.render(event, now).value()->largest_payload(), payload_limit);
    event.notification->body += 'x';
    const refusal why = refused(event);
    EXPECT_EQ(why.code, "payload_too_large");
    EXPECT_NE(why.message.find("4097 bytes, the limit is 4096"), std::string::npos) << why.message;
}

}  // namespace
}  // namespace tocsin::fcm
