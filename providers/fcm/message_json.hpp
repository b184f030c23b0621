#pragma once

#include "engine/core/clock.hpp"
#include "engine/event/publish_event.hpp"

#include <boost/json/object.hpp>

namespace tocsin::fcm {

/// The `message` of an event before its overrides and without its target (Google, REST reference of
/// projects.messages), in the words of `text` where it has some.
///
///     title, body, image        notification (iOS: the same, and apns.fcm_options.image)
///     subtitle                  data, and for iOS apns.payload.aps.alert
///     sound, badge              android.notification.sound, .notification_count; apns.payload.aps
///     thread                    data, and for iOS apns.payload.aps.thread-id
///     url, category, data       data; a key of data wins over ours of the same name
///     priority                  android.priority HIGH for critical and high, else NORMAL;
///                               android.notification.notification_priority; the interruption level on iOS
///     expires_at                android.ttl, counted from `now`; apns-expiration
///     collapse id               android.notification.tag and apns-collapse-id; android.collapse_key only
///                               if the event names one, because a device keeps four of them at most
///
/// A silent event is data alone. The ttl counts from when FCM takes the message, so a message
/// that is sent late lives as much longer as it waited; a device is never sent it after the expiry.
[[nodiscard]] boost::json::object make_message(
    const publish_event& event, const localized_text* text, wall_time now);

}  // namespace tocsin::fcm
