#include "providers/apns/payload.hpp"

#include <string>

namespace tocsin::apns {
namespace {

namespace json = boost::json;

void put(json::object& target, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        target[key] = value;
    }
}

const std::string& chosen(const std::string& localized, const std::string& original) {
    return localized.empty() ? original : localized;
}

json::object make_aps(const publish_event& event, const localized_text* text, std::string_view push_type) {
    json::object aps;
    if (event.is_background()) {
        // Of that type alone: to APNs, any other that wakes the app silently is a background push.
        if (push_type == "background") {
            aps["content-available"] = 1;
        }
        return aps;
    }
    static const localized_text no_text;
    const localized_text& local = text != nullptr ? *text : no_text;
    const notification& shown = *event.notification;
    json::object alert;
    put(alert, "title", chosen(local.title, shown.title));
    put(alert, "subtitle", chosen(local.subtitle, shown.subtitle));
    put(alert, "body", chosen(local.body, shown.body));
    aps["alert"] = std::move(alert);
    put(aps, "sound", shown.sound);
    if (shown.badge) {
        aps["badge"] = *shown.badge;
    }
    put(aps, "thread-id", shown.thread);
    if (!shown.image.empty() || event.receipts) {
        // The app's notification service extension fetches the image and reports what it sees; this is what
        // starts it.
        aps["mutable-content"] = 1;
    }
    switch (event.priority) {
        // "critical" would break through the mute switch, which needs an entitlement from Apple:
        // who has it asks for it in the overrides.
        case priority::critical: aps["interruption-level"] = "time-sensitive"; break;
        case priority::low: aps["interruption-level"] = "passive"; break;
        case priority::high:
        case priority::normal: break;  // "active" is what an absent level means.
    }
    return aps;
}

}  // namespace

json::object make_payload(
    const publish_event& event, const localized_text* text, std::string_view push_type) {
    json::object payload;
    payload["aps"] = make_aps(event, text, push_type);
    if (event.notification) {
        put(payload, "image", event.notification->image);
        put(payload, "url", event.notification->url);
    }
    put(payload, "category", event.category);
    if (event.receipts) {
        payload[receipt_key] = event.id;
    }
    for (const auto& [key, value] : event.data) {
        payload[key] = value;
    }
    return payload;
}

}  // namespace tocsin::apns
