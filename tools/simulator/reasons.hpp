#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::sim {

/// The HTTP/2 endpoints that the simulator plays.
enum class provider : std::uint8_t { apns, sandbox, fcm, webpush };
constexpr std::size_t provider_count = 4;
constexpr std::array<provider, provider_count> all_providers{
    provider::apns, provider::sandbox, provider::fcm, provider::webpush};

[[nodiscard]] std::string_view name_of(provider which) noexcept;
[[nodiscard]] std::optional<provider> find_provider(std::string_view name) noexcept;

/// The place of an answer in its provider's table; 0 is success.
using reason_index = std::uint8_t;
constexpr reason_index success = 0;
/// No table is longer, so counters can be plain arrays.
constexpr std::size_t max_reasons = 48;

namespace apns {

/// Apple's reasons for one device push ("Handling notification responses from APNs").
enum class reason : reason_index {
    ok,
    bad_collapse_id,
    bad_device_token,
    bad_expiration_date,
    bad_message_id,
    bad_priority,
    bad_topic,
    device_token_not_for_topic,
    duplicate_headers,
    idle_timeout,
    invalid_push_type,
    missing_device_token,
    missing_topic,
    payload_empty,
    topic_disallowed,
    bad_certificate,
    bad_certificate_environment,
    expired_provider_token,
    forbidden,
    invalid_provider_token,
    missing_provider_token,
    unrelated_key_id_in_token,
    bad_environment_key_in_token,
    bad_environment_key_id_in_token,
    bad_path,
    method_not_allowed,
    expired_token,
    unregistered,
    payload_too_large,
    too_many_provider_token_updates,
    too_many_requests,
    internal_server_error,
    service_unavailable,
    shutdown,
};

}  // namespace apns

namespace fcm {

/// The error shapes of FCM HTTP v1: ErrorCode's own names where there is one, else a name for
/// the google.rpc.Status shape that carries none.
enum class reason : reason_index {
    ok,
    invalid_argument,
    invalid_token,
    unregistered,
    apns_token_disabled,
    third_party_auth_error,
    sender_id_mismatch,
    quota_exceeded_project,
    quota_exceeded,
    access_token_expired,
    access_token_type_unsupported,
    credentials_missing,
    iam_permission_denied,
    service_disabled,
    internal,
    unavailable,
    message_too_big,
    not_found_html,
    bad_gateway_html,
    not_found,
    quota_exceeded_topic,
    quota_exceeded_unnamed,
    unspecified_error,
};

}  // namespace fcm

namespace webpush {

/// What a push service answers: Apple's words, which say most.
enum class reason : reason_index {
    ok,
    redirected,
    bad_authorization_header,
    bad_jwt_token,
    bad_ttl,
    bad_urgency,
    bad_vapid_public_key,
    bad_web_push_request,
    bad_web_push_topic,
    vapid_pk_hash_mismatch,
    undecryptable,
    unauthorized,
    forbidden,
    not_found,
    method_not_allowed,
    gone,
    payload_too_large,
    too_many_requests,
    internal_server_error,
    service_unavailable,
};

}  // namespace webpush

struct reason_row {
    std::string_view name;  ///< As /stats and /behaviour spell it; empty for success.
    std::uint16_t status;   ///< HTTP.
};

[[nodiscard]] std::span<const reason_row> reasons_of(provider which) noexcept;
[[nodiscard]] std::optional<reason_index> find_reason(provider which, std::string_view name) noexcept;

constexpr reason_index index_of(apns::reason why) noexcept {
    return static_cast<reason_index>(why);
}
constexpr reason_index index_of(fcm::reason why) noexcept {
    return static_cast<reason_index>(why);
}
constexpr reason_index index_of(webpush::reason why) noexcept {
    return static_cast<reason_index>(why);
}

/// The JSON (or, for the two front-end errors, HTML) body of an answer; APNs' 410 is completed by
/// its timestamp, FCM's success by its message name, elsewhere.
[[nodiscard]] std::string error_body(provider which, reason_index why);

/// The FCM body of a refused field value, shape INVALID_ARGUMENT with a BadRequest detail.
[[nodiscard]] std::string fcm_bad_request_body(std::string_view field, std::string_view description);

}  // namespace tocsin::sim
