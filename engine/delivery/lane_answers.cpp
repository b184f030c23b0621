#include "engine/delivery/lane.hpp"

#include <algorithm>
#include <string>
#include <utility>

// How a push ends, and what each kind of answer does.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// A push that keeps being refused unprocessed is going round in a loop: from then on it is charged.
constexpr std::uint8_t most_free_requeues = 10;
constexpr std::uint8_t immediate_requeues = 3;
constexpr auto requeue_step = 50ms;

// How long a lane waits before it tries an unusable credential again: somebody may have repaired it
// at the provider's end, where no signal reaches us.
constexpr auto credential_retry = 60s;
constexpr auto quota_pause = 60s;

// One device that brings about an unusual answer must not silence an alert for all others: the message itself
// is refused when so many say so, and nobody has taken it.
constexpr std::uint32_t refusals_to_believe = 3;

}  // namespace

void lane::settle(push& item, const verdict& what, time_point now) noexcept {
    --in_flight_;
    ++answers_;
    item.in_flight = false;
    if (what.status != 0) {
        numbers_.answered_after(now - item.written_at);
    }
    switch (what.action) {
        case reaction::accept: accept(item, now); break;
        case reaction::drop_token: drop_token(item, what); break;
        case reaction::doubt_token: put_on_trial(item, what.reason, now); break;
        case reaction::reject_push: finish(item, outcome::rejected, what.reason); break;
        case reaction::reject_event: reject_event(item, what); break;
        case reaction::pause_app:
            pause(what.reason, now + credential_retry, lane_bound::credential);
            enqueue(item);
            break;
        case reaction::pause_quota: wait_for_quota(item, what, now); break;
        case reaction::resend:
        case reaction::refresh_credential: resend(item, what, now); break;
        case reaction::unknown:
            item.maybe_sent = true;
            retry(item, what, now);
            break;
        case reaction::retry_here:
        case reaction::retry_elsewhere: retry(item, what, now); break;
    }
    if (stopped_) {
        stop(now);
    }
}

void lane::accept(push& item, time_point now) noexcept {
    page& of = *item.owner;
    doubt_.accepted(now);
    numbers_.ended(outcome::accepted);
    const wall_time answered(
        wall_ahead_ + std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()));
    of.accept(item, answered - of.event().accepted_at);
    if (message_reception* const reception = of.reception()) {
        reception->note_accepted();
    }
    after_end(of);
}

void lane::drop_token(push& item, const verdict& what) noexcept {
    // Registered again after the day it is said to be dead since: another life, not this one.
    const bool another_life =
        what.dead_since && std::chrono::seconds(item.registered_at) > what.dead_since->time_since_epoch();
    finish(item, another_life ? outcome::rejected : outcome::dead, what.reason);
}

void lane::reject_event(push& item, const verdict& what) noexcept {
    const page& of = *item.owner;
    message_reception* const reception = of.reception();
    const bool of_this_device = reception == nullptr || reception->accepted.load(std::memory_order_relaxed) ||
                                ++reception->refusals < refusals_to_believe;
    if (!of_this_device && !reception->rejected.exchange(true)) {
        log_.error(
            "event.rejected_by_provider", {{"event_id", of.event().id},
                                           {"app", which_.app},
                                           {"platform", to_string(which_.on)},
                                           {"status", what.status},
                                           {"reason", what.reason}});
    }
    finish(item, outcome::rejected, what.reason);
}

void lane::wait_for_quota(push& item, const verdict& what, time_point now) noexcept {
    const std::chrono::milliseconds rest = what.retry_after.value_or(quota_pause);
    if (now + rest > pause_.until()) {
        pause(what.reason, now + rest, lane_bound::quota);
        events_.quota_used_up(rest);
    }
    enqueue(item);
}

void lane::resend(push& item, const verdict& what, time_point now) noexcept {
    if (++item.free_requeues > most_free_requeues) {
        retry(item, what, now);
    } else if (item.free_requeues > immediate_requeues || what.action == reaction::refresh_credential) {
        enqueue_later(item, now + requeue_step * item.free_requeues);
    } else {
        enqueue(item);
    }
}

void lane::retry(push& item, const verdict& what, time_point now) noexcept {
    page& of = *item.owner;
    const std::string_view reason = what.reason.empty() ? std::string_view("NoAnswer") : what.reason;
    if (++item.attempts >= how_.max_attempts) {
        finish(item, outcome::failed, reason);
        return;
    }
    const bool affordable = retry_budget_.afford();
    const auto delay = how_.retries.delay(item.attempts, what.retry_after, affordable, random_);
    if (now + delay >= of.event().expires) {
        of.count_reason(reason);
        finish(item, outcome::expired, {});
        return;
    }
    of.count_retry();
    numbers_.retried(reason);
    // What may have been sent is written down before it is sent again: so each engine that opens a page sends
    // to a device of it once at most, and the openings bound the repeats.
    if (delay <= how_.longest_wait_in_memory && !item.maybe_sent) {
        enqueue_later(item, now + delay);
    } else {
        park(item, delay);
    }
}

void lane::finish(push& item, outcome how, std::string_view reason) noexcept {
    page& of = *item.owner;
    numbers_.ended(how);
    if (!reason.empty()) {
        of.count_reason(reason);
    }
    if (how == outcome::dead) {
        of.die(item, reason);
    } else {
        of.finish(item, how);
    }
    after_end(of);
}

void lane::park(push& item, std::chrono::milliseconds rest) noexcept {
    page& of = *item.owner;
    of.park(item, time_.wall_now() + std::max(rest, 0ms));
    after_end(of);
}

void lane::after_end(page& of) noexcept {
    if (of.done()) {
        events_.page_done(of);
    } else if (of.only_trials_left()) {
        judge(of, time_.now());
    }
}

void lane::put_on_trial(push& item, std::string_view reason, time_point now) noexcept {
    if (pause_.lasts_for(lane_bound::credential, now)) {
        enqueue(item);  // An answer that was under way when the lane was paused says nothing new.
        return;
    }
    doubt_.keep(item, reason, now);
    if (doubt_.implausible(in_flight_)) {
        trip(reason, now);
    } else if (item.owner->only_trials_left()) {
        judge(*item.owner, now);
    }
}

void lane::judge(page& of, time_point now) noexcept {
    if (doubt_.in_doubt()) {
        trip(doubt_.last_reason(), now);
        return;
    }
    // The credential has been heard to work, or there are too few to speak of a mistake.
    for (const token_doubt::trial& one : doubt_.release(of)) {
        finish(*one.item, outcome::dead, one.reason);
    }
}

void lane::trip(std::string_view reason, time_point now) noexcept {
    log_.error(
        "lane.tokens_doubted", {{"app", which_.app},
                                {"platform", to_string(which_.on)},
                                {"reason", reason},
                                {"tokens_kept", doubt_.kept()},
                                {"advice",
                                 "Check url, environment, topic, project and key of this app, then "
                                 "reload; nobody was removed."}});
    pause(reason, now + doubt_.trip(), lane_bound::credential);
    acquit();
}

/// What was kept stands in line again.
void lane::acquit() noexcept {
    for (const token_doubt::trial& one : doubt_.release()) {
        enqueue(*one.item);
    }
}

void lane::pause(std::string_view why, time_point until, lane_bound cause) noexcept {
    if (pause_.begin(why, until, cause)) {
        log_.error(
            "lane.paused", {{"app", which_.app},
                            {"platform", to_string(which_.on)},
                            {"cause", to_string(cause)},
                            {"reason", why}});
    }
    events_.look_at(pause_.until());
}

void lane::hold_quota(time_point until) noexcept {
    if (until > pause_.until() && until > time_.now()) {
        pause("QuotaUsedUp", until, lane_bound::quota);
    }
}

}  // namespace tocsin
