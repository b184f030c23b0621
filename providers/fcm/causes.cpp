#include "providers/fcm/causes.hpp"

#include "providers/apns/reasons.hpp"
#include "providers/common/no_answer.hpp"
#include "providers/common/web_page.hpp"

#include <algorithm>
#include <array>

namespace tocsin::fcm {
namespace {

using enum reaction;

// Remedies are for a person. What the engine does by itself follows from the reaction.
constexpr std::string_view device_is_gone =
    "There is nothing to correct: if the app is still there, it registers a new token.";
constexpr std::string_view see_status = "See the Firebase status page if it goes on.";

constexpr auto table = std::to_array<cause_row>({
    {cause::accepted, accept, pace::none, "FCM accepted the message.",
     "Accepted is not delivered: FCM shows it when the device can be reached."},
    {cause::unregistered, drop_token, pace::none,
     "The app is no longer on the device, or its token was replaced.", device_is_gone},
    {cause::not_found_while_others_succeed, doubt_token, pace::none,
     "FCM does not know the device, and the project works for others; it does not say that the device is "
     "gone.",
     "If the app is still there, it registers a new token."},
    {cause::not_found, reject_push, pace::none,
     "FCM does not know the device or the project; nothing was accepted for this project lately.",
     "Check project_id of this app. If it is right, the device is gone."},
    {cause::wrong_address, pause_app, pace::none, "There is no FCM at this address, or no such project.",
     "Check url and project_id of this app, then reload."},
    {cause::dead_apple_token, doubt_token, pace::none, "APNs says that the device's token is dead.",
     device_is_gone},
    {cause::apple_credential, postpone, pace::operator_acts,
     "FCM cannot send to iOS devices of this project: APNs refuses the key that the Firebase project holds. "
     "Android is not concerned, nor is our own service account, whatever the message says.",
     "Upload a valid APNs key in the Firebase console (Project settings, Cloud Messaging)."},
    {cause::access_token, refresh_credential, pace::none, "FCM does not accept our access token.",
     "If this goes on, check the service account's key."},
    {cause::sender_mismatch, doubt_token, pace::none, "The token belongs to another Firebase project.",
     "If many devices answer so, service_account_file or project_id of this app is another app's."},
    {cause::forbidden, pause_app, pace::none,
     "The service account may not send for this project, or the Cloud Messaging API is off.",
     "Enable the Firebase Cloud Messaging API, and grant the account cloudmessaging.messages.create."},
    {cause::bad_token, doubt_token, pace::none, "The token is not a registration token.",
     "If many devices answer so, check what the app registers."},
    {cause::bad_token_by_elimination, reject_push, pace::none,
     "FCM calls the request invalid though it took the same message for other devices: it is this device's "
     "token, or what the message holds for its kind.",
     "If all are iPhones, or of one language, correct that part of the event. The log holds FCM's own "
     "words."},
    {cause::bad_message, reject_event, pace::none, "FCM calls the message invalid.",
     "Correct the event; one that was published needs a new id. The log holds FCM's own words."},
    {cause::project_quota, pause_quota, pace::minute, "The project's quota of messages a minute is used up.",
     "Set rate of this app below the quota, or ask Google for more."},
    {cause::device_quota, retry_here, pace::device, "Too many messages for this device.",
     "Send such devices fewer events."},
    {cause::topic_quota, retry_here, pace::minute, "The quota of a topic is used up.",
     "Send fewer messages to topics, or ask Google for more."},
    {cause::unclear_quota, retry_here, pace::device, "A quota is used up, and FCM does not say which.",
     "Send such devices fewer events, or ask Google for more."},
    {cause::internal, retry_elsewhere, pace::server, "FCM has an internal error.", see_status},
    {cause::unavailable, retry_elsewhere, pace::server, "FCM is not available.", see_status},
    {cause::unknown, retry_here, pace::server, "FCM answered something that this version does not know.",
     "Look the word up in Google's documentation."},
});
static_assert(std::ranges::is_sorted(table, {}, &cause_row::why));
static_assert(table.size() == static_cast<std::size_t>(cause::unknown) + 1);

constexpr auto codes = std::to_array<std::string_view>(
    {"UNREGISTERED", "THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR", "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED",
     "INTERNAL", "UNAVAILABLE", "UNSPECIFIED_ERROR"});

constexpr std::string_view malformed_token = "The registration token is not a valid FCM registration token";

bool contains(std::string_view text, std::string_view part) noexcept {
    return std::ranges::search(text, part, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
           }).begin() != text.end();
}

/// True if one of the texts that say which quota it was holds `word` (lower case).
bool quota_names(const error_facts& facts, std::string_view word) noexcept {
    return contains(facts.quota_subject, word) || contains(facts.quota_text, word) ||
           contains(facts.message, word);
}

bool is_dead_apple_token(std::string_view reason) noexcept {
    const auto* row = apns::find_reason(reason);
    return row != nullptr && (row->action == reaction::drop_token || row->action == reaction::doubt_token);
}

bool is_apple_credential(std::string_view reason) noexcept {
    const auto* row = apns::find_reason(reason);
    return row != nullptr &&
           (row->action == reaction::pause_app || row->action == reaction::refresh_credential);
}

cause quota_cause(const error_facts& facts) noexcept {
    if (contains(facts.quota_limit, "perproject") || facts.fcm_code.empty()) {
        return cause::project_quota;
    }
    if (quota_names(facts, "device")) {
        return cause::device_quota;
    }
    return quota_names(facts, "topic") ? cause::topic_quota : cause::unclear_quota;
}

cause invalid_argument_cause(const error_facts& facts, const surroundings& around) noexcept {
    if (facts.names_token_field ||
        (facts.fcm_code == "INVALID_ARGUMENT" && facts.message.starts_with(malformed_token))) {
        return cause::bad_token;
    }
    // Not if FCM names a field of the payload: then it is the payload, and the token stays.
    if (facts.fcm_code == "INVALID_ARGUMENT" && around.message_accepted && !facts.names_other_field) {
        return cause::bad_token_by_elimination;
    }
    return cause::bad_message;
}

}  // namespace

std::span<const cause_row> cause_table() noexcept {
    return table;
}

const cause_row& row_of(cause why) noexcept {
    return table[static_cast<std::size_t>(why)];
}

cause find_cause(const error_facts& facts, const surroundings& around) noexcept {
    const std::string_view code = facts.fcm_code;
    if (facts.status >= 200 && facts.status <= 299) {
        return facts.is_page ? cause::wrong_address : cause::accepted;
    }
    // Google says it with 404; its SDKs know envelopes of 400, in which this code is what counts.
    if (code == "UNREGISTERED" && (facts.status == 404 || facts.status == 400)) {
        return cause::unregistered;
    }
    if (is_dead_apple_token(facts.apns_reason)) {
        return cause::dead_apple_token;
    }
    if (is_apple_credential(facts.apns_reason) || code == "THIRD_PARTY_AUTH_ERROR" ||
        code == "APNS_AUTH_ERROR") {
        return cause::apple_credential;
    }
    if (code == "SENDER_ID_MISMATCH") {
        return cause::sender_mismatch;
    }
    if (facts.status == 429 || code == "QUOTA_EXCEEDED") {
        return quota_cause(facts);
    }
    if (code == "INTERNAL") {
        return cause::internal;
    }
    if (code == "UNAVAILABLE") {
        return cause::unavailable;
    }
    switch (facts.status) {
        case 400: return code == "UNSPECIFIED_ERROR" ? cause::unknown : invalid_argument_cause(facts, around);
        case 401: return cause::access_token;
        case 403: return code.empty() ? cause::forbidden : cause::unknown;
        case 404:
            if (!facts.has_envelope) {
                return cause::wrong_address;
            }
            if (!code.empty()) {
                return cause::unknown;
            }
            return around.project_works ? cause::not_found_while_others_succeed : cause::not_found;
        case 408:
        case 502:
        case 503:
        case 504: return cause::unavailable;
        default: break;
    }
    return facts.status >= 500 && facts.status <= 599 ? cause::internal : cause::unknown;
}

std::string_view word_for(const error_facts& facts, cause why) noexcept {
    if (why == cause::accepted) {
        return {};
    }
    if (facts.is_page && facts.status >= 200 && facts.status <= 299) {
        return web_page_word;
    }
    if (why == cause::dead_apple_token || (why == cause::apple_credential && !facts.apns_reason.empty())) {
        return facts.apns_reason;
    }
    for (const std::string_view word : {facts.fcm_code, facts.info_reason, facts.rpc_status}) {
        if (!word.empty()) {
            return word;
        }
    }
    return "NoReason";
}

std::span<const std::string_view> documented_codes() noexcept {
    return codes;
}

std::string explain(std::uint16_t status, std::string_view word) {
    if (status == 0) {
        return std::string(explain_no_answer(word));
    }
    if (word == web_page_word) {
        const cause_row& row = row_of(cause::wrong_address);
        return std::string(row.meaning) + ' ' + std::string(row.remedy);
    }
    // The word alone is left of the answer: put it back where it can have come from.
    error_facts facts;
    facts.status = status;
    facts.has_envelope = word != "NoReason";
    if (std::ranges::find(codes, word) != codes.end()) {
        facts.fcm_code = word;
    } else if (apns::find_reason(word) != nullptr) {
        facts.apns_reason = word;
    }
    const cause_row& row = row_of(find_cause(facts, {}));
    std::string out(row.meaning);
    out += ' ';
    out += row.remedy;
    return out;
}

}  // namespace tocsin::fcm
