#include "engine/delivery/lane.hpp"
#include "engine/delivery/service_proof.hpp"

#include <algorithm>
#include <limits>

// What an answer does: disposition.cpp decides, and this carries it out.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// What the provider said, for the sums; a push without any answer has a word, too.
std::string_view reason_of(const verdict& what) noexcept {
    return what.reason.empty() ? std::string_view("NoAnswer") : what.reason;
}

}  // namespace

attempt_facts lane::facts_of(const push& item, time_point now, bool superseded) const noexcept {
    attempt_facts out;
    out.attempts = item.attempts;
    out.free_requeues = item.free_requeues;
    out.registered_at = item.registered_at;
    out.maybe_sent = item.maybe_sent;
    out.complained = item.complained;
    out.overridden = item.content != nullptr && item.content->overridden();
    out.superseded = superseded;
    out.time_left = item.owner->event().expires - now;
    return out;
}

lane_facts lane::facts_for(bool sandbox, std::string_view token, time_point now) const noexcept {
    lane_facts out;
    out.credential_paused = pause_.probing() && pause_.cause() == lane_bound::credential;
    out.provider_paused = pause_.probing() && pause_.cause() == lane_bound::provider;
    trust_.tell(out, sandbox, token, now);
    out.retry_affordable = retry_budget_.affordable();
    out.max_attempts = how_.max_attempts;
    out.retries = how_.retries;
    out.longest_wait_in_memory = how_.longest_wait_in_memory;
    return out;
}

void lane::answered(push& item, const verdict& what, time_point now, bool superseded) noexcept {
    --in_flight_;
    ++answers_;
    item.in_flight = false;
    if (what.status != 0) {
        numbers_.answered_after(now - item.written_at);
    }
    const disposition decided =
        decide(facts_of(item, now, superseded), what, facts_for(item.sandbox, item.token, now), random_);
    carry_out(item, what, decided, now);
    if (stopped_) {
        stop(now);
    }
}

void lane::refuse_credential(std::string_view reason, time_point now) noexcept {
    const disposition decided = decide_refusal(facts_for(false, {}, now));
    verdict what;
    what.action = reaction::pause_app;
    what.reason = reason;
    trust_.note(false, decided.about);
    begin_pause(decided, what, now);
}

void lane::note(const push& item, const verdict& what, const disposition& decided, time_point now) noexcept {
    if (decided.about == complaint::provider) {
        trust_.note_trouble(item.sandbox, item.token, what.told, now);
    } else {
        trust_.note(item.sandbox, decided.about);
    }
    const bool served =
        what.status != 0 && what.action != reaction::accept && !what.of_one_service && shows_service(what);
    if (served) {
        trust_.served(item.sandbox, now);
        if (pause_.lasts_for(lane_bound::provider, now)) {
            end_pause(now);
        }
    }
}

void lane::carry_out(push& item, const verdict& what, const disposition& decided, time_point now) noexcept {
    note(item, what, decided, now);
    item.complained = item.complained || decided.about != complaint::none;
    item.maybe_sent = item.maybe_sent || decided.maybe_sent;
    if (decided.charge) {
        ++item.attempts;
        item.owner->count_retry();
        numbers_.retried(reason_of(what));
    } else if (item.free_requeues < std::numeric_limits<std::uint8_t>::max()) {
        ++item.free_requeues;
    }
    if (decided.spends) {
        retry_budget_.spend();
    }
    if (decided.refuses_message) {
        refuse_message(item, what);
    }
    begin_pause(decided, what, now);
    switch (decided.next) {
        case fate::end: end(item, decided.how, what, now); break;
        case fate::requeue: enqueue(item, decided.behind); break;
        case fate::delay: enqueue_later(item, now + decided.wait); break;
        case fate::defer: park(item, decided.wait); break;
        case fate::quarantine:
            quarantine_.keep(item, what.reason);
            after_end(*item.owner);
            break;
    }
}

void lane::end(push& item, outcome how, const verdict& what, time_point now) noexcept {
    if (how == outcome::accepted) {
        accept(item, now);
    } else {
        // What was tried in vain has a reason in any case.
        const bool tried_in_vain = how == outcome::failed || how == outcome::expired;
        finish(item, how, tried_in_vain ? reason_of(what) : what.reason);
    }
}

void lane::accept(push& item, time_point now) noexcept {
    page& of = *item.owner;
    const bool sandbox = item.sandbox;
    trust_.accepted(sandbox, now);
    numbers_.ended(outcome::accepted);
    const wall_time answered(
        wall_ahead_ + std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()));
    if (message_reception* const reception = of.reception()) {
        reception->of(item.variant).note_accepted();
    }
    of.accept(item, answered - of.event().accepted_at);
    after_end(of);
    end_pause(now);
    if (!quarantine_.empty()) [[unlikely]] {
        // The app's key, topic and environment are right for such devices: it is those tokens.
        for (const quarantine::suspect& one :
             quarantine_.release([sandbox](const push& kept) { return kept.sandbox == sandbox; })) {
            finish(*one.item, outcome::rejected, one.reason);
        }
    }
}

/// What was probed is over.
void lane::end_pause(time_point now) noexcept {
    if (pause_.accepted()) [[unlikely]] {
        if (!pause_.lasts(now) && pause_.forget()) {
            log_.info("lane.resumed", {{"app", which_.app}, {"platform", to_string(which_.on)}});
        }
        owner_.look_at(now);  // What waits may leave again.
    }
}

void lane::refuse_message(push& item, const verdict& what) noexcept {
    const page& of = *item.owner;
    message_reception* const reception = of.reception();
    if (reception != nullptr && reception->of(item.variant).refuse()) {
        log_.error(
            "event.rejected_by_provider", {{"event_id", of.event().id},
                                           {"app", which_.app},
                                           {"platform", to_string(which_.on)},
                                           {"localization", item.variant},
                                           {"status", what.status},
                                           {"reason", what.reason}});
    }
}

void lane::begin_pause(const disposition& decided, const verdict& what, time_point now) noexcept {
    bool news = false;
    switch (decided.pause) {
        case pausing::none: return;
        case pausing::quota:
            if (now + decided.pause_for <= pause_.quota_until()) {
                return;
            }
            news = pause_.wait(what.reason, now + decided.pause_for);
            owner_.quota_used_up(decided.pause_for);
            break;
        case pausing::credential:
            news = pause_.probe(what.reason, lane_bound::credential, now, 0ms);
            if (news && decided.about == complaint::token) {
                log_.error(
                    "lane.tokens_doubted",
                    {{"app", which_.app},
                     {"platform", to_string(which_.on)},
                     {"reason", what.reason},
                     {"tokens_kept", quarantine_.size() + 1},
                     {"advice",
                      "Check url, environment, topic, project and key of this app, then reload; nobody was "
                      "removed."}});
            }
            acquit();
            break;
        case pausing::provider:
            news = pause_.probe(reason_of(what), lane_bound::provider, now, decided.pause_for);
            break;
    }
    if (news) {
        log_.error(
            "lane.paused", {{"app", which_.app},
                            {"platform", to_string(which_.on)},
                            {"cause", to_string(pause_.cause())},
                            {"reason", pause_.reason()}});
    }
    owner_.look_at(pause_.until(urgent()));
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
        owner_.page_done(of);
    } else if (of.only_trials_left()) {
        judge(of, time_.now());
    } else if (of.became_nearly_done()) {
        owner_.page_nearly_done();
    }
}

/// All others of the page have ended: nothing more is to be waited for.
void lane::judge(const page& of, time_point now) noexcept {
    for (const quarantine::suspect& one :
         quarantine_.release([&of](const push& kept) { return kept.owner == &of; })) {
        const disposition decided = decide_suspect(facts_for(one.item->sandbox, one.item->token, now));
        if (decided.next == fate::end) {
            finish(*one.item, decided.how, one.reason);
        } else {
            enqueue(*one.item, decided.behind);
        }
    }
}

/// Who was in quarantine stands in line again.
void lane::acquit() noexcept {
    for (const quarantine::suspect& one : quarantine_.release([](const push&) { return true; })) {
        enqueue(*one.item, true);
    }
}

void lane::hold_quota(time_point until) noexcept {
    const time_point now = time_.now();
    if (until <= now || until <= pause_.quota_until()) {
        return;
    }
    if (pause_.wait("QuotaUsedUp", until)) {
        log_.error(
            "lane.paused", {{"app", which_.app},
                            {"platform", to_string(which_.on)},
                            {"cause", to_string(lane_bound::quota)},
                            {"reason", "QuotaUsedUp"}});
    }
    owner_.look_at(pause_.until(urgent()));
}

}  // namespace tocsin
