#include "tools/simulator/fcm_conversation.hpp"

#include <fmt/format.h>

namespace tocsin::sim {
namespace {

using fcm::reason;

constexpr std::string_view json_type = "application/json; charset=UTF-8";
constexpr std::string_view html_type = "text/html; charset=UTF-8";

}  // namespace

void fcm_conversation::on_header(request& asked, std::string_view name, std::string_view value) noexcept {
    if (name == ":path") {
        read_path(asked, value);
    } else if (name == "authorization") {
        if (value != last_authorization_ || last_bearer_ == nullptr) {
            last_authorization_ = value;
            last_bearer_ = &desk_.read(value);
        }
        asked.credential = last_bearer_;
    } else if (name == ":method") {
        asked.post = value == "POST";
    }
}

void fcm_conversation::read_path(request& asked, std::string_view path) noexcept {
    if (path != last_path_) {
        last_path_ = path;
        last_owner_ = -1;
        last_flaw_ = index_of(reason::not_found_html);
        constexpr std::string_view prefix = "/v1/projects/";
        constexpr std::string_view suffix = "/messages:send";
        if (path.size() > prefix.size() + suffix.size() && path.starts_with(prefix) &&
            path.ends_with(suffix)) {
            path.remove_prefix(prefix.size());
            path.remove_suffix(suffix.size());
            if (path.find('/') == std::string_view::npos) {
                const auto project = desk_.known().find_project(path);
                last_owner_ = project ? static_cast<std::int32_t>(*project) : -1;
                last_flaw_ = success;
            }
        }
    }
    asked.owner = last_owner_;
    asked.flaw = last_flaw_;
}

reason_index fcm_conversation::check(request& asked, const provider_behaviour&, const moment& now) noexcept {
    // The front end knows no other method on this path.
    if (asked.flaw != success || !asked.post) {
        return index_of(reason::not_found_html);
    }
    const auto* bearer = static_cast<const fcm_desk::bearer*>(asked.credential);
    if (bearer == nullptr) {
        return index_of(reason::credentials_missing);
    }
    if (bearer->flaw != success) {
        return bearer->flaw;
    }
    if (bearer->grant.expires_ms <= now.wall_ms || desk_.revoked(bearer->grant)) {
        return index_of(reason::access_token_expired);
    }
    if (asked.owner < 0 || static_cast<std::size_t>(asked.owner) != bearer->grant.project) {
        return index_of(reason::iam_permission_denied);
    }
    return desk_.check_body(asked);
}

void fcm_conversation::accept(request& asked, const moment& now) noexcept {
    asked.set_status(200);
    asked.reply_type = json_type;
    desk_.name_message(static_cast<std::size_t>(asked.owner), now, asked.reply_text);
    asked.reply = asked.reply_text;
}

void fcm_conversation::refuse(
    request& asked, reason_index why, const refusal_details& details, const moment&) noexcept {
    asked.set_status(reasons_of(provider::fcm)[why].status);
    const bool html = why == index_of(reason::not_found_html) || why == index_of(reason::bad_gateway_html);
    asked.reply_type = html ? html_type : json_type;
    asked.reply = asked.reply_text.empty() ? std::string_view(desk_.body_of(why)) : asked.reply_text;
    if (details.retry_after) {
        asked.retry_after = fmt::format_int(*details.retry_after).str();
    }
}

}  // namespace tocsin::sim
