#pragma once

#include "engine/core/clock.hpp"
#include "engine/platform/platform.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// Sets the lane, and the providers' own priority and interruption level.
enum class priority : std::uint8_t { critical, high, normal, low };
constexpr std::size_t priority_count = 4;
[[nodiscard]] std::string_view to_string(priority value) noexcept;
[[nodiscard]] std::optional<priority> parse_priority(std::string_view name) noexcept;

enum class selector_kind : std::uint8_t { commune, epci, department, zone, everyone, device };
constexpr std::size_t selector_kind_count = 6;
[[nodiscard]] std::string_view to_string(selector_kind value) noexcept;
[[nodiscard]] std::optional<selector_kind> parse_selector_kind(std::string_view name) noexcept;

/// One entry of an event's audience.
struct selector {
    selector_kind kind = selector_kind::everyone;
    /// The INSEE code, department, SIREN, zone ("21231:centre"); empty for everyone. A token is as it
    /// is written (platform_traits::written_token), of a subscription the endpoint.
    std::string value{};
    platform device{};  ///< Only for kind device.

    friend bool operator==(const selector&, const selector&) = default;
};

/// What the resident reads. Empty strings are absent fields.
struct notification {
    std::string title{};
    std::string subtitle{};
    std::string body{};
    std::string image{};  ///< https URL.
    std::string url{};    ///< Opened by a tap.
    std::string sound{};
    std::optional<std::int64_t> badge{};
    std::string thread{};  ///< Groups notifications on the screen.

    friend bool operator==(const notification&, const notification&) = default;
};

/// What replaces parts of a notification for devices of one locale.
struct localized_text {
    std::string title{};
    std::string subtitle{};
    std::string body{};

    friend bool operator==(const localized_text&, const localized_text&) = default;
};

enum class delivery_mode : std::uint8_t { actual, dry_run };
constexpr std::size_t delivery_mode_count = 2;
[[nodiscard]] std::string_view to_string(delivery_mode value) noexcept;
[[nodiscard]] std::optional<delivery_mode> parse_delivery_mode(std::string_view name) noexcept;

/// Under this name a message carries its event's id to an app that is to report on it.
inline constexpr std::string_view receipt_key = "tocsin_event";

/// What an event says to single platforms in their providers' own words; merged last into what is sent.
struct platform_overrides {
    std::array<boost::json::object, platform_count> each;

    [[nodiscard]] boost::json::object& operator[](platform which) {
        return each[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] const boost::json::object& operator[](platform which) const {
        return each[static_cast<std::size_t>(which)];
    }
    friend bool operator==(const platform_overrides&, const platform_overrides&) = default;
};

/// A publish event, validated: contract §4. Immutable once parsed.
struct publish_event {
    std::string id;
    std::vector<selector> audience;
    std::vector<std::string> apps;  ///< Empty: every configured app that serves the audience.
    std::string category;
    tocsin::priority priority = tocsin::priority::normal;
    std::optional<tocsin::notification> notification;  ///< Absent: a silent (background) push.
    std::vector<std::pair<std::string, std::string>> data;
    std::map<std::string, localized_text, std::less<>>
        localized;  ///< By locale, as normalize_locale() spells it.
    std::optional<wall_time> send_at;
    wall_time expires_at{};          ///< Nothing is handed to a provider from this instant on.
    std::chrono::seconds spread{0};  ///< Over which its pushes are spaced; critical events ignore it.
    bool ignores_quiet_hours = false;
    bool remembers_reached = false;  ///< Whom it was sent to is kept: an event that ends it may follow.
    /// The events that this one ends: it goes to whoever was sent to by one of them, and to nobody else.
    std::vector<std::string> reached_by;
    std::string collapse_id;  ///< As the event names it; empty: derived from the id.
    delivery_mode mode = delivery_mode::actual;
    /// The app is told the event's id, as receipt_key, and reports what became of it (receipt.hpp).
    bool receipts = false;
    platform_overrides overrides;
    /// Platforms whose provider is asked to validate a dry run, as the event's own words to it want.
    std::array<bool, platform_count> validated{};

    [[nodiscard]] bool is_spread() const noexcept {
        return spread.count() != 0 && priority != tocsin::priority::critical;
    }
    /// Goes through the motions without asking the provider: a dry run that it is not to validate.
    [[nodiscard]] bool skips_provider(platform on) const;
    /// A push that shows nothing and only wakes the app.
    [[nodiscard]] bool is_background() const noexcept { return !notification.has_value(); }
    /// The collapse id of every push of this event: as named, or "tocsin-" and a hash of the id.
    [[nodiscard]] std::string effective_collapse_id() const;

    friend bool operator==(const publish_event&, const publish_event&) = default;
};

}  // namespace tocsin
