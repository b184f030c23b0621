#pragma once

#include "engine/delivery/verdict.hpp"
#include "providers/fcm/error_body.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::fcm {

/// Why FCM answered as it did; one for each thing that we do differently about.
enum class cause : std::uint8_t {
    accepted,
    unregistered,
    not_found_while_others_succeed,  ///< NOT_FOUND without FcmError, and the project is known to work.
    not_found,                       ///< The same, and it is not.
    wrong_address,     ///< 404 that is not JSON, or a success that is a web page: no such API at this URL, or
                       ///< no such project.
    dead_apple_token,  ///< APNs' word for it, relayed; whatever FCM calls it.
    apple_credential,  ///< The APNs key in the Firebase project is bad: iOS alone is concerned.
    access_token,
    sender_mismatch,
    forbidden,
    bad_token,
    bad_token_by_elimination,  ///< INVALID_ARGUMENT for a payload that other devices took.
    bad_message,
    project_quota,
    device_quota,
    topic_quota,
    unclear_quota,
    internal,
    unavailable,
    unknown,
};

/// When a push that is to be tried again may be, if the answer does not say.
enum class pace : std::uint8_t {
    none,
    minute,         ///< 60 s (Google, "Scale FCM": 429 without Retry-After).
    device,         ///< 60 s, then twice as long each time.
    server,         ///< 10 s, then twice as long each time: Google's least interval.
    operator_acts,  ///< Five minutes.
};

struct cause_row {
    fcm::cause why;
    reaction action;
    pace when;
    std::string_view meaning;
    std::string_view remedy;
};

/// One row a cause, in the order of the enumeration.
[[nodiscard]] std::span<const cause_row> cause_table() noexcept;
[[nodiscard]] const cause_row& row_of(cause why) noexcept;

/// What is known of the app and the event beside the answer.
struct surroundings {
    bool project_works = false;     ///< FCM accepted something for this project lately.
    bool message_accepted = false;  ///< FCM accepted this very message for another device.
};

/// The first row of the decision table that fits. FcmError.errorCode goes before error.status, and
/// APNs' relayed reason before both: dead iPhones come disguised as INVALID_ARGUMENT.
[[nodiscard]] cause find_cause(const error_facts& facts, const surroundings& around) noexcept;

/// The word that stands for the answer in results and metrics: the most telling one that it holds.
/// A view into the facts, or of static storage; not sanitised.
[[nodiscard]] std::string_view word_for(const error_facts& facts, cause why) noexcept;

/// The codes of FcmError that Google documents and that are no status as well.
[[nodiscard]] std::span<const std::string_view> documented_codes() noexcept;

/// What `word` with `status` means and what to do, for people.
[[nodiscard]] std::string explain(std::uint16_t status, std::string_view word);

}  // namespace tocsin::fcm
