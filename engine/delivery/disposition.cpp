#include "engine/delivery/disposition.hpp"

#include <algorithm>
#include <optional>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// What was certainly not processed goes back at once a few times, then after growing steps; a push that
// keeps being refused so is going round in a loop, and is charged from then on.
constexpr std::uint32_t immediate_requeues = 3;
constexpr std::uint32_t most_free_requeues = 10;
constexpr milliseconds requeue_step = 50ms;
// Until a push is tried again that alone was told that the credential is bad.
constexpr milliseconds complaint_step = 1s;
constexpr milliseconds quota_pause = 60s;
constexpr milliseconds least_postponed = 500ms;
// What waits in Redis is looked for about once a second.
constexpr milliseconds enough_to_come_back = 3s;
// Of a lane that is probed for its provider: what waits longer would not notice the end.
constexpr milliseconds longest_charged_wait = 20s;

disposition ended(outcome how) {
    disposition out;
    out.next = fate::end;
    out.how = how;
    return out;
}

disposition requeued(bool behind) {
    disposition out;
    out.next = fate::requeue;
    out.behind = behind;
    return out;
}

/// Of a wait that the provider has not asked for: there is another try before the event expires.
milliseconds before_its_end(milliseconds wait, const attempt_facts& attempt) {
    return std::min(wait, std::max(std::chrono::floor<milliseconds>(attempt.time_left) / 2, least_postponed));
}

/// The same where the devices of an event wait by the thousand for the same thing: a quarter of the time is
/// enough to try them all again, and the last tries are few.
milliseconds late_before_its_end(milliseconds wait, const attempt_facts& attempt) {
    const auto left = std::chrono::floor<milliseconds>(attempt.time_left);
    const milliseconds late = std::min(left * 3 / 4, left - enough_to_come_back);
    return std::min(wait, std::max(late, before_its_end(wait, attempt)));
}

/// Charged, and tried again later; or at its end.
disposition retried(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    if (attempt.attempts + 1 >= lane.max_attempts) {
        return ended(outcome::failed);
    }
    std::optional<milliseconds> asked_for = answer.retry_after;
    if (asked_for) {
        asked_for = std::min<milliseconds>(*asked_for, longest_told_wait);
    }
    // A connection that broke took many with it, and says nothing about how much the provider can bear. While
    // it works they come again without drawing on what keeps an outage from being stormed.
    const bool of_a_cut = answer.cut && lane.works;
    disposition out;
    if (asked_for && !answer.told) {
        asked_for = before_its_end(*asked_for, attempt);
    }
    out.wait = lane.retries.delay(attempt.attempts + 1, asked_for, lane.retry_affordable || of_a_cut, jitter);
    if (out.wait >= attempt.time_left) {
        return ended(outcome::expired);
    }
    out.charge = true;
    out.spends = lane.retry_affordable && !of_a_cut;
    // What may have been sent is written down before it is sent again: so each engine that opens a page
    // sends to a device of it once at most, and the openings bound the repeats.
    const bool in_memory =
        out.wait <= lane.longest_wait_in_memory && !attempt.maybe_sent && answer.action != reaction::unknown;
    out.next = in_memory ? fate::delay : fate::defer;
    return out;
}

/// Where it goes is to be left alone, or cannot be reached before an operator acts: that is not charged, and
/// holds up no other device.
disposition postponed(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    const bool needs_operator = answer.action == reaction::postpone;
    milliseconds wait = answer.retry_after.value_or(0ms);
    if (answer.told) {
        wait = std::min<milliseconds>(wait, longest_told_wait);
    } else {
        wait = needs_operator ? late_before_its_end(wait, attempt) : before_its_end(wait, attempt);
    }
    wait = lane.retries.delay(1, wait, true, jitter);
    if (wait >= attempt.time_left) {
        return ended(needs_operator ? outcome::failed : outcome::expired);
    }
    disposition out;
    out.next = wait <= lane.longest_wait_in_memory && !attempt.maybe_sent ? fate::delay : fate::defer;
    out.wait = wait;
    return out;
}

/// To a push of a lane that is, or has to be, paused for its provider.
disposition waiting_for_provider(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    const bool many_told = lane.provider_told + 1 >= provider_complaints_to_pause;
    disposition out;
    // What may have been sent is a repeat each time, so the tries bound it also while nobody is accepted.
    if (attempt.maybe_sent || answer.action == reaction::unknown) {
        verdict soon = answer;
        if (soon.retry_after && !soon.told) {
            soon.retry_after = std::min(*soon.retry_after, longest_charged_wait);
        }
        out = retried(attempt, soon, lane, jitter);
    } else if (answer.told && !many_told) {
        out = postponed(attempt, answer, lane, jitter);  // One device's word binds that device.
    } else {
        out = requeued(true);
    }
    out.pause = pausing::provider;
    if (answer.told && many_told) {
        out.pause_for = std::min<milliseconds>(answer.retry_after.value_or(0ms), longest_told_wait);
    }
    return out;
}

/// What concerns the provider as a whole is not charged to a push once it is known to be so.
disposition provider_trouble(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    if (answer.of_one_service) {
        return retried(attempt, answer, lane, jitter);
    }
    // While others are accepted it may be the push. While nobody is, the second time says enough: an outage
    // may meet one device, and would cost it the event, where a mistake of ours only costs the result some
    // time.
    const bool second_time = attempt.complained || attempt.attempts != 0;
    const bool wait_for_it = lane.provider_paused || lane.credential_paused ||
                             (second_time && lane.provider_unheard) ||
                             lane.provider_complaints + 1 >= provider_complaints_to_pause;
    disposition out = wait_for_it ? waiting_for_provider(attempt, answer, lane, jitter)
                                  : retried(attempt, answer, lane, jitter);
    out.about = complaint::provider;
    return out;
}

disposition resent(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    if (answer.of_one_service && answer.retry_after) {
        return postponed(attempt, answer, lane, jitter);
    }
    const std::uint32_t tries = attempt.free_requeues + 1;
    if (tries > most_free_requeues) {
        return provider_trouble(attempt, answer, lane, jitter);
    }
    disposition out = requeued(false);
    if (tries > immediate_requeues || answer.action == reaction::refresh_credential) {
        out.next = fate::delay;
        out.wait = requeue_step * tries;
    }
    return out;
}

disposition message_refused() {
    disposition out = ended(outcome::rejected);
    out.refuses_message = true;
    return out;
}

disposition credential_trouble(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    // While what the app sends by itself is refused, too, the event waits with the rest.
    if (attempt.overridden && answer.about_topic && !lane.credential_paused) {
        return message_refused();
    }
    // One device that keeps being answered so does not speak for the app while others are accepted.
    const bool says_something_new = !attempt.complained || !lane.works;
    const std::uint32_t complaints = lane.credential_complaints + (says_something_new ? 1U : 0U);
    disposition out;
    if (lane.credential_paused || complaints >= credential_complaints_to_pause) {
        out = requeued(true);
        out.pause = pausing::credential;
    } else if (says_something_new) {
        out.next = fate::delay;
        out.wait = complaint_step;
    } else {
        return retried(attempt, answer, lane, jitter);
    }
    out.about = complaint::credential;
    return out;
}

disposition token_doubted(const attempt_facts& attempt, const lane_facts& lane) {
    if (attempt.overridden) {
        return message_refused();
    }
    disposition out;
    if (lane.other_kind_works && lane.suspects + 1 >= suspects_to_pause) {
        // Those of one environment do not hold up the other.
        out = ended(outcome::rejected);
    } else if (lane.credential_paused || lane.suspects + 1 >= suspects_to_pause) {
        out = requeued(true);
        out.pause = pausing::credential;
    } else {
        out.next = fate::quarantine;
    }
    out.about = complaint::token;
    return out;
}

disposition token_gone(const attempt_facts& attempt, const verdict& answer) {
    if (attempt.overridden) {
        return message_refused();  // Gone from the app that the event names, which need not be ours.
    }
    // Registered again after the day it is said to be dead since: another life, not this one.
    const bool another_life = answer.dead_since && std::chrono::seconds(attempt.registered_at) >
                                                       answer.dead_since->time_since_epoch();
    return ended(another_life ? outcome::rejected : outcome::dead);
}

disposition quota_used_up(const verdict& answer) {
    disposition out = requeued(false);
    out.pause = pausing::quota;
    out.pause_for = std::min<milliseconds>(answer.retry_after.value_or(quota_pause), longest_told_wait);
    return out;
}

}  // namespace

disposition decide(
    const attempt_facts& attempt, const verdict& answer, const lane_facts& lane, std::minstd_rand& jitter) {
    switch (answer.action) {
        case reaction::accept: return ended(outcome::accepted);
        case reaction::drop_token: return token_gone(attempt, answer);
        case reaction::reject_push: return ended(outcome::rejected);
        case reaction::pause_quota: return quota_used_up(answer);
        case reaction::resend: return resent(attempt, answer, lane, jitter);
        case reaction::retry_here: return retried(attempt, answer, lane, jitter);
        case reaction::postpone: return postponed(attempt, answer, lane, jitter);
        case reaction::retry_elsewhere: return provider_trouble(attempt, answer, lane, jitter);
        case reaction::unknown: {
            disposition out = provider_trouble(attempt, answer, lane, jitter);
            out.maybe_sent = true;
            return out;
        }
        // What is wrong with a credential or a configuration that was replaced concerns nobody any more.
        case reaction::reject_event: return attempt.superseded ? requeued(false) : message_refused();
        case reaction::doubt_token:
            return attempt.superseded ? requeued(false) : token_doubted(attempt, lane);
        case reaction::pause_app:
            return attempt.superseded ? requeued(false) : credential_trouble(attempt, answer, lane, jitter);
        case reaction::refresh_credential:
            if (!attempt.superseded && attempt.free_requeues >= immediate_requeues) {
                return credential_trouble(attempt, answer, lane, jitter);
            }
            return resent(attempt, answer, lane, jitter);
    }
    return ended(outcome::failed);
}

disposition decide_refusal(const lane_facts& lane) {
    disposition out;
    out.about = complaint::credential;
    // One connection's word does not outweigh what was accepted lately.
    if (!lane.works || lane.credential_complaints + 1 >= credential_complaints_to_pause) {
        out.pause = pausing::credential;
    }
    return out;
}

disposition decide_suspect(const lane_facts& lane) {
    if (lane.credential_paused) {
        return requeued(true);
    }
    // Too few to speak of a mistake, or others were accepted. Nobody is removed on such a word.
    return ended(outcome::rejected);
}

}  // namespace tocsin
