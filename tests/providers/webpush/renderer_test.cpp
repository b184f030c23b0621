#include "providers/webpush/renderer.hpp"

#include "engine/core/rfc3339.hpp"
#include "providers/webpush/encryption.hpp"
#include "providers/webpush/payload.hpp"
#include "tests/support/override_cases.hpp"
#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>

#include <string>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;
using testing::flood_event;
using testing::silent_event;

const renderer subject("dijon", "https://www.example.fr/");

boost::json::value payload_of(const publish_event& event, std::string_view locale = {}) {
    const auto made = subject.render(event).value();
    return boost::json::parse(made->text(made->variant_for(locale)));
}

boost::json::object overrides(std::string_view text) {
    return boost::json::parse(text).get_object();
}

TEST(WebPushRendererTest, SaysTheEventAsDeclarativeWebPush) {
    EXPECT_EQ(payload_of(flood_event()), boost::json::parse(R"({
        "web_push": 8030,
        "notification": {
            "title": "Crue de l'Ouche", "body": "Dijon\nÉvitez les quais.", "navigate": "https://example.fr/crue",
            "tag": "crue-ouche", "silent": false, "icon": "https://example.fr/crue.jpg",
            "image": "https://example.fr/crue.jpg", "requireInteraction": true, "data": {"article": "1234"}},
        "app_badge": 1})"));
}

TEST(WebPushRendererTest, NumbersOfAnOverrideArriveAsWrittenOrAreRefused) {
    testing::expect_exact_numbers(
        platform::webpush, R"({"webpush":{"own":{"x":)", "}}}",
        [](const publish_event& event) { return std::string(subject.render(event).value()->text(0)); });
}

TEST(WebPushRendererTest, OpensTheAppsPageWhereTheEventNamesNone) {
    publish_event event = flood_event();
    event.notification->url.clear();
    EXPECT_EQ(payload_of(event).at("notification").at("navigate"), "https://www.example.fr/");
}

TEST(WebPushRendererTest, EachBrowserGetsTheWordsOfItsLanguage) {
    publish_event event = flood_event();
    event.localized["en"] = {.title = "Flood", .subtitle = "", .body = "Avoid the quays."};
    const auto english = payload_of(event, "en-GB").at("notification");
    EXPECT_EQ(english.at("title"), "Flood");
    EXPECT_EQ(english.at("body"), "Dijon\nAvoid the quays.");
    EXPECT_EQ(english.at("lang"), "en");
    EXPECT_FALSE(payload_of(event, "de").at("notification").as_object().contains("lang"));
}

TEST(WebPushRendererTest, ABodyWithoutATitleTakesItsPlace) {
    publish_event event = flood_event();
    event.notification->title.clear();
    event.notification->subtitle.clear();
    const auto shown = payload_of(event).at("notification").as_object();
    EXPECT_EQ(shown.at("title"), "Évitez les quais.");
    EXPECT_FALSE(shown.contains("body"));
}

TEST(WebPushRendererTest, ABackgroundEventHasDataAlone) {
    EXPECT_EQ(
        payload_of(silent_event()),
        boost::json::parse(R"({"web_push":8030,"notification":{"silent":true,"data":{"sync":"1"}}})"));
}

TEST(WebPushRendererTest, AnEventWithReceiptsTellsTheServiceWorkerItsId) {
    publish_event event = flood_event();
    event.receipts = true;
    const auto made = payload_of(event);
    EXPECT_EQ(made.at("notification").at("data").at("tocsin_event"), "crue-ouche-2026-11-23");
    EXPECT_EQ(made.at("notification").at("data").at("article"), "1234");
    EXPECT_EQ(made.at("mutable"), true);
}

TEST(WebPushRendererTest, TheOverrideIsMergedLast) {
    publish_event event = flood_event();
    event.overrides[platform::webpush] =
        overrides(R"({"mutable":true,"notification":{"icon":null,"renotify":true,"title":"Alerte"}})");
    const auto made = payload_of(event);
    EXPECT_EQ(made.at("mutable"), true);
    EXPECT_EQ(made.at("notification").at("title"), "Alerte");
    EXPECT_EQ(made.at("notification").at("renotify"), true);
    EXPECT_FALSE(made.at("notification").as_object().contains("icon"));
}

TEST(WebPushRendererTest, AnOverrideThatNoBrowserWouldShowIsRefused) {
    for (const char* const bad :
         {R"({"notification":"words"})", R"({"notification":null})", R"({"notification":{"title":null}})",
          R"({"notification":{"title":""}})", R"({"notification":{"navigate":7}})",
          R"({"notification":{"actions":[null]}})"}) {
        publish_event event = flood_event();
        event.overrides[platform::webpush] = overrides(bad);
        const auto made = subject.render(event);
        ASSERT_TRUE(made.has_error()) << bad;
        EXPECT_EQ(made.error().code, "invalid_override") << bad;
    }
}

TEST(WebPushRendererTest, APayloadOverTheLimitIsRefusedWithItsSize) {
    publish_event event = flood_event();
    event.notification->body.clear();
    event.notification->body =
        std::string(largest_plaintext - subject.render(event).value()->largest_payload() - 2, 'x');
    // "Dijon" and the line end are there already.
    auto made = subject.render(event);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    event.notification->body += std::string(largest_plaintext - (*made)->largest_payload(), 'x');
    made = subject.render(event);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ((*made)->largest_payload(), 3993U);
    event.notification->body += 'x';
    made = subject.render(event);
    ASSERT_TRUE(made.has_error());
    EXPECT_EQ(made.error().code, "payload_too_large");
    EXPECT_NE(made.error().message.find("3994 bytes, the limit is 3993"), std::string::npos)
        << made.error().message;
}

TEST(WebPushRendererTest, TheTopicIsTheCollapseIdWhereItCanBe) {
    publish_event event = flood_event();
    EXPECT_EQ(topic_of(event), "crue-ouche");
    event.collapse_id = "crue de l'Ouche";
    const std::string hashed = topic_of(event);
    EXPECT_EQ(hashed.size(), 32U);
    EXPECT_EQ(hashed.find_first_not_of("0123456789abcdef"), std::string::npos);
    event.collapse_id = std::string(33, 'a');
    EXPECT_EQ(topic_of(event).size(), 32U);
    event.collapse_id.clear();
    EXPECT_EQ(topic_of(event), event.effective_collapse_id());
}

TEST(WebPushRendererTest, UrgencyAndTtlFollowTheEvent) {
    publish_event event = flood_event();
    const wall_time end = event.expires_at;
    const auto made = subject.render(event).value();
    EXPECT_EQ(made->urgency(), "high");
    EXPECT_EQ(made->ttl(end - 90s), 90s);
    EXPECT_EQ(made->ttl(end + 1s), 0s);
    event.priority = priority::normal;
    EXPECT_EQ(subject.render(event).value()->urgency(), "normal");
    event.priority = priority::low;
    EXPECT_EQ(subject.render(event).value()->urgency(), "low");
}

}  // namespace
}  // namespace tocsin::webpush
