#pragma once

#include "engine/core/error.hpp"
#include "engine/event/publish_event.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin {

// Bounds that hold every token the providers give out today, and keep what is not one out of paths
// and bodies: a token is spliced into them without being escaped.
constexpr std::size_t min_apns_token = 16;  ///< Bytes, of which each is two hexadecimal digits.
constexpr std::size_t max_apns_token = 200;
constexpr std::size_t min_fcm_token = 20;
constexpr std::size_t max_fcm_token = 1024;
constexpr std::size_t min_fid = 10;
constexpr std::size_t max_fid = 64;
constexpr std::size_t max_endpoint = 1536;

/// Whether `token` has the form of its platform: APNs hex of either case; FCM printable ASCII
/// without space, quotes and backslash; Web Push an https URL as subscription.hpp wants endpoints. `path`
/// names the field in the refusal, which never shows the token.
[[nodiscard]] parsed<> check_token(platform kind, std::string_view token, std::string_view path);

/// A Firebase installation id: A-Z a-z 0-9 - _
[[nodiscard]] parsed<> check_fid(std::string_view fid, std::string_view path);

/// A token as the store keeps it and as its hash is made: APNs as bytes, others as they are.
[[nodiscard]] std::string stored_token(platform kind, std::string_view written);

/// A token as documents write it: APNs as lower-case hex, others as they are.
[[nodiscard]] std::string written_token(platform kind, std::string_view stored);

}  // namespace tocsin
