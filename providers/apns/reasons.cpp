#include "providers/apns/reasons.hpp"

#include "providers/common/no_answer.hpp"
#include "providers/common/web_page.hpp"

#include <algorithm>
#include <array>

namespace tocsin::apns {
namespace {

using enum reaction;
using enum http2::connection_advice;

// Remedies are for a person. What the engine does by itself follows from the reaction.
constexpr std::string_view nothing = "There is nothing to correct: it passes.";
constexpr std::string_view device_is_gone =
    "There is nothing to correct: if the app is still there, it registers a new token.";
constexpr std::string_view fix_the_event = "Correct the event; one that was published needs a new id.";
constexpr std::string_view our_bug = "This is a defect of the engine: please report it with the log.";
constexpr std::string_view fix_the_key =
    "Check team_id, key_id, key_file and topic of this app against the Apple developer account, then reload.";
constexpr std::string_view fix_the_certificate =
    "Check certificate_file of this app: its topic, its environment and its end date, then reload.";

// Sorted by reason for the binary search below; the static_assert holds us to it.
constexpr auto table = std::to_array<reason_row>({
    {403, "BadCertificate", pause_app, pace::engine, drain,
     "APNs does not accept the certificate: it has expired or was revoked.", fix_the_certificate},
    {403, "BadCertificateEnvironment", pause_app, pace::engine, drain,
     "The certificate is for the other environment.", fix_the_certificate},
    {400, "BadCollapseId", reject_event, pace::engine, keep, "The collapse id is longer than 64 bytes.",
     fix_the_event},
    {400, "BadDeviceToken", doubt_token, pace::engine, keep,
     "The token is not one of this environment, or not a token at all.",
     "If many devices answer so, production and sandbox are mixed up: check the environment that the app "
     "registers its tokens with."},
    // Apple's table spells it with Id; what is seen on the wire has none.
    {403, "BadEnvironmentKeyIdInToken", pause_app, pace::engine, drain,
     "The key may not be used in this environment.",
     "Make a key for this environment, or one for both, and set key_id and key_file."},
    {403, "BadEnvironmentKeyInToken", pause_app, pace::engine, drain,
     "The key may not be used in this environment.",
     "Make a key for this environment, or one for both, and set key_id and key_file."},
    {400, "BadExpirationDate", reject_event, pace::engine, keep, "The expiration is not a time.",
     fix_the_event},
    {400, "BadMessageId", reject_push, pace::engine, keep, "The apns-id is not a UUID.", our_bug},
    {404, "BadPath", reject_push, pace::engine, keep, "The path is not one that APNs knows.", our_bug},
    {400, "BadPriority", reject_event, pace::engine, keep,
     "The priority is not 1, 5 or 10, or does not fit the push type.", fix_the_event},
    {400, "BadTopic", pause_app, pace::engine, keep, "The topic is not a bundle id.",
     "Check topic of this app, then reload.", true},
    {400, "DeviceTokenNotForTopic", doubt_token, pace::engine, keep, "The token belongs to another app.",
     "If many devices answer so, check topic of this app: its devices were registered by another."},
    {400, "DuplicateHeaders", reject_event, pace::engine, keep, "A header was sent twice.", our_bug},
    {403, "ExpiredProviderToken", refresh_credential, pace::engine, drain,
     "Our provider token is older than an hour.", "If this goes on, this host's clock is wrong: check NTP."},
    {410, "ExpiredToken", drop_token, pace::engine, keep, "The device's token has expired.", device_is_gone},
    {403, "Forbidden", pause_app, pace::engine, drain, "The credential may not do this.", fix_the_key},
    {400, "IdleTimeout", retry_elsewhere, pace::at_once, drain,
     "APNs closes the connection because it was idle.", nothing},
    {500, "InternalServerError", retry_elsewhere, pace::outage, drain, "APNs has an internal error.",
     "See Apple's system status if it goes on."},
    {403, "InvalidProviderToken", pause_app, pace::engine, drain,
     "APNs does not accept our provider token: wrong team, wrong key, a key that may not send to this topic, "
     "or this host's clock is wrong.",
     "Check team_id, key_id, key_file and topic of this app against the Apple developer account, then "
     "reload; and check this host's clock (NTP).",
     true},
    {400, "InvalidPushType", reject_event, pace::engine, keep,
     "The push type is unknown, or does not fit the payload.", fix_the_event},
    {405, "MethodNotAllowed", reject_push, pace::engine, keep, "The method was not POST.",
     "Something between the engine and APNs changes requests: check url of this app."},
    {400, "MissingDeviceToken", reject_push, pace::engine, keep, "The path holds no token.", our_bug},
    {403, "MissingProviderToken", pause_app, pace::engine, drain,
     "The request carried neither a certificate nor a provider token.",
     "Set team_id, key_id and key_file, or certificate_file, then reload."},
    {400, "MissingTopic", pause_app, pace::engine, keep,
     "The certificate covers several topics and none was named.", "Set topic of this app, then reload.",
     true},
    {400, "PayloadEmpty", reject_event, pace::engine, keep, "The payload is empty.", fix_the_event},
    {413, "PayloadTooLarge", reject_event, pace::engine, keep,
     "The payload is larger than APNs takes (4096 bytes; 5120 for VoIP).", "Shorten the event."},
    {503, "ServiceUnavailable", retry_elsewhere, pace::outage, keep, "APNs is not available.",
     "See Apple's system status if it goes on."},
    {503, "Shutdown", retry_elsewhere, pace::outage, drain, "This APNs server is being shut down.", nothing},
    {429, "TooManyProviderTokenUpdates", pause_app, pace::engine, drain,
     "The provider token changed too often on this connection.",
     "If this goes on, does another program share the key, or is this host's clock being set again and "
     "again?"},
    {429, "TooManyRequests", retry_here, pace::device, keep,
     "Too many notifications for this device in a row.",
     "Send such devices fewer events, or give them one collapse_id."},
    {400, "TopicDisallowed", pause_app, pace::engine, drain, "The credential may not send to this topic.",
     fix_the_key, true},
    {410, "Unregistered", drop_token, pace::engine, keep, "The app is no longer on the device.",
     device_is_gone},
    {403, "UnrelatedKeyIdInToken", retry_elsewhere, pace::at_once, drain,
     "The connection was opened with another key.",
     "If this goes on, the key is not allowed for this topic."},
});
static_assert(std::ranges::is_sorted(table, {}, &reason_row::reason));
static_assert(std::ranges::adjacent_find(table, {}, &reason_row::reason) == table.end());

struct status_row {
    std::uint16_t first;
    std::uint16_t last;
    reason_row row;
};

// For reasons that are not in the table, and answers without any. First match. No token is dropped for a
// status alone: a proxy or a host of another service knows numbers, too.
constexpr auto by_status = std::to_array<status_row>({
    {200,
     299,
     {200, "Unknown", accept, pace::engine, keep, "APNs accepted the notification.",
      "Accepted is not delivered: APNs shows it when the device can be reached."}},
    {408,
     408,
     {408, "Unknown", retry_elsewhere, pace::engine, drain, "APNs waited too long for the request.",
      nothing}},
    {410,
     410,
     {410, "Unknown", doubt_token, pace::engine, keep,
      "The answer is 410, but not in the form in which APNs says that a device is gone.",
      "Check url of this app, and what stands between the engine and APNs."}},
    {413,
     413,
     {413, "Unknown", reject_event, pace::engine, keep, "The payload is too large.", "Shorten the event."}},
    {429,
     429,
     {429, "Unknown", retry_here, pace::device, keep, "Too many requests.",
      "Send such devices fewer events."}},
    {403,
     403,
     {403, "Unknown", pause_app, pace::engine, keep,
      "APNs refuses the credential for a reason that this version does not know.", fix_the_key}},
    {400,
     499,
     {400, "Unknown", reject_push, pace::engine, keep,
      "APNs refuses the request for a reason that this version does not know.",
      "Look the reason up in Apple's documentation, and at url of this app if there is none."}},
    {500,
     599,
     {500, "Unknown", retry_elsewhere, pace::outage, drain, "APNs is in trouble.",
      "See Apple's system status if it goes on."}},
    {0,
     0xFFFF,
     {0, "Unknown", retry_elsewhere, pace::engine, drain, "The answer is not one that APNs gives.",
      "Check url of this app, and what stands between the engine and APNs."}},
});

constexpr reason_row page_row{
    0,
    web_page_word,
    retry_elsewhere,
    pace::engine,
    drain,
    "There is a web page at this address, and not APNs.",
    "Check url of this app, and what stands between the engine and APNs."};

}  // namespace

std::span<const reason_row> reason_table() noexcept {
    return table;
}

const reason_row* find_reason(std::string_view reason) noexcept {
    const auto* const found = std::ranges::lower_bound(table, reason, {}, &reason_row::reason);
    return found == table.end() || found->reason != reason ? nullptr : found;
}

const reason_row& web_page_reason() noexcept {
    return page_row;
}

const reason_row& find_reason(std::uint16_t status, std::string_view reason) noexcept {
    const auto* const known = find_reason(reason);
    // The status must agree: a word alone, from who knows where, is not enough to delete a device.
    if (known != nullptr && known->status == status) {
        return *known;
    }
    return std::ranges::find_if(
               by_status,
               [status](const status_row& entry) { return status >= entry.first && status <= entry.last; })
        ->row;
}

std::string explain(std::uint16_t status, std::string_view reason) {
    if (status == 0) {
        if (reason == "MalformedToken") {
            return "The token cannot be one of APNs: it was not sent.";
        }
        if (reason == "SandboxBusy") {
            return "More pushes wait for the development environment than may.";
        }
        return std::string(explain_no_answer(reason));
    }
    const reason_row& row = reason == web_page_word ? page_row : find_reason(status, reason);
    std::string out(row.meaning);
    out += ' ';
    out += row.remedy;
    return out;
}

}  // namespace tocsin::apns
