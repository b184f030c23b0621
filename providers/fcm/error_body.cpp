#include "providers/fcm/error_body.hpp"

#include "engine/core/json_members.hpp"
#include "providers/common/retry_after.hpp"
#include "providers/common/web_page.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;

const json::object* object_at(const json::object& parent, std::string_view key) noexcept {
    const auto* found = parent.if_contains(key);
    return found != nullptr ? found->if_object() : nullptr;
}

const json::array* array_at(const json::object& parent, std::string_view key) noexcept {
    const auto* found = parent.if_contains(key);
    return found != nullptr ? found->if_array() : nullptr;
}

void read_field_violations(const json::object& detail, error_facts& out) noexcept {
    const auto* violations = array_at(detail, "fieldViolations");
    if (violations == nullptr) {
        return;
    }
    for (const auto& entry : *violations) {
        if (const auto* violation = entry.if_object()) {
            const std::string_view field = text_at(*violation, "field");
            const bool about_the_target = field == "message.token" || field == "message.fid";
            (about_the_target ? out.names_token_field : out.names_other_field) = true;
        }
    }
}

void read_quota_failure(const json::object& detail, error_facts& out) noexcept {
    const auto* violations = array_at(detail, "violations");
    if (violations == nullptr || violations->empty()) {
        return;
    }
    if (const auto* violation = violations->front().if_object()) {
        out.quota_subject = text_at(*violation, "subject");
        out.quota_text = text_at(*violation, "description");
    }
}

void read_detail(const json::object& detail, error_facts& out) noexcept {
    std::string_view type = text_at(detail, "@type");
    type = type.substr(type.rfind('/') + 1);  // npos + 1 is 0: all of it.
    if (type == "google.firebase.fcm.v1.FcmError") {
        out.fcm_code = text_at(detail, "errorCode");
    } else if (type == "google.firebase.fcm.v1.ApnsError") {
        out.apns_reason = text_at(detail, "reason");
    } else if (type == "google.rpc.BadRequest") {
        read_field_violations(detail, out);
    } else if (type == "google.rpc.QuotaFailure") {
        read_quota_failure(detail, out);
    } else if (type == "google.rpc.ErrorInfo") {
        out.info_reason = text_at(detail, "reason");
        if (const auto* metadata = object_at(detail, "metadata")) {
            out.quota_limit = text_at(*metadata, "quota_limit");
        }
    } else if (type == "google.rpc.RetryInfo") {
        out.retry_delay = parse_proto_duration(text_at(detail, "retryDelay"));
    }
}

}  // namespace

error_facts read_error(int status, std::string_view body, bounded_json& reader) noexcept {
    error_facts out;
    out.status = status;
    const auto* document = body.empty() ? nullptr : reader.parse(body);
    const auto* root = document != nullptr ? document->if_object() : nullptr;
    const auto* error = root != nullptr ? object_at(*root, "error") : nullptr;
    if (error == nullptr) {
        out.is_page = is_web_page(body);
        return out;
    }
    out.has_envelope = true;
    out.message = text_at(*error, "message");
    out.rpc_status = text_at(*error, "status");
    if (const auto* details = array_at(*error, "details")) {
        for (const auto& entry : *details) {
            if (const auto* detail = entry.if_object()) {
                read_detail(*detail, out);
            }
        }
    }
    return out;
}

}  // namespace tocsin::fcm
