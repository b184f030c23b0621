#include "engine/delivery/lane.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// How many of each priority go out before the next gets its turn. Critical has none: it goes first.
constexpr std::array<std::uint32_t, priority_count> turn_weights{0, 16, 4, 1};

// A push that keeps being refused unprocessed is going round in a loop: from then on it is charged.
constexpr std::uint8_t most_free_requeues = 10;
constexpr std::uint8_t immediate_requeues = 3;

// How long a lane waits before it tries an unusable credential again: somebody may have repaired it
// at the provider's end, where no signal reaches us.
constexpr auto credential_retry = 60s;
constexpr auto quota_pause = 60s;
constexpr auto sweep_period = 1s;
constexpr auto longest_burst = 50ms;

std::optional<token_bucket> make_limiter(std::uint64_t rate, time_point now) {
    if (rate == 0) {
        return std::nullopt;
    }
    const auto per_second = static_cast<std::uint32_t>(std::min<std::uint64_t>(rate, 10'000'000));
    const auto burst =
        std::max<std::uint32_t>(1, per_second * static_cast<std::uint32_t>(longest_burst / 1ms) / 1000);
    return token_bucket({.tokens_per_second = per_second, .burst = burst}, now);
}

}  // namespace

void lane::fifo::push_back(push& item) noexcept {
    item.next = nullptr;
    if (tail_ == nullptr) {
        head_ = &item;
    } else {
        tail_->next = &item;
    }
    tail_ = &item;
}

void lane::fifo::push_front(push& item) noexcept {
    item.next = head_;
    head_ = &item;
    if (tail_ == nullptr) {
        tail_ = &item;
    }
}

push* lane::fifo::pop_front() noexcept {
    push* const item = head_;
    if (item != nullptr) {
        head_ = item->next;
        if (head_ == nullptr) {
            tail_ = nullptr;
        }
        item->next = nullptr;
    }
    return item;
}

lane::lane(
    target which, const lane_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
    std::uint64_t seed, std::function<void(page&)> page_done)
    : which_(std::move(which)),
      how_(how),
      time_(time),
      log_(log),
      metrics_(metrics),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      page_done_(std::move(page_done)),
      limiter_(make_limiter(how.rate, time.now())),
      in_flight_gauge_(metrics.gauge(metric::in_flight, {which_.app, to_string(which_.on)})),
      push_seconds_(metrics.histogram(metric::push_seconds, {which_.app, to_string(which_.on)})) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        outcome_counters_[i] =
            &metrics.counter(metric::pushes_total, {which_.app, to_string(which_.on), outcome_names[i]});
    }
}

void lane::add(page& what, priority urgency) {
    auto& queue = queues_[static_cast<std::size_t>(urgency)];
    for (push& item : what.pushes()) {
        queue.push_back(item);
    }
    waiting_ += what.pushes().size();
    if (stopped_) {
        stop(time_.now());
    }
}

void lane::enqueue(push& item, bool front) noexcept {
    auto& queue = queues_[static_cast<std::size_t>(item.owner->event().content.priority)];
    if (front) {
        queue.push_front(item);
    } else {
        queue.push_back(item);
    }
    ++waiting_;
}

push* lane::pop_next() noexcept {
    if (push* const critical = queues_[0].pop_front()) {
        return critical;
    }
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 1; i < priority_count; ++i) {
            if (credit_[i] != 0 && !queues_[i].empty()) {
                --credit_[i];
                return queues_[i].pop_front();
            }
        }
        credit_ = turn_weights;
    }
    return nullptr;
}

push* lane::take(time_point now) noexcept {
    if (stopped_ || now < paused_until_) {
        return nullptr;
    }
    if (!paused_because_.empty()) {
        log_.info("lane.resumed", {{"app", which_.app}, {"platform", to_string(which_.on)}});
        paused_because_.clear();
    }
    while (push* const item = pop_next()) {
        --waiting_;
        if (end_if_over(*item, now)) {
            continue;
        }
        if (limiter_ && !limiter_->try_take(1, now)) {
            enqueue(*item, true);
            limited_until_ = limiter_->ready_at(1);
            return nullptr;
        }
        item->written_at = now;
        item->in_flight = true;
        item->owner->count_sent(*item);
        ++in_flight_;
        in_flight_gauge_.set(static_cast<double>(in_flight_));
        return item;
    }
    return nullptr;
}

bool lane::end_if_over(push& item, time_point now) noexcept {
    const active_event& event = item.owner->event();
    if (event.cancelled.load(std::memory_order_relaxed)) {
        finish(item, outcome::cancelled, {});
        return true;
    }
    const std::atomic<bool>* const rejected = item.owner->rejected();
    if (rejected != nullptr && rejected->load(std::memory_order_relaxed)) {
        finish(item, outcome::rejected, "EventRejected");
        return true;
    }
    if (now >= event.expires) {
        // Expiry while nothing could be sent is the credential's fault, and the sums say so.
        if (now < paused_until_ && pause_cause_ == "credential") {
            finish(item, outcome::failed, paused_because_);
        } else {
            finish(item, outcome::expired, {});
        }
        return true;
    }
    return false;
}

void lane::finish(push& item, outcome how, std::string_view reason) noexcept {
    page& of = *item.owner;
    outcome_counters_[static_cast<std::size_t>(how)]->add(1);
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

void lane::after_end(page& of) noexcept {
    if (of.done()) {
        page_done_(of);
    }
}

void lane::settle(push& item, const verdict& what, time_point now) noexcept {
    page& of = *item.owner;
    active_event& event = of.event();
    --in_flight_;
    in_flight_gauge_.set(static_cast<double>(in_flight_));
    item.in_flight = false;
    if (what.status != 0) {
        push_seconds_.record_microseconds(
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - item.written_at) / 1us)));
    }
    switch (what.action) {
        case reaction::accept:
            outcome_counters_[static_cast<std::size_t>(outcome::accepted)]->add(1);
            of.accept(item, time_.wall_now() - event.accepted_at);
            after_end(of);
            return;
        case reaction::drop_token:
            // Registered again after the day it is said to be dead since: another life, not this one.
            if (what.dead_since &&
                std::chrono::seconds(item.registered_at) > what.dead_since->time_since_epoch()) {
                finish(item, outcome::rejected, what.reason);
            } else {
                finish(item, outcome::dead, what.reason);
            }
            return;
        case reaction::reject_push: finish(item, outcome::rejected, what.reason); return;
        case reaction::reject_event:
            if (std::atomic<bool>* const flag = of.rejected(); flag != nullptr && !flag->exchange(true)) {
                log_.error(
                    "event.rejected_by_provider", {{"event_id", event.id},
                                                   {"app", which_.app},
                                                   {"platform", to_string(which_.on)},
                                                   {"status", what.status},
                                                   {"reason", what.reason}});
            }
            finish(item, outcome::rejected, what.reason);
            return;
        case reaction::pause_app:
            pause(std::string(what.reason), now + credential_retry, "credential");
            enqueue(item, true);
            break;
        case reaction::pause_quota:
            pause(std::string(what.reason), now + what.retry_after.value_or(quota_pause), "quota");
            enqueue(item, true);
            break;
        case reaction::resend:
        case reaction::refresh_credential:
            if (++item.free_requeues > most_free_requeues) {
                retry(item, what, now);
            } else if (
                item.free_requeues > immediate_requeues || what.action == reaction::refresh_credential) {
                delayed_.push({now + 50ms * item.free_requeues, &item, event.content.priority});
            } else {
                enqueue(item, true);
            }
            break;
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

void lane::retry(push& item, const verdict& what, time_point now) noexcept {
    page& of = *item.owner;
    const std::string_view reason = what.reason.empty() ? std::string_view("NoAnswer") : what.reason;
    if (++item.attempts >= how_.max_attempts) {
        finish(item, outcome::failed, reason);
        return;
    }
    std::chrono::milliseconds delay{};
    if (what.retry_after) {
        // A tenth on top, spread: thousands were told the same and would return at the same instant.
        delay = *what.retry_after + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(
                                        0, what.retry_after->count() / 10 + 1)(random_));
    } else {
        const backoff_policy policy{how_.retry_floor, how_.retry_cap};
        delay = how_.retry_floor + backoff_delay(policy, std::uint32_t{item.attempts} - 1, random_);
    }
    if (now + delay >= of.event().expires) {
        of.count_reason(reason);
        finish(item, outcome::expired, {});
        return;
    }
    count_retry(item, reason);
    if (delay <= how_.longest_wait_in_memory) {
        delayed_.push({now + delay, &item, of.event().content.priority});
        return;
    }
    of.park(item, time_.wall_now() + delay);
    after_end(of);
}

void lane::count_retry(push& item, std::string_view reason) noexcept {
    item.owner->count_retry();
    metrics_.counter(metric::retries_total, {which_.app, to_string(which_.on), reason}).add(1);
}

void lane::pause(std::string why, time_point until, std::string_view cause) noexcept {
    if (paused_because_ != why) {
        log_.error(
            "lane.paused",
            {{"app", which_.app}, {"platform", to_string(which_.on)}, {"cause", cause}, {"reason", why}});
        paused_because_ = std::move(why);
    }
    pause_cause_ = cause;
    paused_until_ = std::max(paused_until_, until);
}

bool lane::tick(time_point now) {
    if (stopped_) {
        return false;
    }
    count_throttling(now);
    while (!delayed_.empty() && delayed_.top().due <= now) {
        push& item = *delayed_.top().item;
        delayed_.pop();
        enqueue(item, true);
    }
    if (now >= next_sweep_) {
        next_sweep_ = now + sweep_period;
        sweep(now);
    }
    if (limited_until_ <= now) {
        limited_until_ = {};
    }
    return waiting_ != 0 && now >= paused_until_;
}

void lane::count_throttling(time_point now) {
    const duration since = now - std::exchange(last_tick_, now);
    const bool paused = now < paused_until_;
    if (waiting_ == 0 || (!paused && limited_until_ == time_point{})) {
        return;
    }
    // Fed in microseconds, shown in seconds.
    metrics_
        .counter(
            metric::throttled_seconds_total,
            {which_.app, to_string(which_.on), paused ? pause_cause_ : std::string_view("rate")})
        .add(static_cast<std::uint64_t>(std::min<duration>(since, sweep_period) / 1us));
}

void lane::set_rate(std::uint64_t rate) {
    if (rate != how_.rate) {
        how_.rate = rate;
        limiter_ = make_limiter(rate, time_.now());
        limited_until_ = {};
    }
}

void lane::sweep(time_point now) {
    for (fifo& queue : queues_) {
        fifo kept;
        while (push* const item = queue.pop_front()) {
            --waiting_;
            if (!end_if_over(*item, now)) {
                kept.push_back(*item);
                ++waiting_;
            }
        }
        queue = kept;
    }
}

time_point lane::next_look() const noexcept {
    time_point next = time_point::max();
    if (stopped_) {
        return next;
    }
    if (!delayed_.empty()) {
        next = std::min(next, delayed_.top().due);
    }
    if (waiting_ != 0) {
        next = std::min(next, next_sweep_);
        if (paused_until_ != time_point{}) {
            next = std::min(next, std::max(paused_until_, next_sweep_));
        }
        if (limited_until_ != time_point{}) {
            next = std::min(next, limited_until_);
        }
    }
    return next;
}

void lane::stop(time_point now) {
    stopped_ = true;
    while (!delayed_.empty()) {
        push& item = *delayed_.top().item;
        delayed_.pop();
        enqueue(item, false);
    }
    for (fifo& queue : queues_) {
        while (push* const item = queue.pop_front()) {
            --waiting_;
            if (end_if_over(*item, now)) {
                continue;
            }
            page& of = *item->owner;
            of.park(*item, time_.wall_now());
            after_end(of);
        }
    }
}

void lane::abandon(push& item) {
    if (!item.in_flight) {
        return;
    }
    item.in_flight = false;
    item.maybe_sent = true;
    --in_flight_;
    page& of = *item.owner;
    of.park(item, time_.wall_now());
    after_end(of);
}

void lane::resume() noexcept {
    paused_until_ = {};
    paused_because_.clear();
}

}  // namespace tocsin
