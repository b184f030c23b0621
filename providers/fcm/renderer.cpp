#include "providers/fcm/renderer.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/core/text.hpp"
#include "providers/common/json_check.hpp"
#include "providers/common/json_merge.hpp"
#include "providers/common/locale_table.hpp"
#include "providers/fcm/message_form.hpp"
#include "providers/fcm/message_json.hpp"
#include "providers/fcm/message_members.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;

refusal bad_override(std::string message) {
    return {"invalid_override", "fcm." + std::move(message)};
}

parsed<> check_keys(const json::object& overrides) {
    static constexpr auto known = std::to_array<std::string_view>(
        {"data", "notification", "android", "webpush", "apns", "fcm_options", "validate_only"});
    static constexpr auto targets =
        std::to_array<std::string_view>({"token", "fid", "topic", "condition", "name"});
    for (const auto& entry : overrides) {
        const std::string_view key = entry.key();
        if (std::ranges::find(targets, key) != targets.end()) {
            return bad_override(std::string(key) + " cannot be set: the audience says who is sent to");
        }
        if (std::ranges::find(known, key) == known.end()) {
            const std::string_view meant = nearest(key, known);
            return bad_override(
                std::string(key) + " is not a field of an FCM message" +
                (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
        }
    }
    return {};
}

/// What an override may have made of the message.
parsed<> check_message(const json::object& message) {
    if (const std::string null = find_null(message, ""); !null.empty()) {
        return bad_override(null + " is null: in a list there is nothing to remove");
    }
    return check_message_form(message);
}

parsed<bool> wants_validation(const publish_event& event) {
    const auto* given = event.overrides[platform::fcm].if_contains("validate_only");
    if (given == nullptr) {
        return false;
    }
    const auto* wanted = given->if_bool();
    if (wanted == nullptr) {
        return bad_override("validate_only must be true or false");
    }
    if (*wanted && event.mode != delivery_mode::dry_run) {
        return bad_override("validate_only needs mode \"dry_run\": nothing would be delivered");
    }
    return *wanted;
}

/// The members of an object as JSON, each after a comma.
std::string members_of(const json::object& from) {
    if (from.empty()) {
        return {};
    }
    std::string out = plain_json(json::value(from));
    out.front() = ',';
    out.pop_back();
    return out;
}

/// `","android":{"ttl":"` and `s",…},"notification":{…},…}}`: everything behind the token. With a ttl of the
/// event's own it is all in the first.
rendered_message::ending ending_of(json::object message, bool own_ttl, bool validate_only) {
    const std::string_view end = validate_only ? R"(},"validate_only":true})" : "}}";
    auto* const android = message.if_contains("android");
    if (own_ttl || android == nullptr) {
        return {"\"" + members_of(message) + std::string(end), {}};
    }
    json::object others = std::move(android->get_object());
    others.erase("ttl");
    message.erase("android");
    return {
        R"(","android":{"ttl":")",
        R"(s")" + members_of(others) + '}' + members_of(message) + std::string(end)};
}

/// Google counts what a device gets, so not the other platform's part.
std::size_t size_for_a_device(const json::object& message) {
    const auto without = [&message](std::string_view part) {
        json::object rest = message;
        rest.erase(part);
        return plain_json(json::value(std::move(rest))).size();
    };
    return std::max(without("apns"), without("android"));
}

bool names_ttl(const json::object& overrides) {
    const auto* const android = overrides.if_contains("android");
    return android != nullptr && android->is_object() && android->get_object().contains("ttl");
}

}  // namespace

parsed<std::shared_ptr<const rendered_message>> renderer::render(
    const publish_event& event, wall_time now) const {
    for (const auto& [key, value] : event.data) {
        if (is_reserved_key(key)) {
            return refusal{
                "reserved_data_key", "data." + key + ": the key is reserved by FCM; choose another"};
        }
    }
    auto respelled = spelled_as_sent(event.overrides[platform::fcm]);
    if (respelled.has_error()) {
        return respelled.error();
    }
    json::object& overrides = *respelled;
    if (const auto fine = check_keys(overrides); fine.has_error()) {
        return fine.error();
    }
    const auto validate_only = wants_validation(event);
    if (validate_only.has_error()) {
        return validate_only.error();
    }
    overrides.erase("validate_only");

    std::vector<rendered_message::ending> endings;
    const bool own_ttl = names_ttl(overrides);
    std::size_t largest = 0;
    const auto add = [&](const localized_text* text, std::string_view locale) -> parsed<> {
        json::object message = make_message(event, text, now);
        merge_json(message, overrides);
        if (auto fine = check_message(message); fine.has_error()) {
            return fine;
        }
        const std::size_t size = size_for_a_device(message);
        if (size > payload_limit) {
            return payload_too_large("FCM message", app_, locale, size, payload_limit);
        }
        largest = std::max(largest, size);
        endings.push_back(ending_of(std::move(message), own_ttl, *validate_only));
        return {};
    };
    auto locales = make_variants(event, add);
    if (locales.has_error()) {
        return locales.error();
    }
    return std::make_shared<const rendered_message>(
        std::move(endings), std::move(*locales), largest, event.expires_at,
        event.overrides[platform::fcm].contains("apns"));
}

}  // namespace tocsin::fcm
