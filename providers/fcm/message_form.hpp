#pragma once

#include "engine/core/error.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace tocsin::fcm {

/// Checks a message, its overrides merged, against the form that Google documents (REST reference,
/// projects.messages: Message, AndroidConfig, WebpushConfig, ApnsConfig): members, types, enumerations. FCM
/// refuses a message with one wrong member whole, for every device.
///
/// The refusal ("invalid_override") names the path and the nearest member. Names are
/// in snake_case: spelled_as_sent().
[[nodiscard]] parsed<> check_message_form(const boost::json::object& message);

/// Keys that FCM refuses in data: the REST reference and the ErrorCode page together.
[[nodiscard]] bool is_reserved_key(std::string_view key) noexcept;

}  // namespace tocsin::fcm
