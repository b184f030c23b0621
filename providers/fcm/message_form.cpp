#include "providers/fcm/message_form.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/core/text.hpp"
#include "providers/apns/override_rules.hpp"
#include "providers/fcm/message_members.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
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

bool is_count(const json::value& value) noexcept {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
    if (const auto* const number = value.if_int64()) {
        return *number >= 0 && static_cast<std::uint64_t>(*number) <= most;
    }
    const auto* const number = value.if_uint64();
    return number != nullptr && *number <= most;
}

bool is_share(const json::value& value) noexcept {
    error_code ec;
    const double number = value.is_number() ? value.to_number<double>(ec) : -1;
    return number >= 0 && number <= 1;
}

bool is_color(const json::value& value) noexcept {
    const std::string_view given = as_text(value);
    return given.size() == 7 && given.front() == '#' &&
           given.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

/// Google's pattern: ^[a-zA-Z0-9-_.~%]{1,50}$
bool is_label(const json::value& value) noexcept {
    const std::string_view given = as_text(value);
    return !given.empty() && given.size() <= 50 &&
           given.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%") ==
               std::string_view::npos;
}

parsed<> check_own_data(const json::value& value, const std::string& path) {
    if (auto fine = check_text_map(value, path); fine.has_error()) {
        return fine;
    }
    for (const auto& entry : value.get_object()) {
        if (is_reserved_key(entry.key())) {
            return wrong(path + "." + std::string(entry.key()), "is a key that FCM keeps for itself");
        }
    }
    return {};
}

std::string small_letters(std::string_view name) {
    std::string out(name);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

/// RFC 8030. FCM is the push service itself, and takes any other field.
parsed<> check_push_headers(const json::value& value, const std::string& path) {
    if (auto fine = check_text_map(value, path); fine.has_error()) {
        return fine;
    }
    std::vector<std::string> seen;
    for (const auto& entry : value.get_object()) {
        const std::string inner = path + "." + std::string(entry.key());
        const std::string_view given = as_text(entry.value());
        seen.push_back(small_letters(entry.key()));
        const std::string& name = seen.back();
        if (std::ranges::count(seen, name) > 1) {
            return wrong(inner, "stands twice: fields of HTTP are the same in small and in capital letters");
        }
        if (name == "urgency" && !is_word_of("very-low low normal high", entry.value())) {
            return wrong(inner, "must be one of very-low low normal high");
        }
        if (name == "ttl" && (given.empty() || given.size() > 10 ||
                              given.find_first_not_of("0123456789") != std::string_view::npos)) {
            return wrong(inner, "must be seconds in digits, like \"3600\"");
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
        case count: return need(is_count(value), "must be a whole number from 0 to 2147483647");
        case share: return need(is_share(value), "must be a number from 0 to 1");
        case color: return need(is_color(value), "must be a colour like \"#1a2b3c\"");
        case label: return need(is_label(value), "must be 1 to 50 of A-Z a-z 0-9 - _ . ~ %");
        case link: return need(as_text(value).starts_with("https://"), "must begin with https://");
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
        case own_data: return check_own_data(value, path);
        case push_headers: return check_push_headers(value, path);
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

/// FCM hands its `apns` on; what APNs would refuse, delay or drop there goes for whoever sends it.
parsed<> check_apns(const json::object& message) {
    constexpr apns::override_paths at{"fcm.apns.headers", "fcm.apns.payload.aps"};
    const auto* const block = message.if_contains("apns");
    if (block == nullptr) {
        return {};
    }
    const json::object& given = block->get_object();
    apns::shared_headers headers;
    if (const auto* const fields = given.if_contains("headers")) {
        if (auto fine = apns::override_headers(headers, *fields, at); fine.has_error()) {
            return fine;
        }
    }
    const apns::push_type* const type = apns::find_push_type(headers.push_type);
    if (auto fine = apns::check_headers(headers, type, false, at); fine.has_error()) {
        return fine;
    }
    if (type != nullptr && type->name == "background" && headers.priority.empty()) {
        return wrong(
            "apns.headers.apns-priority",
            "must be \"5\" in a background push: FCM asks for 10 where it is missing");
    }
    const auto* const payload = given.if_contains("payload");
    const auto* const aps = payload == nullptr ? nullptr : payload->get_object().if_contains("aps");
    if (aps != nullptr && !aps->is_object()) {
        return wrong("apns.payload.aps", "must be an object");
    }
    // FCM makes the alert of its own `notification`.
    const bool shown_beside = message.contains("notification");
    static const json::object nothing;
    return apns::check_aps(aps == nullptr ? nothing : aps->get_object(), type, shown_beside, at);
}

}  // namespace

bool is_reserved_key(std::string_view key) noexcept {
    return key == "from" || key == "message_type" || key == "gcm" || key.starts_with("google") ||
           key.starts_with("gcm");
}

parsed<> check_message_form(const json::object& message) {
    if (auto fine = check_form(message, "Message", ""); !fine) {
        return fine;
    }
    return check_apns(message);
}

}  // namespace tocsin::fcm
