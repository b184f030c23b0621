#pragma once

#include "engine/core/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// A Web Push subscription (W3C Push API): where to send to, and what to encrypt with. It comes from a browser
// by way of a backend: hostile until it was checked here.

namespace tocsin {

/// The keys of a subscription, as they are stored: the two coordinates of its point on P-256 (what follows
/// the 0x04 of `p256dh`, 64 bytes), then its authentication secret (16 bytes).
constexpr std::size_t subscription_point_size = 64;
constexpr std::size_t subscription_auth_size = 16;
constexpr std::size_t subscription_keys_size = subscription_point_size + subscription_auth_size;

/// Reads `keys.p256dh` and `keys.auth`, base64url. What is not a point on the curve is refused here, once, so
/// that nobody needs to check it with every push.
[[nodiscard]] parsed<std::string> read_subscription_keys(std::string_view p256dh, std::string_view auth);

/// As read_subscription_keys() takes them.
[[nodiscard]] std::string written_p256dh(std::string_view keys);
[[nodiscard]] std::string written_auth(std::string_view keys);

/// Whether `endpoint` is an https URL of at most max_endpoint bytes that names a host by name, without user
/// information and fragment. `path` names the field in the refusal, which never shows the endpoint: whoever
/// knows it can send to the device.
[[nodiscard]] parsed<> check_endpoint(std::string_view endpoint, std::string_view path);

/// Scheme, host and port of an endpoint that was checked, as origins are compared (RFC 6454): in lower case
/// and without the port 443.
[[nodiscard]] std::string origin_of_endpoint(std::string_view endpoint);

/// An endpoint that was checked, in the parts of a request.
struct endpoint_parts {
    std::string_view authority;  ///< As written: host, perhaps a port.
    std::string_view path;       ///< With its query; empty stands for "/".
};
/// Empty if it does not begin as endpoints do.
[[nodiscard]] std::optional<endpoint_parts> split_endpoint(std::string_view endpoint) noexcept;

}  // namespace tocsin
