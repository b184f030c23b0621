#include "tools/simulator/apns_conversation.hpp"

#include "tools/simulator/dead_token.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace tocsin::sim {
namespace {

using apns::reason;

enum header_bit : std::uint32_t {
    bit_path = 1U << 0U,
    bit_authorization = 1U << 1U,
    bit_id = 1U << 2U,
    bit_topic = 1U << 3U,
    bit_priority = 1U << 4U,
    bit_push_type = 1U << 5U,
    bit_expiration = 1U << 6U,
    bit_collapse_id = 1U << 7U,
};

struct push_type_row {
    std::string_view name;
    std::string_view suffix;  ///< That the topic must end with.
};
// The number of a push type in a request is its place here plus one.
constexpr auto push_types = std::to_array<push_type_row>(
    {{"alert", ""},
     {"background", ""},
     {"voip", ".voip"},
     {"complication", ".complication"},
     {"fileprovider", ".pushkit.fileprovider"},
     {"mdm", ""},
     {"location", ".location-query"},
     {"liveactivity", ".push-type.liveactivity"},
     {"pushtotalk", ".voip-ptt"},
     {"widgets", ".push-type.widgets"},
     {"controls", ".push-type.controls"}});
constexpr std::uint8_t background = 2;
constexpr std::uint8_t voip = 3;
constexpr std::uint8_t unknown = 255;

constexpr std::int64_t token_lifetime_s = 3600;

/// 256 entries: the lower-case form of a hexadecimal digit, 0 for everything else.
constexpr auto hex_digits = [] {
    std::array<char, 256> table{};
    for (char c = '0'; c <= '9'; ++c) {
        table[static_cast<unsigned char>(c)] = c;
    }
    for (char c = 'a'; c <= 'f'; ++c) {
        table[static_cast<unsigned char>(c)] = c;
        table[static_cast<unsigned char>(c - 'a' + 'A')] = c;
    }
    return table;
}();

constexpr char hex_digit(char c) noexcept {
    return hex_digits[static_cast<unsigned char>(c)];
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : hex_digit(text[i]) == 0) {
            return false;
        }
    }
    return true;
}

bool is_number(std::string_view text) noexcept {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc() && end == text.data() + text.size() && number >= 0;
}

std::uint8_t priority_of(std::string_view text) noexcept {
    if (text == "10") {
        return 10;
    }
    return text == "5" ? 5 : text == "1" ? 1 : unknown;
}

std::uint8_t push_type_of(std::string_view text) noexcept {
    const auto found = std::ranges::find(push_types, text, &push_type_row::name);
    return found == push_types.end() ? unknown : static_cast<std::uint8_t>(found - push_types.begin() + 1);
}

/// The bundle id of a topic that may have a push type's suffix.
std::string_view bundle_of(std::string_view topic) noexcept {
    for (const push_type_row& row : push_types) {
        if (!row.suffix.empty() && topic.ends_with(row.suffix)) {
            return topic.substr(0, topic.size() - row.suffix.size());
        }
    }
    return topic;
}

/// True the first time a header is seen.
bool first_time(request& asked, header_bit bit) noexcept {
    asked.duplicate_header = asked.duplicate_header || (asked.seen & bit) != 0;
    asked.seen |= bit;
    return true;
}

}  // namespace

void apns_conversation::on_header(request& asked, std::string_view name, std::string_view value) noexcept {
    switch (name.size()) {
        case 5:
            if (name == ":path" && first_time(asked, bit_path)) {
                read_path(asked, value);
            }
            return;
        case 7:
            if (name == "apns-id" && first_time(asked, bit_id)) {
                asked.bad_id = !is_uuid(value);
                if (!asked.bad_id) {
                    std::memcpy(asked.apns_id.data(), value.data(), asked.apns_id.size());
                    asked.has_apns_id = true;
                }
            } else if (name == ":method") {
                asked.post = value == "POST";
            }
            return;
        case 10:
            if (name == "apns-topic" && first_time(asked, bit_topic)) {
                read_topic(asked, value);
            }
            return;
        case 13:
            if (name == "authorization" && first_time(asked, bit_authorization)) {
                if (value != last_authorization_ || last_bearer_ == nullptr) {
                    last_authorization_ = value;
                    last_bearer_ = &desk_.read(value);
                }
                asked.credential = last_bearer_;
            } else if (name == "apns-priority" && first_time(asked, bit_priority)) {
                asked.priority = priority_of(value);
            }
            return;
        case 14:
            if (name == "apns-push-type" && first_time(asked, bit_push_type)) {
                asked.push_type = push_type_of(value);
            }
            return;
        case 15:
            if (name == "apns-expiration" && first_time(asked, bit_expiration)) {
                asked.bad_expiration = !is_number(value);
            }
            return;
        case 16:
            if (name == "apns-collapse-id" && first_time(asked, bit_collapse_id)) {
                asked.bad_collapse_id = value.size() > 64;
            }
            return;
        default: return;
    }
}

void apns_conversation::read_path(request& asked, std::string_view path) noexcept {
    constexpr std::string_view prefix = "/3/device/";
    if (!path.starts_with(prefix)) {
        asked.flaw = index_of(path == "/3/device" ? reason::missing_device_token : reason::bad_path);
        return;
    }
    path.remove_prefix(prefix.size());
    if (path.empty()) {
        asked.flaw = index_of(reason::missing_device_token);
        return;
    }
    // 16 to 200 bytes: Apple says not to assume a length.
    std::string& token = asked.token_text;
    token.resize(path.size());
    bool odd = path.size() % 2 != 0 || path.size() < 32 || path.size() > 400;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char digit = hex_digit(path[i]);
        token[i] = digit;
        odd |= digit == 0;
    }
    if (odd) {
        asked.flaw =
            index_of(path.find('/') == std::string_view::npos ? reason::bad_device_token : reason::bad_path);
        return;
    }
    asked.token = token;
    asked.key = token_key(token);
}

void apns_conversation::read_topic(request& asked, std::string_view topic) noexcept {
    asked.topic_present = true;
    if (topic != last_topic_) {
        last_topic_ = topic;
        const auto found = desk_.known().find_topic(bundle_of(topic));
        last_owner_ = found ? static_cast<std::int32_t>(*found) : -1;
    }
    asked.topic = topic;
    asked.owner = last_owner_;
}

reason_index apns_conversation::check(
    request& asked, const provider_behaviour& rules, const moment& now) noexcept {
    if (!certificate_topic_.empty() && !asked.topic_present) {
        read_topic(asked, certificate_topic_);  // The certificate has but one topic, so it is the default.
    }
    reason_index why = check_headers(asked);
    if (why == success) {
        why = asked.flaw;
    }
    if (why == success) {
        why = check_credential(asked, rules, now);
    }
    return why != success ? why : check_payload(asked);
}

reason_index apns_conversation::check_headers(const request& asked) const noexcept {
    if (asked.duplicate_header) {
        return index_of(reason::duplicate_headers);
    }
    if (asked.bad_id) {
        return index_of(reason::bad_message_id);
    }
    if (!asked.post) {
        return index_of(reason::method_not_allowed);
    }
    if (!asked.topic_present) {
        return index_of(reason::missing_topic);
    }
    if (asked.bad_collapse_id) {
        return index_of(reason::bad_collapse_id);
    }
    if (asked.priority == unknown || (asked.push_type == background && asked.priority != 5)) {
        return index_of(reason::bad_priority);
    }
    if (asked.push_type == unknown) {
        return index_of(reason::invalid_push_type);
    }
    if (asked.bad_expiration) {
        return index_of(reason::bad_expiration_date);
    }
    if (asked.push_type != 0 && !asked.topic.ends_with(push_types[asked.push_type - 1U].suffix)) {
        return index_of(reason::bad_topic);
    }
    return success;
}

reason_index apns_conversation::check_credential(
    request& asked, const provider_behaviour& rules, const moment& now) noexcept {
    if (!certificate_topic_.empty()) {
        return bundle_of(asked.topic) == certificate_topic_ ? success : index_of(reason::topic_disallowed);
    }
    const wedge kind = rules.transport.after_expired_token;
    if (wedged_ || (called_expired_ && kind != wedge::off)) {
        return index_of(
            kind == wedge::internal ? reason::internal_server_error : reason::expired_provider_token);
    }
    const auto* bearer = static_cast<const apns_desk::bearer*>(asked.credential);
    return bearer == nullptr ? index_of(reason::missing_provider_token)
                             : check_bearer(*bearer, asked, rules, now);
}

reason_index apns_conversation::check_bearer(
    const apns_desk::bearer& bearer, const request& asked, const provider_behaviour& rules,
    const moment& now) noexcept {
    if (bearer.flaw != success) {
        return bearer.flaw;
    }
    const apns_key& key = desk_.known().keys[bearer.key];
    if (first_ != nullptr && first_ != &bearer) {
        const apns_key& first_key = desk_.known().keys[first_->key];
        if (first_key.team_id != key.team_id) {
            return index_of(reason::invalid_provider_token);
        }
        if (first_->key != bearer.key && (!first_key.topic.empty() || !key.topic.empty())) {
            return index_of(reason::unrelated_key_id_in_token);
        }
    }
    const std::int64_t age = now.wall_ms / 1000 - bearer.issued;
    // A minute of skew: a token from the future means a clock that is wrong.
    if (age > token_lifetime_s) {
        return index_of(reason::expired_provider_token);
    }
    if (age < -60) {
        return index_of(reason::invalid_provider_token);
    }
    if (current_ != &bearer) {
        const std::int64_t interval = std::int64_t{rules.min_token_refresh_s} * 1000;
        // The first token of a connection may be any; after that each must be in use for a while.
        if (current_ != nullptr && now.wall_ms - current_since_ms_ < interval) {
            return index_of(reason::too_many_provider_token_updates);
        }
        current_ = &bearer;
        current_since_ms_ = now.wall_ms;
    }
    if (first_ == nullptr) {
        first_ = &bearer;
    }
    if (!key.topic.empty() && bundle_of(asked.topic) != key.topic) {
        return index_of(reason::topic_disallowed);
    }
    if (asked.owner < 0 ||
        desk_.known().topics[static_cast<std::size_t>(asked.owner)].team_id != key.team_id) {
        return index_of(reason::invalid_provider_token);
    }
    proven_ = true;
    return success;
}

reason_index apns_conversation::check_payload(const request& asked) noexcept {
    if (asked.body.empty()) {
        return index_of(reason::payload_empty);
    }
    const std::size_t most = asked.push_type == voip ? 5120 : 4096;
    if (asked.body.size() > most) {
        return index_of(reason::payload_too_large);
    }
    // Apple has no reason for text that is not JSON; test servers use this one.
    return desk_.is_json(asked.body) ? success : index_of(reason::payload_empty);
}

void apns_conversation::accept(request& asked, const moment&) noexcept {
    asked.set_status(200);
    if (!asked.has_apns_id) {
        desk_.make_id(asked.apns_id);
        asked.has_apns_id = true;
    }
}

void apns_conversation::refuse(
    request& asked, reason_index why, const refusal_details& details, const moment& now) noexcept {
    accept(asked, now);
    called_expired_ = called_expired_ || why == index_of(reason::expired_provider_token);
    const reason_row& row = reasons_of(provider::apns)[why];
    asked.set_status(row.status);
    asked.reply_type = "application/json";
    asked.reply = desk_.body_of(why);
    if (row.status == 410) {
        asked.reply_text = fmt::format(
            R"({{"reason":"{}","timestamp":{}}})", row.name, details.timestamp.value_or(now.wall_ms));
        asked.reply = asked.reply_text;
    }
    if (details.retry_after) {
        asked.retry_after = fmt::format_int(*details.retry_after).str();
    }
}

}  // namespace tocsin::sim
