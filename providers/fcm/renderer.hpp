#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"
#include "providers/fcm/message.hpp"

#include <memory>
#include <string>

namespace tocsin::fcm {

/// FCM's limit (REST reference: 4096 bytes for messages to tokens). Held against `message` as JSON
/// without its target and without the part for the other platform: Google counts less (keys and
/// values), so what passes here passes there.
constexpr std::size_t payload_limit = 4096;

/// Turns events into FCM messages for one app. Immutable; threads share it.
///
/// `fcm` of the event is merged into `message` last (objects are merged, null removes). Its key
/// validate_only asks FCM to check without delivering; it needs mode dry_run.
class renderer {
public:
    explicit renderer(std::string app) : app_(std::move(app)) {}

    /// Refuses with payload_too_large, reserved_data_key or invalid_override; the message names what
    /// and why.
    [[nodiscard]] parsed<std::shared_ptr<const rendered_message>> render(
        const publish_event& event, wall_time now) const;

private:
    std::string app_;
};

}  // namespace tocsin::fcm
