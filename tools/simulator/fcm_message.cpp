#include "tools/simulator/fcm_message.hpp"

#include "engine/core/error.hpp"
#include "engine/core/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace tocsin::sim {
namespace {

namespace json = boost::json;

constexpr std::size_t device_limit = 4096;
constexpr std::size_t topic_limit = 2048;

using names = std::span<const std::string_view>;

constexpr auto request_names = std::to_array<std::string_view>({"validate_only", "message"});
constexpr auto message_names = std::to_array<std::string_view>(
    {"name", "data", "notification", "android", "webpush", "apns", "fcm_options", "token", "topic",
     "condition", "fid"});
constexpr auto notification_names = std::to_array<std::string_view>({"title", "body", "image"});
constexpr auto android_names = std::to_array<std::string_view>(
    {"collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification", "fcm_options",
     "direct_boot_ok", "bandwidth_constrained_ok", "restricted_satellite_ok"});
constexpr auto android_notification_names = std::to_array<std::string_view>(
    {"title",
     "body",
     "icon",
     "color",
     "sound",
     "tag",
     "click_action",
     "body_loc_key",
     "body_loc_args",
     "title_loc_key",
     "title_loc_args",
     "channel_id",
     "ticker",
     "sticky",
     "event_time",
     "local_only",
     "notification_priority",
     "default_sound",
     "default_vibrate_timings",
     "default_light_settings",
     "vibrate_timings",
     "visibility",
     "notification_count",
     "light_settings",
     "image",
     "proxy",
     "bypass_proxy_notification"});
constexpr auto apns_names =
    std::to_array<std::string_view>({"headers", "payload", "fcm_options", "live_activity_token"});
constexpr auto webpush_names =
    std::to_array<std::string_view>({"headers", "data", "notification", "fcm_options"});
constexpr auto targets = std::to_array<std::string_view>({"token", "topic", "condition", "fid"});

/// A field that FCM would refuse.
struct problem {
    std::string field;
    std::string description;
};
using verdict = std::optional<problem>;

/// proto3 JSON takes both spellings of a name.
std::string snake_case(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z') {
            out += '_';
            out += static_cast<char>(c - 'A' + 'a');
        } else {
            out += c;
        }
    }
    return out;
}

const json::value* member(const json::object& from, std::string_view name) {
    for (const auto& one : from) {
        if (snake_case(one.key()) == name) {
            return &one.value();
        }
    }
    return nullptr;
}

verdict invalid_value(std::string_view field, std::string_view type, const json::value& given) {
    return problem{
        std::string(field),
        fmt::format("Invalid value at '{}' ({}), {}", field, type, json::serialize(given))};
}

verdict check_names(const json::object& given, std::string_view path, names known) {
    for (const auto& one : given) {
        if (std::ranges::find(known, snake_case(one.key())) == known.end()) {
            const std::string at = path.empty() ? "" : fmt::format(" at '{}'", path);
            return problem{
                std::string(path),
                fmt::format(
                    "Invalid JSON payload received. Unknown name \"{}\"{}: Cannot find field.",
                    std::string_view(one.key()), at)};
        }
    }
    return std::nullopt;
}

/// One field in both spellings, at any depth; keys of the app's own are not fields.
verdict check_spellings(const json::object& given, const std::string& path) {
    for (const auto& one : given) {
        const std::string name = snake_case(one.key());
        const auto same = std::ranges::count_if(
            given, [&name](const auto& other) { return snake_case(other.key()) == name; });
        if (same > 1) {
            return problem{
                path, fmt::format(
                          "Invalid JSON payload received. Field \"{}\" at '{}' is set more than once.", name,
                          path)};
        }
        const bool own = name == "data" || name == "headers" || name == "payload" ||
                         (name == "notification" && path == "message.webpush");
        if (own || !one.value().is_object()) {
            continue;
        }
        if (auto bad = check_spellings(one.value().get_object(), fmt::format("{}.{}", path, name))) {
            return bad;
        }
    }
    return std::nullopt;
}

/// `data`: strings only, and no name that FCM keeps for itself.
verdict check_data(const json::object& owner, const std::string& path) {
    const json::value* data = member(owner, "data");
    if (data == nullptr) {
        return std::nullopt;
    }
    const std::string field = path + ".data";
    if (!data->is_object()) {
        return invalid_value(field, "type.googleapis.com/google.protobuf.MapEntry", *data);
    }
    std::size_t place = 0;
    for (const auto& one : data->get_object()) {
        const std::string_view key = one.key();
        if (!one.value().is_string()) {
            return invalid_value(fmt::format("{}[{}].value", field, place), "TYPE_STRING", one.value());
        }
        if (key == "from" || key == "message_type" || key == "gcm" || key.starts_with("google.") ||
            key.starts_with("gcm.")) {
            return problem{field, fmt::format("Invalid data payload key: {}", key)};
        }
        ++place;
    }
    return std::nullopt;
}

/// An object member whose names are known; its values are checked where they are named.
verdict check_object(
    const json::object& owner, std::string_view name, const std::string& path, names known,
    names strings = {}) {
    const json::value* given = member(owner, name);
    if (given == nullptr) {
        return std::nullopt;
    }
    const std::string field = fmt::format("{}.{}", path, name);
    if (!given->is_object()) {
        return invalid_value(field, "type.googleapis.com/google.firebase.fcm.v1.Message", *given);
    }
    if (auto unknown = check_names(given->get_object(), field, known)) {
        return unknown;
    }
    for (const std::string_view one : strings) {
        const json::value* text = member(given->get_object(), one);
        if (text != nullptr && !text->is_string()) {
            return invalid_value(fmt::format("{}.{}", field, one), "TYPE_STRING", *text);
        }
    }
    return std::nullopt;
}

/// "3.5s", at most 28 days.
bool is_ttl(std::string_view text) {
    double seconds = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return failed == std::errc() && text.ends_with('s') && end == text.data() + text.size() - 1 &&
           seconds >= 0 && seconds <= 2'419'200;
}

verdict check_android(const json::object& message) {
    static constexpr auto strings =
        std::to_array<std::string_view>({"collapse_key", "restricted_package_name"});
    if (auto bad = check_object(message, "android", "message", android_names, strings)) {
        return bad;
    }
    const json::value* given = member(message, "android");
    if (given == nullptr) {
        return std::nullopt;
    }
    const json::object& android = given->get_object();
    const json::value* ttl = member(android, "ttl");
    if (ttl != nullptr && (!ttl->is_string() || !is_ttl(ttl->get_string()))) {
        return invalid_value("message.android.ttl", "type.googleapis.com/google.protobuf.Duration", *ttl);
    }
    if (const json::value* priority = member(android, "priority")) {
        const std::string word = priority->is_string() ? std::string(priority->get_string()) : "";
        if (word != "high" && word != "normal" && word != "HIGH" && word != "NORMAL") {
            return invalid_value(
                "message.android.priority",
                "type.googleapis.com/google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority", *priority);
        }
    }
    static constexpr auto words = std::to_array<std::string_view>(
        {"title", "body", "icon", "color", "sound", "tag", "channel_id", "image"});
    if (auto bad =
            check_object(android, "notification", "message.android", android_notification_names, words)) {
        return bad;
    }
    return check_data(android, "message.android");
}

verdict check_message(const json::object& message) {
    if (auto bad = check_names(message, "message", message_names)) {
        return bad;
    }
    if (auto bad = check_spellings(message, "message")) {
        return bad;
    }
    if (auto bad = check_object(message, "notification", "message", notification_names, notification_names)) {
        return bad;
    }
    if (auto bad = check_android(message)) {
        return bad;
    }
    if (auto bad = check_object(message, "apns", "message", apns_names)) {
        return bad;
    }
    if (auto bad = check_object(message, "webpush", "message", webpush_names)) {
        return bad;
    }
    return check_data(message, "message");
}

/// Bytes of keys and strings, which is what FCM's limit counts.
std::size_t weight(const json::value& of) {
    if (of.is_string()) {
        return of.get_string().size();
    }
    std::size_t sum = 0;
    if (of.is_object()) {
        for (const auto& one : of.get_object()) {
            sum += one.key().size() + weight(one.value());
        }
    } else if (of.is_array()) {
        for (const auto& one : of.get_array()) {
            sum += weight(one);
        }
    }
    return sum;
}

std::size_t payload_weight(const json::object& message) {
    std::size_t sum = 0;
    for (const auto& one : message) {
        if (std::ranges::find(targets, std::string_view(one.key())) == targets.end()) {
            sum += weight(one.value());
        }
    }
    return sum;
}

fcm_message bad_request(const problem& what) {
    fcm_message out;
    out.why = index_of(fcm::reason::invalid_argument);
    out.words = fcm_bad_request_body(what.field, what.description);
    return out;
}

fcm_message read_target(const json::object& message) {
    fcm_message out;
    std::size_t found = 0;
    for (const std::string_view name : targets) {
        const json::value* target = member(message, name);
        if (target == nullptr) {
            continue;
        }
        if (!target->is_string()) {
            return bad_request(*invalid_value(fmt::format("message.{}", name), "TYPE_STRING", *target));
        }
        ++found;
        out.target = target->get_string();
        out.single_device = name == "token" || name == "fid";
    }
    if (found != 1) {
        return bad_request(
            {"message", found == 0 ? "Recipient of the message is not set."
                                   : "Only one of token, fid, topic and condition may be set."});
    }
    if (out.single_device && (out.target.size() < 16 || !is_word(out.target, "-_:."))) {
        out.why = index_of(fcm::reason::invalid_token);
    } else if (!out.single_device && member(message, "topic") != nullptr && !is_word(out.target, "-_.~%")) {
        return bad_request({"message.topic", "Malformed topic name"});
    }
    return out;
}

}  // namespace

fcm_message read_fcm_message(std::string_view body) {
    error_code ec;
    const json::value document = json::parse(body, ec);
    if (ec || !document.is_object()) {
        return bad_request({"", "Invalid JSON payload received. Unexpected token."});
    }
    const json::object& request = document.get_object();
    if (auto bad = check_names(request, "", request_names)) {
        return bad_request(*bad);
    }
    const json::value* validate_only = member(request, "validate_only");
    if (validate_only != nullptr && !validate_only->is_bool()) {
        return bad_request(*invalid_value("validate_only", "TYPE_BOOL", *validate_only));
    }
    const json::value* given = member(request, "message");
    if (given == nullptr || !given->is_object()) {
        return bad_request({"message", "Message is required."});
    }
    const json::object& message = given->get_object();
    if (auto bad = check_message(message)) {
        return bad_request(*bad);
    }
    fcm_message out = read_target(message);
    if (out.why == success && payload_weight(message) > (out.single_device ? device_limit : topic_limit)) {
        out.why = index_of(fcm::reason::message_too_big);
    }
    out.validate_only = validate_only != nullptr && validate_only->get_bool();
    return out;
}

}  // namespace tocsin::sim
