#pragma once

#include "providers/fcm/causes.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// What becomes of a push that gets an answer once, and success from then on.
enum class fate_of : std::uint8_t {
    accepted,
    dead,       ///< Removed from the store and reported.
    rejected,   ///< Kept.
    retried,    ///< Tried again soon, and then accepted.
    refreshed,  ///< Tried again with a fresh credential, at no charge, and then accepted.
    postponed,  ///< As `late`, at no charge.
    late,    ///< To be tried again after more time than the event has: before it is over, and then accepted.
    paused,  ///< A complaint about the credential: tried again at no charge, and then accepted.
    quota,   ///< Its lane waits for a quota: expired.
};

/// One answer and what has to follow, as docs/reference/provider-answers.md says. Written down here a second
/// time and not read from the product's table: that is what makes it a check.
struct answer_row {
    std::uint16_t status = 200;
    std::string_view reason;      ///< As the simulator calls it; empty: success.
    std::string_view counted_as;  ///< As metrics and results call it.
    fate_of what = fate_of::accepted;
    int ttl_seconds = 60;
    fcm::cause cause = fcm::cause::accepted;  ///< FCM only.
    bool after_success = false;    ///< Another device of the same event is accepted before the answer.
    bool unknown_project = false;  ///< In an app that FCM has accepted nothing of.
};

[[nodiscard]] const std::vector<answer_row>& apns_rows();
[[nodiscard]] const std::vector<answer_row>& fcm_rows();

/// True if the row would disturb others of its app, or be disturbed.
[[nodiscard]] bool needs_own_app(const answer_row& row) noexcept;
/// The member of a result that counts it.
[[nodiscard]] const char* outcome_of(const answer_row& row) noexcept;

}  // namespace tocsin::testing
