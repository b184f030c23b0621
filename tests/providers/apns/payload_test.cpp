#include "providers/apns/payload.hpp"

#include "tests/support/sample_event.hpp"

#include <boost/json/parse.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::apns {
namespace {

using testing::flood_event;
using testing::silent_event;

boost::json::object made_of(
    const publish_event& event, const localized_text* text = nullptr, std::string_view type = "alert") {
    return make_payload(event, text, type);
}

publish_event small_event() {
    publish_event event;
    event.id = "short";
    event.notification.emplace().title = "Marché";
    return event;
}

TEST(ApnsPayload, HoldsWhatTheEventSaysAndNothingElse) {
    EXPECT_EQ(
        boost::json::value(made_of(small_event())),
        boost::json::parse(R"({"aps":{"alert":{"title":"Marché"}}})"));
    EXPECT_EQ(boost::json::value(made_of(flood_event())), boost::json::parse(R"({
        "aps": {"alert": {"title": "Crue de l'Ouche", "subtitle": "Dijon", "body": "Évitez les quais."},
                "sound": "default", "badge": 1, "thread-id": "crue", "mutable-content": 1,
                "interruption-level": "time-sensitive"},
        "image": "https://example.fr/crue.jpg", "url": "https://example.fr/crue",
        "category": "alerte", "article": "1234"})"));
}

TEST(ApnsPayload, WakesTheAppInABackgroundPushAlone) {
    EXPECT_EQ(
        boost::json::value(made_of(silent_event(), nullptr, "background")),
        boost::json::parse(R"({"aps":{"content-available":1},"sync":"1"})"));
    for (const std::string_view type : {"voip", "location", "mdm", ""}) {
        EXPECT_EQ(
            boost::json::value(made_of(silent_event(), nullptr, type)),
            boost::json::parse(R"({"aps":{},"sync":"1"})"))
            << type;
    }
}

TEST(ApnsPayload, PriorityIsSaidWhereItIsNotTheDefault) {
    const std::vector<std::pair<priority, std::string>> rows{
        {priority::critical, "time-sensitive"},
        {priority::high, ""},
        {priority::normal, ""},
        {priority::low, "passive"}};
    for (const auto& [given, level] : rows) {
        publish_event event = small_event();
        event.priority = given;
        const auto aps = made_of(event).at("aps").as_object();
        const auto* const found = aps.if_contains("interruption-level");
        EXPECT_EQ(found == nullptr ? std::string() : std::string(found->as_string()), level);
    }
}

TEST(ApnsPayload, AnImageOrReceiptsStartTheExtensionOfTheApp) {
    publish_event event = small_event();
    EXPECT_FALSE(made_of(event).at("aps").as_object().contains("mutable-content"));
    event.receipts = true;
    EXPECT_EQ(made_of(event).at("aps").at("mutable-content"), boost::json::value(1));
    EXPECT_EQ(made_of(event).at("tocsin_event"), boost::json::value("short"));
    event.receipts = false;
    event.notification->image = "https://example.fr/x.jpg";
    EXPECT_EQ(made_of(event).at("aps").at("mutable-content"), boost::json::value(1));
    EXPECT_FALSE(made_of(event).contains("tocsin_event"));
}

TEST(ApnsPayload, ABadgeOfNoughtIsSentForItClearsTheOld) {
    publish_event event = small_event();
    event.notification->badge = 0;
    EXPECT_EQ(made_of(event).at("aps").at("badge"), boost::json::value(0));
}

TEST(ApnsPayload, WordsThatALanguageHasNotAreTheEventsOwn) {
    const localized_text english{.title = "Flood", .subtitle = "", .body = "Avoid the quays."};
    EXPECT_EQ(
        made_of(flood_event(), &english).at("aps").at("alert"),
        boost::json::parse(R"({"title":"Flood","subtitle":"Dijon","body":"Avoid the quays."})"));
}

TEST(ApnsPayload, AKeyOfTheDataWinsOverOursOfTheSameName) {
    publish_event event = flood_event();
    event.receipts = true;
    event.data = {{"url", "app://crue"}, {"category", "mine"}, {"image", "none"}};
    const auto payload = made_of(event);
    EXPECT_EQ(payload.at("url"), boost::json::value("app://crue"));
    EXPECT_EQ(payload.at("category"), boost::json::value("mine"));
    EXPECT_EQ(payload.at("image"), boost::json::value("none"));
}

}  // namespace
}  // namespace tocsin::apns
