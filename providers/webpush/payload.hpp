#pragma once

#include "engine/event/publish_event.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace tocsin::webpush {

/// The event as declarative web push (W3C Push API, "declarative push message"): a browser that knows it
/// shows it by itself, and a service worker elsewhere reads the same. `url` is opened by a tap unless the
/// event says better; `text` may be null; `locale` is empty for the default text.
///
/// A background event shows nothing: it is for service workers alone.
[[nodiscard]] boost::json::object make_payload(
    const publish_event& event, const localized_text* text, std::string_view locale, const std::string& url);

/// The topic field: the collapse id where it is one of at most 32 characters of base64url, else a digest of
/// it.
[[nodiscard]] std::string topic_of(const publish_event& event);

/// The urgency field (RFC 8030, section 5.3).
[[nodiscard]] std::string_view urgency_of(priority value) noexcept;

}  // namespace tocsin::webpush
