#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/retry_policy.hpp"
#include "engine/delivery/verdict.hpp"
#include "engine/plan/outcome.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

// From a provider's answer to what happens: every delay, charge and pause is decided here, and nowhere else.

namespace tocsin {

/// What is known of the push that was answered.
struct attempt_facts {
    std::uint32_t attempts = 0;       ///< Charged tries before this one.
    std::uint32_t free_requeues = 0;  ///< Tries before this one that were not charged.
    std::uint32_t registered_at = 0;  ///< Unix seconds.
    bool maybe_sent = false;          ///< An earlier try may have reached the device.
    bool complained = false;          ///< An earlier answer to it was a complaint, too.
    /// The event's own override says to which app, or as what, it is sent: what that provokes is its fault.
    bool overridden = false;
    /// The credential that it was sent with has been replaced meanwhile.
    bool superseded = false;
    duration time_left{};  ///< Until the event expires.
};

/// What is known of its lane, since it was last heard that the provider works.
struct lane_facts {
    bool credential_paused =
        false;                     ///< Paused by complaints about the credential: this was a probe, or late.
    bool provider_paused = false;  ///< The same for complaints about the provider as a whole.
    std::uint32_t credential_complaints = 0;
    std::uint32_t provider_complaints = 0;  ///< Of other devices; each counts once.
    std::uint32_t provider_told = 0;        ///< So many of them were told how long to wait.
    /// Nobody, of either environment, was accepted since an earlier complaint about the provider.
    bool provider_unheard = false;
    std::uint32_t suspects = 0;     ///< Tokens of this kind that were called bad.
    bool works = false;             ///< A push was accepted in the last minutes.
    bool other_kind_works = false;  ///< The same, of devices of the other environment.
    bool retry_affordable = true;   ///< What the budget says.
    std::size_t max_attempts = 5;
    retry_policy retries;
    std::chrono::milliseconds longest_wait_in_memory{2'000};
};

/// Where a push goes next.
enum class fate : std::uint8_t {
    end,         ///< It has its outcome.
    requeue,     ///< Back into the line: behind the others after a complaint, else in front.
    delay,       ///< Into the line again, in memory, after `wait`.
    defer,       ///< Into Redis, to come back after `wait`.
    quarantine,  ///< Kept until it is clear whether the answer is about the token or about us.
};

/// What an answer says of more than its own push.
enum class complaint : std::uint8_t { none, credential, provider, token };

enum class pausing : std::uint8_t {
    none,
    credential,  ///< Send nothing but a probe every few seconds, until one is accepted.
    provider,    ///< The same.
    quota,       ///< Send nothing for `pause_for`.
};

struct disposition {
    fate next = fate::end;
    outcome how = outcome::failed;  ///< With fate::end.
    std::chrono::milliseconds wait{};
    bool charge = false;           ///< It counts as one of the tries that a push has.
    bool spends = false;           ///< It costs the lane's budget of retries one.
    bool maybe_sent = false;       ///< From now on the push may have reached its device.
    bool refuses_message = false;  ///< A refusal of the event's message as this device gets it.
    bool behind = false;           ///< With fate::requeue: behind all that wait.
    complaint about = complaint::none;
    pausing pause = pausing::none;
    std::chrono::milliseconds pause_for{};
};

/// A pause takes complaints about so many pushes, and none that was accepted since.
constexpr std::uint32_t credential_complaints_to_pause = 3;
constexpr std::uint32_t provider_complaints_to_pause = 20;
constexpr std::uint32_t suspects_to_pause = 20;
/// No peer's word stops anything for longer: it may be a typo, and a probe costs little.
constexpr std::chrono::minutes longest_told_wait{15};

/// Pure but for `jitter`, which spreads the delays.
[[nodiscard]] disposition decide(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter);

/// What follows from a refusal of the credential that answers no push.
[[nodiscard]] disposition decide_refusal(const lane_facts& lane);

/// What becomes of a push in quarantine when all others of its page have ended.
[[nodiscard]] disposition decide_suspect(const lane_facts& lane);

}  // namespace tocsin
