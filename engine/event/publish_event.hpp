#pragma once

#include "engine/core/clock.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// A push service. The engine knows that there are two, and nothing of how they work.
enum class platform : std::uint8_t { apns, fcm };
constexpr std::size_t platform_count = 2;
[[nodiscard]] std::string_view to_string(platform value) noexcept;
[[nodiscard]] std::optional<platform> parse_platform(std::string_view name) noexcept;

/// Sets the lane, and the providers' own priority and interruption level.
enum class priority : std::uint8_t { critical, high, normal, low };
constexpr std::size_t priority_count = 4;
[[nodiscard]] std::string_view to_string(priority value) noexcept;
[[nodiscard]] std::optional<priority> parse_priority(std::string_view name) noexcept;

enum class selector_kind : std::uint8_t { commune, epci, department, zone, everyone, device };

/// One entry of an event's audience.
struct selector {
    selector_kind kind = selector_kind::everyone;
    std::string value;                   ///< The INSEE code, SIREN, zone ("21231:centre"), token; empty for everyone.
    platform device = platform::apns;    ///< Only for kind device.
};

/// What the resident reads. Empty strings are absent fields.
struct notification {
    std::string title;
    std::string subtitle;
    std::string body;
    std::string image;   ///< https URL.
    std::string url;     ///< Opened by a tap.
    std::string sound;
    std::optional<std::int64_t> badge;
    std::string thread;  ///< Groups notifications on the screen.
};

/// What replaces parts of a notification for devices of one locale.
struct localized_text {
    std::string title;
    std::string subtitle;
    std::string body;
};

enum class delivery_mode : std::uint8_t { actual, dry_run };

/// A publish event, validated: contract §4. Immutable once parsed.
struct publish_event {
    std::string id;
    std::vector<selector> audience;
    std::vector<std::string> apps;  ///< Empty: every configured app that serves the audience.
    std::string category;
    tocsin::priority priority = tocsin::priority::normal;
    std::optional<tocsin::notification> notification;  ///< Absent: a silent (background) push.
    std::vector<std::pair<std::string, std::string>> data;
    std::map<std::string, localized_text, std::less<>> localized;
    std::optional<wall_time> send_at;
    wall_time expires_at{};    ///< Nothing is handed to a provider from this instant on.
    std::string collapse_id;   ///< As the event names it; empty: derived from the id.
    delivery_mode mode = delivery_mode::actual;
    boost::json::object apns;  ///< Provider-native overrides, merged last.
    boost::json::object fcm;

    /// A push that shows nothing and only wakes the app.
    [[nodiscard]] bool is_background() const noexcept { return !notification.has_value(); }
    /// The collapse id of every push of this event: as named, or "tocsin-" and a hash of the id.
    [[nodiscard]] std::string effective_collapse_id() const;
};

}  // namespace tocsin
