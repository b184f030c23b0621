#include "tests/engine/event/sample_events.hpp"

#include <array>
#include <cstddef>

namespace tocsin::testing {
namespace {

constexpr auto words = std::to_array<std::string_view>(
    {"crue", "Évitez les quais.", "l'Ouche \"monte\"", "\\o/", "été\n2026", "𝄞", "a", "Vigilance rouge\t!"});

template <class Container>
auto pick(const Container& from, std::mt19937& random) {
    return from[std::uniform_int_distribution<std::size_t>(0, from.size() - 1)(random)];
}

bool maybe(std::mt19937& random) {
    return (random() & 1U) != 0;
}

std::string maybe_word(std::mt19937& random) {
    return maybe(random) ? std::string(pick(words, random)) : std::string();
}

}  // namespace

std::string contract_event() {
    return R"({
  "id": "crue-ouche-2026-11-23",
  "audience": ["commune:21231", "epci:242100410", "department:21", "zone:21231:centre", "everyone",
               "device:apns:00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
               "device:fcm:cXJ0b2tlbg:APA91bFabcdefghijklmnopqrstuvwxyz"],
  "apps": ["mairies"],
  "category": "alerte",
  "priority": "critical",
  "notification": {"title": "Crue de l'Ouche", "subtitle": "", "body": "Évitez les quais.",
                   "image": "https://static.example/crue.png", "url": "https://example.fr/crue",
                   "sound": "default", "badge": 1, "thread": "crue"},
  "data": {"article": "1234"},
  "localized": {"en": {"title": "Flood", "body": "Avoid the quays."}},
  "send_at": "2026-11-23T06:00:00Z",
  "ttl": 3600,
  "collapse_id": "crue-ouche",
  "mode": "actual",
  "apns": {"headers": {"apns-push-type": "alert"}, "aps": {"interruption-level": "time-sensitive"}},
  "fcm":  {"android": {"notification": {"channel_id": "alertes"}}}
})";
}

std::vector<std::string> sample_documents() {
    return {
        contract_event(),
        R"({"audience":["everyone"],"notification":{"title":"a"}})",
        R"({"audience":["everyone"],"notification":{"body":"a"},"expires_at":1795500000})",
        R"({"audience":["everyone"],"notification":{"body":"a"},"receipts":true})",
        R"({"audience":["everyone"],"data":{"tocsin_event":"a"},"receipts":false})",
        R"({"audience":["commune:2A004"],"data":{"refresh":"1"},"priority":"low"})",
        R"({"audience":["zone:97411:Saint-Gilles"],"notification":{},"data":{"a":""},"mode":"dry_run"})",
        R"({"audience":["department:974","department:2B"],"notification":{"title":"a"},"category":"santé"})",
        R"({"id":"a:b.c_d-1","audience":["epci:200069193"],"notification":{"body":"b"},"apps":["x","y","x"]})",
        R"({"audience":["everyone"],"notification":{"title":"t","url":"mairies://article/12"},"send_at":1795413600})",
        R"({"audience":["everyone"],"notification":{"title":"t"},"localized":{"pt_br":{"body":"b"},"zh-hans":{"title":"x"}}})",
        R"({"audience":["everyone"],"notification":{"title":"t"},"localized":{},"apns":{},"fcm":{},"ttl":2419200})",
    };
}

std::vector<std::string> sample_registrations() {
    return {
        R"({"op": "register", "app": "mairies", "platform": "apns",
            "token": "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
            "follow": ["commune:21231", "commune:21054", "zone:21231:centre"], "mute": ["agenda"], "locale": "fr",
            "environment": "production", "registered_at": 1763870000})",
        R"({"op": "unregister", "app": "mairies", "platform": "fcm", "token": "cXJ0b2tlbg:APA91bFabcdefghij"})",
        R"({"op":"register","app":"dijon","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-","follow":["commune:21231"]})",
        R"({"op":"register","app":"dijon","platform":"apns","token":"00FC13ADFF785122B4AD28809A342098",
            "follow":["zone:2A004:port"],"environment":"sandbox","mute":[]})",
        R"({"op":"unregister","app":"dijon","platform":"fcm","fid":"cXJ0b2tlbg0123456789_-","follow":[]})",
        R"({"op":"register","app":"mairies","platform":"webpush","subscription":{
            "endpoint":"https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB","expirationTime":null,"keys":{
            "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth":"BTBZMqHH6r4Tts7J_aSIgg"}},"follow":["commune:21231"]})",
        R"({"op":"unregister","app":"mairies","platform":"webpush","token":"https://fcm.googleapis.com/fcm/send/x"})",
    };
}

publish_event random_event(std::mt19937& random) {
    constexpr auto audiences = std::to_array<std::string_view>({"21231", "2A004", "97411", "75056"});
    publish_event event;
    event.id = "e-" + std::to_string(random());
    for (std::size_t i = 0, count = 1 + random() % 4; i < count; ++i) {
        event.audience.push_back(
            {.kind = selector_kind::commune, .value = std::string(pick(audiences, random))});
    }
    if (maybe(random)) {
        event.audience.push_back({.kind = selector_kind::everyone, .value = {}});
        event.audience.push_back({.kind = selector_kind::epci, .value = "242100410"});
        event.audience.push_back({.kind = selector_kind::department, .value = "971"});
        event.audience.push_back({.kind = selector_kind::zone, .value = "21231:centre"});
    }
    if (maybe(random)) {
        event.audience.push_back(
            {.kind = selector_kind::device, .value = std::string(32, 'a'), .device = platform::apns});
        event.audience.push_back(
            {.kind = selector_kind::device,
             .value = "cXJ0b2tlbg:APA91bFabcdefghij",
             .device = platform::fcm});
    }
    if (maybe(random)) {
        event.apps = {"mairies", "dijon"};
    }
    event.category = maybe(random) ? "agenda" : "";
    event.ignores_quiet_hours = maybe(random);
    event.remembers_reached = maybe(random);
    if (maybe(random)) {
        event.reached_by = {"crue-1", "crue:2"};
    }
    event.priority = static_cast<priority>(random() % priority_count);
    event.data.emplace_back("article", pick(words, random));
    if (maybe(random)) {
        event.data.emplace_back("clé \"é\"", maybe_word(random));
    }
    if (maybe(random)) {
        notification shown{
            .title = std::string(pick(words, random)),
            .subtitle = maybe_word(random),
            .body = maybe_word(random)};
        if (maybe(random)) {
            shown.image = "https://a.example/b.png?c=d";
            shown.url = "mairies://article/12";
            shown.badge = static_cast<std::int64_t>(random() % 100);
        }
        shown.sound = maybe(random) ? "default" : "";
        shown.thread = maybe_word(random);
        event.notification = shown;
        if (maybe(random)) {
            event.localized["en"] = {
                .title = "Flood", .subtitle = maybe_word(random), .body = maybe_word(random)};
            event.localized["pt-BR"] = {
                .title = {}, .subtitle = {}, .body = std::string(pick(words, random))};
        }
    }
    if (maybe(random)) {
        event.send_at = sample_now + std::chrono::milliseconds(random() % 1'000'000'000);
    }
    event.expires_at =
        event.send_at.value_or(sample_now) + std::chrono::milliseconds(1 + random() % 2'000'000'000);
    event.collapse_id = maybe(random) ? "collapse é" : "";
    event.mode = maybe(random) ? delivery_mode::actual : delivery_mode::dry_run;
    if (maybe(random)) {
        event.overrides[platform::apns] = {
            {"headers", {{"apns-push-type", "alert"}}}, {"n", nullptr}, {"f", 0.25}};
        event.overrides[platform::fcm] = {
            {"android", {{"notification", {{"channel_id", "alertes"}}}}}, {"list", {1, "two", true}}};
    }
    return event;
}

}  // namespace tocsin::testing
