#include "providers/fcm/message_form.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"
#include "providers/fcm/message_members.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::fcm {
namespace {

namespace json = boost::json;

using enum holds;

refusal wrong(const std::string& path, std::string_view sentence) {
    return {"invalid_override", "fcm." + path + " " + std::string(sentence)};
}

std::string_view as_text(const json::value& value) noexcept {
    const auto* const text_value = value.if_string();
    return text_value == nullptr ? std::string_view()
                                 : std::string_view(text_value->data(), text_value->size());
}

/// protobuf's Duration in JSON: seconds with up to nine decimals, and an s.
bool is_duration(const json::value& value) noexcept {
    std::string_view text_value = as_text(value);
    if (!text_value.ends_with('s')) {
        return false;
    }
    text_value.remove_suffix(1);
    const std::size_t point = text_value.find('.');
    const std::string_view whole = text_value.substr(0, point);
    const std::string_view part = point == std::string_view::npos ? "0" : text_value.substr(point + 1);
    const auto digits = [](std::string_view some, std::size_t most) {
        return !some.empty() && some.size() <= most &&
               some.find_first_not_of("0123456789") == std::string_view::npos;
    };
    return digits(whole, 12) && digits(part, 9);
}

bool is_word_of(std::string_view list, const json::value& value) noexcept {
    const std::string_view given = as_text(value);
    while (!given.empty() && !list.empty()) {
        const std::size_t end = std::min(list.find(' '), list.size());
        if (list.substr(0, end) == given) {
            return true;
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

template <class Predicate>
bool is_list_of(const json::value& value, Predicate fits) {
    const auto* const list = value.if_array();
    return list != nullptr && std::ranges::all_of(*list, fits);
}

parsed<> check_form(const json::object& object, std::string_view form_name, const std::string& path);

parsed<> check_text_map(const json::value& value, const std::string& path) {
    if (!value.is_object()) {
        return wrong(path, "must be an object of strings");
    }
    for (const auto& entry : value.get_object()) {
        if (!entry.value().is_string()) {
            return wrong(path + "." + std::string(entry.key()), "must be a string");
        }
    }
    return {};
}

parsed<> check_value(const json::value& value, const member& rule, const std::string& path) {
    const auto need = [&](bool fine, std::string_view sentence) -> parsed<> {
        return fine ? parsed<>() : parsed<>(wrong(path, sentence));
    };
    switch (rule.what) {
        case text: return need(value.is_string(), "must be a string");
        case flag: return need(value.is_bool(), "must be true or false");
        case number: return need(value.is_number(), "must be a number");
        case duration: return need(is_duration(value), "must be a duration like \"3600s\"");
        case timestamp:
            return need(
                parse_rfc3339(as_text(value)).has_value(), "must be a time like \"2026-11-23T06:00:00Z\"");
        case word: return need(is_word_of(rule.detail, value), "must be one of " + std::string(rule.detail));
        case texts:
            return need(
                is_list_of(value, [](const json::value& one) { return one.is_string(); }),
                "must be a list of strings");
        case durations:
            return need(is_list_of(value, is_duration), "must be a list of durations like \"3.5s\"");
        case text_map: return check_text_map(value, path);
        case anything: return need(value.is_object(), "must be an object");
        case form:
            return value.is_object() ? check_form(value.get_object(), rule.detail, path)
                                     : parsed<>(wrong(path, "must be an object"));
    }
    return {};
}

parsed<> check_form(const json::object& object, std::string_view form_name, const std::string& path) {
    for (const auto& entry : object) {
        const std::string given(entry.key());
        const std::string inner = path.empty() ? given : path + "." + given;
        const member* const rule = find_member(form_name, given);
        if (rule == nullptr) {
            std::vector<std::string_view> known;
            for (const member& one : message_members()) {
                if (one.of == form_name) {
                    known.push_back(one.name);
                }
            }
            std::string_view meant = nearest(given, known);
            // "android_channel_id" is two thirds right, and further away than a slip of the hand.
            for (const std::string_view one : known) {
                meant = meant.empty() && given.ends_with(one) ? one : meant;
            }
            return wrong(
                inner, "is no member that FCM knows" +
                           (meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?"));
        }
        if (auto fine = check_value(entry.value(), *rule, inner); !fine) {
            return fine;
        }
    }
    return {};
}

/// What APNs would refuse, or delay, behind FCM.
parsed<> check_apns(const json::object& message) {
    const auto* const apns = message.if_contains("apns");
    const auto* const headers = apns == nullptr ? nullptr : apns->get_object().if_contains("headers");
    if (headers == nullptr) {
        return {};
    }
    const auto header = [&](std::string_view name) {
        const auto* const value = headers->get_object().if_contains(name);
        return value == nullptr ? std::string_view() : as_text(*value);
    };
    const std::string_view priority = header("apns-priority");
    if (!priority.empty() && priority != "1" && priority != "5" && priority != "10") {
        return wrong("apns.headers.apns-priority", "must be \"1\", \"5\" or \"10\"");
    }
    if (header("apns-push-type") == "background" && priority == "10") {
        return wrong(
            "apns.headers.apns-priority", "is 10: APNs refuses background pushes of priority 10; 5 is right");
    }
    if (header("apns-collapse-id").size() > 64) {
        return wrong("apns.headers.apns-collapse-id", "is longer than 64 bytes");
    }
    return {};
}

}  // namespace

parsed<> check_message_form(const json::object& message) {
    if (auto fine = check_form(message, "Message", ""); !fine) {
        return fine;
    }
    return check_apns(message);
}

}  // namespace tocsin::fcm
