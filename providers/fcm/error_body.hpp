#pragma once

#include "providers/common/bounded_json.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace tocsin::fcm {

/// What is known of an answer that is not a success: the status, and what its body says. Empty
/// views are things that it did not say. Views live as long as the body's reader.
struct error_facts {
    int status = 0;
    bool has_envelope = false;    ///< The body was google.rpc.Status in JSON; not so for HTML and empty ones.
    bool is_page = false;         ///< The body is a page for people (is_web_page()).
    std::string_view message;     ///< error.message
    std::string_view rpc_status;  ///< error.status ("INVALID_ARGUMENT")
    std::string_view fcm_code;    ///< FcmError.errorCode
    std::string_view apns_reason;    ///< ApnsError.reason
    std::string_view info_reason;    ///< ErrorInfo.reason
    std::string_view quota_limit;    ///< ErrorInfo.metadata.quota_limit
    std::string_view quota_subject;  ///< QuotaFailure: the first violation's subject
    std::string_view quota_text;     ///< QuotaFailure: the first violation's description
    bool names_token_field = false;  ///< A BadRequest field violation is about message.token or message.fid.
    bool names_other_field = false;  ///< One is about something else.
    std::optional<std::chrono::milliseconds> retry_delay;  ///< RetryInfo
};

/// Reads what can be read; never fails. Unknown details are skipped, fields of a wrong type are
/// fields that are not there.
[[nodiscard]] error_facts read_error(int status, std::string_view body, bounded_json& reader) noexcept;

}  // namespace tocsin::fcm
