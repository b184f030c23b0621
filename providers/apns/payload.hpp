#pragma once

#include "engine/event/publish_event.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace tocsin::apns {

/// The payload of an event before its overrides (Apple, "Generating a remote notification"), in the
/// words of `text` where it has some.
///
///     title, subtitle, body   aps.alert            sound, badge     aps.sound, aps.badge
///     thread                  aps.thread-id        image            aps.mutable-content, and "image"
///     priority critical       interruption-level "time-sensitive"; low: "passive"; else the default,
///     "active" url, category, data     keys beside aps; a key of data wins over ours of the same name
///
/// A silent event is aps.content-available and data.
[[nodiscard]] boost::json::object make_payload(
    const publish_event& event, const localized_text* text, std::string_view push_type);

}  // namespace tocsin::apns
