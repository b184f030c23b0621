#include "providers/fcm/message_members.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;

using enum holds;

constexpr auto members = std::to_array<member>({
    {"Message", "data", own_data},
    {"Message", "notification", form, "Notification"},
    {"Message", "android", form, "AndroidConfig"},
    {"Message", "webpush", form, "WebpushConfig"},
    {"Message", "apns", form, "ApnsConfig"},
    {"Message", "fcm_options", form, "FcmOptions"},
    {"Notification", "title", text},
    {"Notification", "body", text},
    {"Notification", "image", text},
    {"FcmOptions", "analytics_label", label},
    {"AndroidConfig", "collapse_key", text},
    {"AndroidConfig", "priority", word, "NORMAL HIGH normal high"},
    {"AndroidConfig", "ttl", duration},
    {"AndroidConfig", "restricted_package_name", text},
    {"AndroidConfig", "data", own_data},
    {"AndroidConfig", "notification", form, "AndroidNotification"},
    {"AndroidConfig", "fcm_options", form, "FcmOptions"},
    {"AndroidConfig", "direct_boot_ok", flag},
    {"AndroidConfig", "bandwidth_constrained_ok", flag},
    {"AndroidConfig", "restricted_satellite_ok", flag},
    {"AndroidNotification", "title", text},
    {"AndroidNotification", "body", text},
    {"AndroidNotification", "icon", text},
    {"AndroidNotification", "color", color},
    {"AndroidNotification", "sound", text},
    {"AndroidNotification", "tag", text},
    {"AndroidNotification", "click_action", text},
    {"AndroidNotification", "body_loc_key", text},
    {"AndroidNotification", "body_loc_args", texts},
    {"AndroidNotification", "title_loc_key", text},
    {"AndroidNotification", "title_loc_args", texts},
    {"AndroidNotification", "channel_id", text},
    {"AndroidNotification", "ticker", text},
    {"AndroidNotification", "sticky", flag},
    {"AndroidNotification", "event_time", timestamp},
    {"AndroidNotification", "local_only", flag},
    {"AndroidNotification", "notification_priority", word,
     "PRIORITY_UNSPECIFIED PRIORITY_MIN PRIORITY_LOW PRIORITY_DEFAULT PRIORITY_HIGH PRIORITY_MAX"},
    {"AndroidNotification", "default_sound", flag},
    {"AndroidNotification", "default_vibrate_timings", flag},
    {"AndroidNotification", "default_light_settings", flag},
    {"AndroidNotification", "vibrate_timings", durations},
    {"AndroidNotification", "visibility", word, "VISIBILITY_UNSPECIFIED PRIVATE PUBLIC SECRET"},
    {"AndroidNotification", "notification_count", count},
    {"AndroidNotification", "light_settings", form, "LightSettings"},
    {"AndroidNotification", "image", text},
    {"AndroidNotification", "bypass_proxy_notification", flag},
    {"AndroidNotification", "proxy", word, "PROXY_UNSPECIFIED ALLOW DENY IF_PRIORITY_LOWERED"},
    {"LightSettings", "color", form, "Color"},
    {"LightSettings", "light_on_duration", duration},
    {"LightSettings", "light_off_duration", duration},
    {"Color", "red", share},
    {"Color", "green", share},
    {"Color", "blue", share},
    {"Color", "alpha", share},
    {"WebpushConfig", "headers", push_headers},
    {"WebpushConfig", "data", own_data},
    {"WebpushConfig", "notification", anything},
    {"WebpushConfig", "fcm_options", form, "WebpushFcmOptions"},
    {"WebpushFcmOptions", "link", link},
    {"WebpushFcmOptions", "analytics_label", label},
    {"ApnsConfig", "headers", text_map},
    {"ApnsConfig", "payload", anything},
    {"ApnsConfig", "fcm_options", form, "ApnsFcmOptions"},
    {"ApnsConfig", "live_activity_token", text},
    {"ApnsFcmOptions", "analytics_label", label},
    {"ApnsFcmOptions", "image", text},
});

std::string lower_camel_case(std::string_view name) {
    std::string out;
    bool high = false;
    for (const char c : name) {
        if (c == '_') {
            high = true;
            continue;
        }
        out += high ? static_cast<char>(c - 'a' + 'A') : c;
        high = false;
    }
    return out;
}

parsed<json::object> respell(const json::object& given, std::string_view form_name, const std::string& path) {
    json::object out(given.storage());
    for (const auto& entry : given) {
        const std::string_view key = entry.key();
        const member* const rule = find_member(form_name, key);
        const std::string_view name = rule == nullptr ? key : rule->name;
        if (out.contains(name)) {
            return refusal{
                "invalid_override", path + std::string(name) +
                                        " stands twice, as FCM takes it in both spellings: leave one of " +
                                        std::string(name) + " and its lowerCamelCase out"};
        }
        const auto* const inner = entry.value().if_object();
        if (inner == nullptr || rule == nullptr || rule->what != form) {
            out.emplace(name, entry.value());
            continue;
        }
        auto below = respell(*inner, rule->detail, path + std::string(name) + '.');
        if (below.has_error()) {
            return below.error();
        }
        out.emplace(name, std::move(*below));
    }
    return out;
}

}  // namespace

std::span<const member> message_members() noexcept {
    return members;
}

const member* find_member(std::string_view form_name, std::string_view name) noexcept {
    const auto* const found = std::ranges::find_if(members, [&](const member& one) {
        return one.of == form_name && (one.name == name || lower_camel_case(one.name) == name);
    });
    return found == members.end() ? nullptr : found;
}

parsed<json::object> spelled_as_sent(const json::object& overrides) {
    return respell(overrides, "Message", "fcm.");
}

}  // namespace tocsin::fcm
