#include "providers/fcm/message_json.hpp"

#include "providers/fcm/ttl_text.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

void put(json::object& target, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        target[key] = value;
    }
}

const std::string& chosen(const std::string& localized, const std::string& original) {
    return localized.empty() ? original : localized;
}

/// What a device shows: the event's words in the device's language.
localized_text words(const publish_event& event, const localized_text* text) {
    static const localized_text no_text;
    const localized_text& local = text != nullptr ? *text : no_text;
    return {
        chosen(local.title, event.notification->title), chosen(local.subtitle, event.notification->subtitle),
        chosen(local.body, event.notification->body)};
}

json::object make_data(const publish_event& event, const localized_text& shown) {
    json::object data;
    if (event.notification) {
        put(data, "subtitle", shown.subtitle);
        put(data, "thread", event.notification->thread);
        put(data, "url", event.notification->url);
    }
    put(data, "category", event.category);
    if (event.receipts) {
        data[receipt_key] = event.id;
    }
    for (const auto& [key, value] : event.data) {
        data[key] = value;
    }
    return data;
}

json::object make_android(const publish_event& event, wall_time now) {
    json::object android;
    const bool urgent = event.priority == priority::critical || event.priority == priority::high;
    android["priority"] = urgent ? "HIGH" : "NORMAL";
    const auto left = std::chrono::floor<seconds>(event.expires_at - now);
    android["ttl"] = std::to_string(std::clamp(left, seconds(0), longest_ttl).count()) + "s";
    put(android, "collapse_key", event.collapse_id);
    if (!event.notification) {
        return android;
    }
    json::object shown;
    shown["tag"] = event.effective_collapse_id();
    put(shown, "sound", event.notification->sound);
    if (event.notification->badge && *event.notification->badge > 0) {
        shown["notification_count"] = *event.notification->badge;
    }
    // What Android before version 8 goes by; later ones ask the channel.
    switch (event.priority) {
        case priority::critical: shown["notification_priority"] = "PRIORITY_MAX"; break;
        case priority::high: shown["notification_priority"] = "PRIORITY_HIGH"; break;
        case priority::normal: break;
        case priority::low: shown["notification_priority"] = "PRIORITY_LOW"; break;
    }
    android["notification"] = std::move(shown);
    return android;
}

json::object make_aps(const publish_event& event, const localized_text& shown) {
    json::object aps;
    if (!event.notification) {
        aps["content-available"] = 1;
        return aps;
    }
    if (!shown.subtitle.empty()) {
        // FCM fills the alert from `notification`, which has no subtitle; an alert of our own
        // replaces it, so it must be whole.
        json::object alert;
        put(alert, "title", shown.title);
        put(alert, "subtitle", shown.subtitle);
        put(alert, "body", shown.body);
        aps["alert"] = std::move(alert);
    }
    put(aps, "sound", event.notification->sound);
    if (event.notification->badge) {
        aps["badge"] = *event.notification->badge;
    }
    put(aps, "thread-id", event.notification->thread);
    if (!event.notification->image.empty() || event.receipts) {
        aps["mutable-content"] = 1;
    }
    if (event.priority == priority::critical) {
        aps["interruption-level"] = "time-sensitive";
    } else if (event.priority == priority::low) {
        aps["interruption-level"] = "passive";
    }
    return aps;
}

json::object make_apns(const publish_event& event, const localized_text& shown) {
    json::object headers;
    headers["apns-collapse-id"] = event.effective_collapse_id();
    headers["apns-expiration"] =
        std::to_string(std::chrono::floor<seconds>(event.expires_at).time_since_epoch().count());
    headers["apns-push-type"] = event.is_background() ? "background" : "alert";
    headers["apns-priority"] = event.is_background() || event.priority == priority::low ? "5" : "10";
    json::object apns;
    apns["headers"] = std::move(headers);
    json::object aps = make_aps(event, shown);
    if (!aps.empty()) {
        apns["payload"] = json::object({{"aps", std::move(aps)}});
    }
    if (event.notification && !event.notification->image.empty()) {
        apns["fcm_options"] = json::object({{"image", event.notification->image}});
    }
    return apns;
}

}  // namespace

json::object make_message(const publish_event& event, const localized_text* text, wall_time now) {
    json::object out;
    localized_text shown;
    if (event.notification) {
        shown = words(event, text);
        json::object notification;
        put(notification, "title", shown.title);
        put(notification, "body", shown.body);
        put(notification, "image", event.notification->image);
        out["notification"] = std::move(notification);
    }
    if (json::object data = make_data(event, shown); !data.empty()) {
        out["data"] = std::move(data);
    }
    out["android"] = make_android(event, now);
    out["apns"] = make_apns(event, shown);
    return out;
}

}  // namespace tocsin::fcm
