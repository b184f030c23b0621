#include "providers/apns/renderer.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/plain_json.hpp"
#include "engine/core/text.hpp"
#include "providers/apns/payload.hpp"
#include "providers/apns/push_type.hpp"
#include "providers/common/json_check.hpp"
#include "providers/common/json_merge.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace tocsin::apns {
namespace {

namespace json = boost::json;

refusal bad_override(std::string message) {
    return {"invalid_override", "apns." + std::move(message)};
}

bool has_control_character(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

/// The type that the event names; null if it names none.
const json::string* named_push_type(const publish_event& event) noexcept {
    const auto* const headers = event.overrides[platform::apns].if_contains("headers");
    const auto* const named = headers == nullptr || !headers->is_object()
                                  ? nullptr
                                  : headers->get_object().if_contains("apns-push-type");
    return named == nullptr ? nullptr : named->if_string();
}

/// The type that the event names, else what it looks like.
std::string push_type_of(const publish_event& event) {
    if (const json::string* const named = named_push_type(event)) {
        return std::string(*named);
    }
    return event.is_background() ? "background" : "alert";
}

shared_headers default_headers(const publish_event& event) {
    shared_headers out;
    out.push_type = push_type_of(event);
    // APNs takes a background push of priority 5 alone; a call must ring, and a widget be as fresh as the
    // event is.
    out.priority = out.push_type == "background" || event.priority == priority::low ? "5" : "10";
    out.expiration =
        std::to_string(std::chrono::floor<std::chrono::seconds>(event.expires_at).time_since_epoch().count());
    out.collapse_id = event.effective_collapse_id();
    return out;
}

/// Null if no field of this name may be overridden.
std::string* header_named(shared_headers& headers, std::string_view name) noexcept {
    if (name == "apns-push-type") {
        return &headers.push_type;
    }
    if (name == "apns-priority") {
        return &headers.priority;
    }
    if (name == "apns-topic") {
        return &headers.topic;
    }
    if (name == "apns-expiration") {
        return &headers.expiration;
    }
    return name == "apns-collapse-id" ? &headers.collapse_id : nullptr;
}

parsed<> override_headers(shared_headers& headers, const json::value& given) {
    if (!given.is_object()) {
        return bad_override("headers must be an object of strings");
    }
    for (const auto& entry : given.get_object()) {
        const std::string_view name = entry.key();
        std::string* const target = header_named(headers, name);
        if (target == nullptr) {
            static constexpr auto known = std::to_array<std::string_view>(
                {"apns-push-type", "apns-priority", "apns-topic", "apns-expiration", "apns-collapse-id"});
            const std::string_view meant = nearest(name, known);
            return bad_override(
                "headers." + std::string(name) + " cannot be set" +
                (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
        }
        const auto* text = entry.value().if_string();
        if (text == nullptr || text->empty() || has_control_character(*text)) {
            return bad_override("headers." + std::string(name) + " must be a string of printable characters");
        }
        target->assign(text->data(), text->size());
    }
    return {};
}

parsed<> check_headers(const shared_headers& headers, const push_type* type, bool uses_certificate) {
    if (type == nullptr) {
        const std::string_view meant = nearest_push_type(headers.push_type);
        return bad_override(
            "headers.apns-push-type: \"" + headers.push_type + "\" is not a push type" +
            (meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?"));
    }
    if (type->token_only && uses_certificate) {
        return bad_override(
            "headers.apns-push-type: \"" + headers.push_type + "\" needs a key; this app has a certificate");
    }
    if (headers.priority != "1" && headers.priority != "5" && headers.priority != "10") {
        return bad_override("headers.apns-priority: \"" + headers.priority + "\" must be 1, 5 or 10");
    }
    if (type->name == "background" && headers.priority == "10") {
        return bad_override(
            "headers.apns-priority: APNs refuses background pushes of priority 10; 5 is right");
    }
    if (headers.collapse_id.size() > collapse_id_limit) {
        return bad_override(
            "headers.apns-collapse-id is " + std::to_string(headers.collapse_id.size()) +
            " bytes, the limit is " + std::to_string(collapse_id_limit));
    }
    if (headers.expiration.size() > 18 ||
        headers.expiration.find_first_not_of("0123456789") != std::string::npos) {
        return bad_override("headers.apns-expiration must be seconds since 1970, or 0");
    }
    if (headers.topic.size() > 255 || !is_word(headers.topic, ".-_")) {
        return bad_override("headers.apns-topic: \"" + headers.topic + "\" is not a bundle id");
    }
    const std::string_view suffix = topic_suffix_of(headers.topic);
    if (!suffix.empty() && suffix != type->topic_suffix) {
        return bad_override(
            "headers.apns-topic: \"" + headers.topic + "\" ends in " + std::string(suffix) +
            ", which is not of the push type " + headers.push_type);
    }
    return {};
}

/// A payload that contradicts its push type is refused, delayed or silently dropped by APNs.
parsed<> check_aps(const json::object& payload, const push_type& type) {
    const auto* aps_value = payload.if_contains("aps");
    if (aps_value == nullptr || !aps_value->is_object()) {
        return bad_override("aps must be an object");
    }
    const auto& aps = aps_value->get_object();
    const bool shows = aps.contains("alert") || aps.contains("badge") || aps.contains("sound");
    if (type.name == "background") {
        if (shows) {
            return bad_override(
                "headers.apns-push-type is background, but aps holds an alert, badge or sound");
        }
        const auto* wakes = aps.if_contains("content-available");
        if (wakes == nullptr || *wakes != json::value(1)) {
            return bad_override("aps.content-available must be 1 in a background push");
        }
    }
    if (type.name == "alert" && !shows) {
        return bad_override("headers.apns-push-type is alert, but aps holds no alert, badge or sound");
    }
    if (const auto* alert = aps.if_contains("alert");
        alert != nullptr && !alert->is_object() && !alert->is_string()) {
        return bad_override("aps.alert must be an object or a string");
    }
    if (const auto* level = aps.if_contains("interruption-level")) {
        static constexpr auto levels =
            std::to_array<std::string_view>({"passive", "active", "time-sensitive", "critical"});
        const auto* word = level->if_string();
        if (word == nullptr || std::ranges::find(levels, std::string_view(*word)) == levels.end()) {
            return bad_override(
                "aps.interruption-level must be \"passive\", \"active\", \"time-sensitive\" or \"critical\"");
        }
    }
    return {};
}

json::object root_overrides(const json::object& overrides) {
    json::object out = overrides;
    out.erase("headers");
    return out;
}

}  // namespace

parsed<std::shared_ptr<const rendered_message>> renderer::render(const publish_event& event) const {
    if (std::ranges::any_of(event.data, [](const auto& entry) { return entry.first == "aps"; })) {
        return refusal{"reserved_data_key", "data.aps: the key \"aps\" belongs to APNs; choose another"};
    }
    shared_headers headers = default_headers(event);
    const std::string usual_type = headers.push_type;
    if (const auto* given = event.overrides[platform::apns].if_contains("headers")) {
        if (const auto done = override_headers(headers, *given); done.has_error()) {
            return done.error();
        }
    }
    const push_type* const type = find_push_type(headers.push_type);
    const bool overridden = !headers.topic.empty() || headers.push_type != usual_type;
    if (headers.topic.empty()) {
        headers.topic = topic_;
        if (type != nullptr && !headers.topic.ends_with(type->topic_suffix)) {
            headers.topic += type->topic_suffix;
        }
    }
    if (const auto fine = check_headers(headers, type, uses_certificate_); fine.has_error()) {
        return fine.error();
    }

    const json::object overrides = root_overrides(event.overrides[platform::apns]);
    locale_table locales;
    std::vector<std::string> bodies;
    const auto add = [&](const localized_text* text, std::string_view locale) -> parsed<> {
        json::object payload = make_payload(event, text, type->name);
        merge_json(payload, overrides);
        if (const std::string null = find_null(payload, ""); !null.empty()) {
            return bad_override(null + " is null: in a list there is nothing to remove");
        }
        if (auto fine = check_aps(payload, *type); fine.has_error()) {
            return fine;
        }
        bodies.push_back(plain_json(json::value(std::move(payload))));
        if (const std::size_t size = bodies.back().size(); size > type->payload_limit) {
            return refusal{
                "payload_too_large", "the APNs payload for app " + app_ +
                                         (locale.empty() ? "" : " in locale " + std::string(locale)) +
                                         " is " + std::to_string(size) + " bytes, the limit is " +
                                         std::to_string(type->payload_limit)};
        }
        return {};
    };
    if (const auto done = add(nullptr, {}); done.has_error()) {
        return done.error();
    }
    for (const auto& [locale, text] : event.localized) {
        if (const auto done = add(&text, locale); done.has_error()) {
            return done.error();
        }
        locales.add(locale);
    }
    return std::make_shared<const rendered_message>(
        std::move(headers), std::move(bodies), std::move(locales), event_seed(event.id), event.expires_at,
        overridden);
}

}  // namespace tocsin::apns
