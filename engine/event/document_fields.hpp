#pragma once

#include "engine/event/json_document.hpp"
#include "engine/platform/platform.hpp"

#include <algorithm>
#include <array>

// The fields of the documents that come in. The readers refuse what is not here, and a test holds
// the published schemas to it.

namespace tocsin {

inline constexpr auto common_event_fields = std::to_array<field_rule>({
    {"id", json_kind::string},
    {"audience", json_kind::array, true},
    {"apps", json_kind::array},
    {"category", json_kind::string},
    {"priority", json_kind::string},
    {"notification", json_kind::object},
    {"data", json_kind::object},
    {"localized", json_kind::object},
    {"send_at", json_kind::time},
    {"ttl", json_kind::integer},
    {"expires_at", json_kind::time},
    {"spread", json_kind::integer},
    {"quiet_hours", json_kind::string},
    {"remember_reached", json_kind::boolean},
    {"reached_by", json_kind::array},
    {"collapse_id", json_kind::string},
    {"mode", json_kind::string},
    {"receipts", json_kind::boolean},
});

/// These, and one for what is said to each platform.
inline constexpr auto event_fields = [] {
    std::array<field_rule, common_event_fields.size() + platform_count> out{};
    const auto end = std::ranges::copy(common_event_fields, out.begin()).out;
    std::ranges::transform(platform_table, end, [](const platform_row& row) {
        return field_rule{row.name, json_kind::object};
    });
    return out;
}();

inline constexpr auto notification_fields = std::to_array<field_rule>({
    {"title", json_kind::string},
    {"subtitle", json_kind::string},
    {"body", json_kind::string},
    {"image", json_kind::string},
    {"url", json_kind::string},
    {"sound", json_kind::string},
    {"badge", json_kind::integer},
    {"thread", json_kind::string},
});

inline constexpr auto localized_fields = std::to_array<field_rule>({
    {"title", json_kind::string},
    {"subtitle", json_kind::string},
    {"body", json_kind::string},
});

inline constexpr auto registration_fields = std::to_array<field_rule>({
    {"op", json_kind::string, true},
    {"app", json_kind::string, true},
    {"platform", json_kind::string, true},
    {"token", json_kind::string},
    {"fid", json_kind::string},
    {"subscription", json_kind::object},
    {"follow", json_kind::array},
    {"mute", json_kind::array},
    {"locale", json_kind::string},
    {"environment", json_kind::string},
    {"registered_at", json_kind::integer},
});

inline constexpr auto receipt_fields = std::to_array<field_rule>({
    {"event", json_kind::string, true},
    {"app", json_kind::string, true},
    {"kind", json_kind::string, true},
    {"batch", json_kind::string, true},
    {"counts", json_kind::object, true},
});

// What PushSubscription.toJSON() gives (W3C Push API, section 8.1).
inline constexpr auto subscription_fields = std::to_array<field_rule>({
    {"endpoint", json_kind::string, true},
    {"expirationTime", json_kind::number_or_null},
    {"keys", json_kind::object, true},
});

inline constexpr auto subscription_key_fields = std::to_array<field_rule>({
    {"p256dh", json_kind::string, true},
    {"auth", json_kind::string, true},
});

}  // namespace tocsin
