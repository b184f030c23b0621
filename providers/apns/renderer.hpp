#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "providers/apns/message.hpp"

#include <memory>
#include <string>

namespace tocsin::apns {

/// Turns events into APNs messages for one app. Immutable; threads share it.
///
/// Priority: critical, high and normal events are sent with apns-priority 10 (at once), low ones with
/// 5 (when it suits the device's power), silent ones always with 5, as Apple demands.
///
/// `apns` of the event is merged last: `headers` replaces header fields of the same name, `aps` is
/// merged into aps, and every other key into the payload beside it (objects are merged, null removes).
/// An apns-push-type that wants a topic of its own gets its suffix, unless apns-topic is overridden, too.
class renderer {
public:
    renderer(std::string app, std::string topic, bool uses_certificate)
        : app_(std::move(app)), topic_(std::move(topic)), uses_certificate_(uses_certificate) {}

    /// Refuses with payload_too_large (the JSON body, as Apple counts), reserved_data_key or
    /// invalid_override; the message names what and why.
    [[nodiscard]] parsed<std::shared_ptr<const rendered_message>> render(const publish_event& event) const;

private:
    std::string app_;
    std::string topic_;
    bool uses_certificate_;
};

}  // namespace tocsin::apns
