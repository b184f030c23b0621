#include "providers/apns/override_rules.hpp"

#include "engine/core/text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace tocsin::apns {
namespace {

namespace json = boost::json;

refusal bad(std::string_view place, std::string_view member, std::string_view sentence) {
    std::string out(place);
    if (!member.empty()) {
        out += '.';
        out += member;
    }
    return {"invalid_override", out.append(sentence)};
}

bool has_control_character(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
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

parsed<> check_topic(const shared_headers& headers, const push_type* type, const override_paths& at) {
    constexpr std::string_view field = "apns-topic";
    const std::string& topic = headers.topic;
    if (topic.size() > 255 || !is_word(topic, ".-_")) {
        return bad(at.headers, field, ": \"" + topic + "\" is not a bundle id");
    }
    const std::string_view suffix = topic_suffix_of(topic);
    if (suffix.empty()) {
        return {};
    }
    if (type != nullptr && suffix != type->topic_suffix) {
        return bad(
            at.headers, field,
            ": \"" + topic + "\" ends in " + std::string(suffix) + ", which is not of the push type " +
                headers.push_type);
    }
    const std::string_view rest = std::string_view(topic).substr(0, topic.size() - suffix.size());
    if (const std::string_view second = topic_suffix_of(rest); !second.empty()) {
        return bad(
            at.headers, field,
            ": \"" + topic + "\" ends in " + std::string(second) + " and " + std::string(suffix) +
                "; a topic has one suffix");
    }
    return {};
}

parsed<> check_push_type(
    const shared_headers& headers, const push_type* type, bool uses_certificate, const override_paths& at) {
    constexpr std::string_view field = "apns-push-type";
    if (type == nullptr) {
        const std::string_view meant = nearest_push_type(headers.push_type);
        return bad(
            at.headers, field,
            ": \"" + headers.push_type + "\" is not a push type" +
                (meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?"));
    }
    if (type->token_only && uses_certificate) {
        return bad(
            at.headers, field, ": \"" + headers.push_type + "\" needs a key; this app has a certificate");
    }
    return {};
}

}  // namespace

parsed<> override_headers(shared_headers& headers, const json::value& given, const override_paths& at) {
    if (!given.is_object()) {
        return bad(at.headers, {}, " must be an object of strings");
    }
    for (const auto& entry : given.get_object()) {
        const std::string_view name = entry.key();
        std::string* const target = header_named(headers, name);
        if (target == nullptr) {
            static constexpr auto known = std::to_array<std::string_view>(
                {"apns-push-type", "apns-priority", "apns-topic", "apns-expiration", "apns-collapse-id"});
            const std::string_view meant = nearest(name, known);
            return bad(
                at.headers, name,
                " cannot be set" + (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
        }
        const auto* text = entry.value().if_string();
        if (text == nullptr || text->empty() || has_control_character(*text)) {
            return bad(at.headers, name, " must be a string of printable characters");
        }
        target->assign(text->data(), text->size());
    }
    return {};
}

parsed<> check_headers(
    const shared_headers& headers, const push_type* type, bool uses_certificate, const override_paths& at) {
    if (!headers.push_type.empty()) {
        if (auto fine = check_push_type(headers, type, uses_certificate, at); fine.has_error()) {
            return fine;
        }
    }
    const std::string& priority = headers.priority;
    if (!priority.empty() && priority != "1" && priority != "5" && priority != "10") {
        return bad(at.headers, "apns-priority", ": \"" + priority + "\" must be 1, 5 or 10");
    }
    if (type != nullptr && type->name == "background" && priority == "10") {
        return bad(
            at.headers, "apns-priority", ": APNs refuses background pushes of priority 10; 5 is right");
    }
    if (headers.collapse_id.size() > collapse_id_limit) {
        return bad(
            at.headers, "apns-collapse-id",
            " is " + std::to_string(headers.collapse_id.size()) + " bytes, the limit is " +
                std::to_string(collapse_id_limit));
    }
    if (headers.expiration.size() > 18 ||
        headers.expiration.find_first_not_of("0123456789") != std::string::npos) {
        return bad(at.headers, "apns-expiration", " must be seconds since 1970, or 0");
    }
    return headers.topic.empty() ? parsed<>() : check_topic(headers, type, at);
}

parsed<> check_aps(
    const json::object& aps, const push_type* type, bool shown_beside, const override_paths& at) {
    const bool shows =
        shown_beside || aps.contains("alert") || aps.contains("badge") || aps.contains("sound");
    const std::string_view name = type == nullptr ? std::string_view() : type->name;
    if (name == "background") {
        if (shows) {
            return bad(
                at.headers, "apns-push-type", " is background, but aps holds an alert, badge or sound");
        }
        const auto* wakes = aps.if_contains("content-available");
        if (wakes == nullptr || *wakes != json::value(1)) {
            return bad(at.aps, "content-available", " must be 1 in a background push");
        }
    }
    if (name == "alert" && !shows) {
        return bad(at.headers, "apns-push-type", " is alert, but aps holds no alert, badge or sound");
    }
    if (const auto* alert = aps.if_contains("alert");
        alert != nullptr && !alert->is_object() && !alert->is_string()) {
        return bad(at.aps, "alert", " must be an object or a string");
    }
    if (const auto* level = aps.if_contains("interruption-level")) {
        static constexpr auto levels =
            std::to_array<std::string_view>({"passive", "active", "time-sensitive", "critical"});
        const auto* word = level->if_string();
        if (word == nullptr || std::ranges::find(levels, std::string_view(*word)) == levels.end()) {
            return bad(
                at.aps, "interruption-level",
                " must be \"passive\", \"active\", \"time-sensitive\" or \"critical\"");
        }
    }
    return {};
}

}  // namespace tocsin::apns
