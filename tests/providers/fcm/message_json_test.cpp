#include "providers/fcm/message_json.hpp"

#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;
using testing::flood_event;
using testing::silent_event;

const wall_time now = *parse_rfc3339("2026-11-23T06:00:00Z");

boost::json::object made_of(const publish_event& event, const localized_text* text = nullptr) {
    return make_message(event, text, now);
}

publish_event small_event() {
    publish_event event;
    event.id = "short";
    event.expires_at = now + 1h;
    event.notification.emplace().title = "Marché";
    return event;
}

TEST(FcmMessageJson, PriorityIsSaidToAndroidToItsDrawerAndToIos) {
    struct row {
        priority given;
        std::string android;
        std::string drawer;
        std::string ios;
        std::string level;
    };
    for (const row& one : std::vector<row>{
             {priority::critical, "HIGH", "PRIORITY_MAX", "10", "time-sensitive"},
             {priority::high, "HIGH", "PRIORITY_HIGH", "10", ""},
             {priority::normal, "NORMAL", "", "10", ""},
             {priority::low, "NORMAL", "PRIORITY_LOW", "5", "passive"}}) {
        publish_event event = flood_event();
        event.priority = one.given;
        const auto message = made_of(event);
        const auto& android = message.at("android").as_object();
        const auto text = [](const boost::json::value& holder, std::string_view key) {
            const auto* const found = holder.as_object().if_contains(key);
            return found == nullptr ? std::string() : std::string(found->as_string());
        };
        EXPECT_EQ(text(android, "priority"), one.android);
        EXPECT_EQ(text(android.at("notification"), "notification_priority"), one.drawer);
        EXPECT_EQ(text(message.at("apns").at("headers"), "apns-priority"), one.ios);
        EXPECT_EQ(text(message.at("apns").at("payload").at("aps"), "interruption-level"), one.level);
    }
}

TEST(FcmMessageJson, TheTtlIsWhatIsLeftInWholeSecondsUpToFourWeeks) {
    const std::vector<std::pair<std::chrono::milliseconds, std::string>> rows{
        {-1ms, "0s"},        {0ms, "0s"},        {999ms, "0s"},           {1s, "1s"},
        {1h - 1ms, "3599s"}, {672h, "2419200s"}, {672h - 1s, "2419199s"}, {673h, "2419200s"}};
    for (const auto& [left, ttl] : rows) {
        publish_event event = small_event();
        event.expires_at = now + left;
        EXPECT_EQ(made_of(event).at("android").at("ttl"), boost::json::value(ttl)) << left.count();
    }
}

TEST(FcmMessageJson, OnlyACollapseIdOfTheEventsOwnIsACollapseKey) {
    publish_event event = small_event();
    auto message = made_of(event);
    EXPECT_FALSE(message.at("android").as_object().contains("collapse_key"));
    EXPECT_EQ(
        message.at("android").at("notification").at("tag"),
        boost::json::value(event.effective_collapse_id()));
    EXPECT_EQ(
        message.at("apns").at("headers").at("apns-collapse-id"),
        boost::json::value(event.effective_collapse_id()));
    event.collapse_id = "marche";
    message = made_of(event);
    EXPECT_EQ(message.at("android").at("collapse_key"), boost::json::value("marche"));
    EXPECT_EQ(message.at("android").at("notification").at("tag"), boost::json::value("marche"));
}

TEST(FcmMessageJson, ASubtitleNeedsAWholeAlertOfItsOwnOnIos) {
    publish_event event = small_event();
    EXPECT_FALSE(made_of(event).at("apns").as_object().contains("payload"));
    event.notification->subtitle = "Dijon";
    event.notification->body = "Place de la République";
    EXPECT_EQ(
        made_of(event).at("apns").at("payload").at("aps").at("alert"),
        boost::json::parse(R"({"title":"Marché","subtitle":"Dijon","body":"Place de la République"})"));
    EXPECT_EQ(made_of(event).at("data").at("subtitle"), boost::json::value("Dijon"));
    localized_text text;
    text.subtitle = "Town";
    EXPECT_EQ(made_of(event, &text).at("data").at("subtitle"), boost::json::value("Town"));
    EXPECT_EQ(made_of(event, &text).at("notification").at("title"), boost::json::value("Marché"));
}

TEST(FcmMessageJson, ABadgeOfNoughtClearsItOnIosAndIsNoCountOnAndroid) {
    publish_event event = small_event();
    for (const int badge : {0, 1}) {
        event.notification->badge = badge;
        const auto message = made_of(event);
        EXPECT_EQ(message.at("apns").at("payload").at("aps").at("badge"), boost::json::value(badge));
        EXPECT_EQ(
            message.at("android").at("notification").as_object().contains("notification_count"), badge == 1);
    }
}

TEST(FcmMessageJson, AnImageOrReceiptsStartTheExtensionOfTheApp) {
    publish_event with_image = small_event();
    with_image.notification->image = "https://example.fr/x.jpg";
    publish_event with_receipts = small_event();
    with_receipts.receipts = true;
    for (const publish_event& event : {with_image, with_receipts}) {
        EXPECT_EQ(
            made_of(event).at("apns").at("payload").at("aps").at("mutable-content"), boost::json::value(1));
    }
    EXPECT_TRUE(made_of(with_image).at("apns").as_object().contains("fcm_options"));
    EXPECT_FALSE(made_of(with_receipts).at("apns").as_object().contains("fcm_options"));
    EXPECT_EQ(made_of(with_receipts).at("data"), boost::json::parse(R"({"tocsin_event":"short"})"));
}

TEST(FcmMessageJson, AKeyOfTheDataWinsOverOursOfTheSameName) {
    publish_event event = flood_event();
    event.data = {{"url", "app://crue"}, {"category", "mine"}};
    const auto data = made_of(event).at("data");
    EXPECT_EQ(data.at("url"), boost::json::value("app://crue"));
    EXPECT_EQ(data.at("category"), boost::json::value("mine"));
    EXPECT_EQ(data.at("thread"), boost::json::value("crue"));
}

TEST(FcmMessageJson, ASilentEventWakesTheAppAndShowsNothing) {
    const auto message = made_of(silent_event());
    EXPECT_FALSE(message.contains("notification"));
    EXPECT_FALSE(message.at("android").as_object().contains("notification"));
    EXPECT_EQ(message.at("apns").at("payload"), boost::json::parse(R"({"aps":{"content-available":1}})"));
    EXPECT_EQ(message.at("apns").at("headers").at("apns-push-type"), boost::json::value("background"));
    EXPECT_EQ(message.at("apns").at("headers").at("apns-priority"), boost::json::value("5"));
}

}  // namespace
}  // namespace tocsin::fcm
