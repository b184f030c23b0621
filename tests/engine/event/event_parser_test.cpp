#include "engine/event/event_parser.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/event/sample_events.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::sample_entry;
using testing::sample_now;

parsed<publish_event> parse(std::string_view json) {
    return parse_event(known_platforms(), json, sample_entry, event_limits{}, sample_now);
}

std::string code_of(std::string_view json) {
    const auto event = parse(json);
    return event ? "accepted" : event.error().code;
}

std::string message_of(std::string_view json) {
    const auto event = parse(json);
    return event ? "accepted" : event.error().message;
}

std::string with(const std::string& member) {
    return R"({"audience":["everyone"],"notification":{"title":"a"},)" + member + "}";
}

TEST(EventParser, ReadsEveryFieldOfTheContract) {
    const auto event = parse(testing::contract_event());
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->id, "crue-ouche-2026-11-23");
    ASSERT_EQ(event->audience.size(), 7U);
    EXPECT_EQ(event->audience[0], (selector{.kind = selector_kind::commune, .value = "21231"}));
    EXPECT_EQ(event->audience[3], (selector{.kind = selector_kind::zone, .value = "21231:centre"}));
    EXPECT_EQ(event->audience[4].kind, selector_kind::everyone);
    EXPECT_EQ(event->audience[5].device, platform::apns);
    EXPECT_EQ(event->audience[6].value, "cXJ0b2tlbg:APA91bFabcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(event->apps, std::vector<std::string>{"mairies"});
    EXPECT_EQ(event->category, "alerte");
    EXPECT_EQ(event->priority, priority::critical);
    ASSERT_TRUE(event->notification);
    EXPECT_EQ(event->notification->title, "Crue de l'Ouche");
    EXPECT_EQ(event->notification->subtitle, "");
    EXPECT_EQ(event->notification->body, "Évitez les quais.");
    EXPECT_EQ(event->notification->image, "https://static.example/crue.png");
    EXPECT_EQ(event->notification->url, "https://example.fr/crue");
    EXPECT_EQ(event->notification->sound, "default");
    EXPECT_EQ(event->notification->badge, 1);
    EXPECT_EQ(event->notification->thread, "crue");
    EXPECT_EQ(event->data, (std::vector<std::pair<std::string, std::string>>{{"article", "1234"}}));
    EXPECT_EQ(event->localized.at("en").body, "Avoid the quays.");
    EXPECT_EQ(event->collapse_id, "crue-ouche");
    EXPECT_EQ(event->mode, delivery_mode::actual);
    EXPECT_EQ(event->overrides[platform::apns].at("aps").at("interruption-level"), "time-sensitive");
    EXPECT_EQ(event->overrides[platform::fcm].at("android").at("notification").at("channel_id"), "alertes");
}

TEST(EventParser, FillsInTheDefaults) {
    const auto event = parse(R"({"audience":["everyone"],"notification":{"body":"b"}})");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->id, sample_entry);
    EXPECT_TRUE(event->apps.empty());
    EXPECT_EQ(event->priority, priority::normal);
    EXPECT_EQ(event->mode, delivery_mode::actual);
    EXPECT_FALSE(event->send_at);
    EXPECT_FALSE(event->is_background());
    EXPECT_TRUE(event->effective_collapse_id().starts_with("tocsin-"));
}

TEST(EventParser, EverySampleIsAccepted) {
    for (const std::string& document : testing::sample_documents()) {
        EXPECT_EQ(message_of(document), "accepted") << document;
    }
}

TEST(EventParser, WithoutAnEntryTheDocumentMustNameItsId) {
    const auto event = parse_event(
        known_platforms(), R"({"audience":["everyone"],"notification":{"body":"b"}})", "", event_limits{},
        sample_now);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, "missing_field");
}

TEST(EventParser, IdMayHave128CharactersAndNoMore) {
    EXPECT_EQ(code_of(with("\"id\":\"" + std::string(128, 'x') + "\"")), "accepted");
    EXPECT_EQ(code_of(with("\"id\":\"" + std::string(129, 'x') + "\"")), "invalid_id");
}

TEST(EventParser, DataAloneIsASilentPush) {
    const auto event = parse(R"({"audience":["everyone"],"data":{"a":"b"}})");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_TRUE(event->is_background());
}

TEST(EventParser, EmptyNotificationBesideDataIsASilentPush) {
    const auto event = parse(
        R"({"audience":["everyone"],"data":{"a":"b"},"notification":{"title":"","body":"","sound":""}})");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_TRUE(event->is_background());
}

TEST(EventParser, SilentPushCannotCarryABadge) {
    EXPECT_EQ(
        message_of(R"({"audience":["everyone"],"data":{"a":"b"},"notification":{"badge":0}})"),
        "notification has a badge but neither title nor body; a silent push has none of them");
}

TEST(EventParser, ApnsTokensAreComparedInLowerCase) {
    const auto event =
        parse(R"({"audience":["device:apns:00FC13ADFF785122B4AD28809A342098"],"notification":{"body":"b"}})");
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->audience[0].value, "00fc13adff785122b4ad28809a342098");
}

TEST(EventParser, AudienceHasAThousandSelectorsAndNoMore) {
    std::string list = "\"commune:21231\"";
    for (int i = 1; i < 1000; ++i) {
        list += ",\"commune:21231\"";
    }
    EXPECT_EQ(code_of("{\"audience\":[" + list + "],\"data\":{\"a\":\"b\"}}"), "accepted");
    EXPECT_EQ(
        code_of("{\"audience\":[" + list + ",\"everyone\"],\"data\":{\"a\":\"b\"}}"), "too_many_selectors");
}

TEST(EventParser, AppsAreKeptOnceInTheirOrder) {
    const auto event = parse(with(R"("apps":["b","a","b"])"));
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->apps, (std::vector<std::string>{"b", "a"}));
}

TEST(EventParser, CategoryMayHaveAccents) {
    EXPECT_EQ(code_of(with(R"("category":"santé")")), "accepted");
    EXPECT_EQ(code_of(with(R"("category":"la santé")")), "invalid_category");
}

TEST(EventParser, LocalesAreSpeltInOneWay) {
    const auto event = parse(with(R"("localized":{"PT_br":{"title":"t"},"zh-hant-tw":{"body":"b"}})"));
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->localized.count("pt-BR"), 1U);
    EXPECT_EQ(event->localized.count("zh-Hant-TW"), 1U);
}

TEST(EventParser, CollapseIdIsLimitedInBytes) {
    EXPECT_EQ(code_of(with("\"collapse_id\":\"" + std::string(64, 'x') + "\"")), "accepted");
    EXPECT_EQ(
        code_of(with("\"collapse_id\":\"" + std::string(32, 'x') + std::string("éééééééééééééééé") + "\"")),
        "accepted");
    EXPECT_EQ(
        code_of(with("\"collapse_id\":\"" + std::string(33, 'x') + std::string("éééééééééééééééé") + "\"")),
        "invalid_collapse_id");
}

TEST(EventParser, UrlMayHaveAnAppsOwnScheme) {
    EXPECT_EQ(
        code_of(R"({"audience":["everyone"],"notification":{"title":"a","url":"mairies://x/1?a=b"}})"),
        "accepted");
    EXPECT_EQ(
        code_of(R"({"audience":["everyone"],"notification":{"title":"a","url":"tel:+33380000000"}})"),
        "accepted");
}

TEST(EventParser, LongTextsAreLeftToTheProvidersLimit) {
    EXPECT_EQ(
        code_of(R"({"audience":["everyone"],"notification":{"body":")" + std::string(5'000, 'x') + "\"}}"),
        "accepted");
}

TEST(EventParser, RefusalsNameThePlaceAndTheRemedy) {
    EXPECT_EQ(message_of(with(R"("sendat":"x")")), "unknown field \"sendat\"; did you mean \"send_at\"?");
    EXPECT_EQ(
        message_of(R"({"audience":["everyone"],"notification":{"tittle":"x"}})"),
        "unknown field \"tittle\" in notification; did you mean \"title\"?");
    EXPECT_EQ(
        message_of(R"({"audience":["everyone"],"notification":{"title":"x","badge":"1"}})"),
        "notification.badge must be an integer, not a string");
    EXPECT_EQ(
        message_of(with(R"("priority":"critcal")")),
        "priority must be critical, high, normal or low, not \"critcal\"; did you mean \"critical\"?");
    EXPECT_EQ(
        message_of(R"({"audience":["everyone","commune:2a004"],"data":{"a":"b"}})"),
        "audience[1]: write the INSEE code \"2a004\" in upper case, \"2A004\"");
    EXPECT_EQ(
        message_of(std::string(300'000, ' ')), "the document has 300000 bytes; at most 262144 are read");
}

TEST(EventParser, RefusalsNeverShowADeviceToken) {
    const std::string token = "cXJ0b2tlbg:APA91bFSecretSecretSecretSecretSecret";
    for (const std::string& selector :
         {"device:fcm:" + token + " ", "device:apns:" + token, "devise:fcm:" + token, "device:" + token,
          token, std::string("abcdefabcdefSecretSecretSecretabcdef")}) {
        const std::string message =
            message_of("{\"audience\":[\"" + selector + "\"],\"data\":{\"a\":\"b\"}}");
        EXPECT_NE(message, "accepted");
        EXPECT_EQ(message.find("SecretSecret"), std::string::npos) << message;
    }
}

TEST(EventParser, ADryRunThatFcmIsToValidateIsNotSkippedThere) {
    for (const auto& [own, asks] :
         {std::pair("true", true), std::pair("false", false), std::pair("\"true\"", false)}) {
        const auto event = parse(
            R"({"id":"e","audience":["everyone"],"data":{"a":"b"},"mode":"dry_run","fcm":{"validate_only":)" +
            std::string(own) + R"(},"apns":{"validate_only":true}})");
        ASSERT_TRUE(event) << event.error().message;
        EXPECT_TRUE(event->skips_provider(platform::apns));
        EXPECT_EQ(event->skips_provider(platform::fcm), !asks) << own;
    }
}

}  // namespace
}  // namespace tocsin
