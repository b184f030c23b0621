#include "engine/delivery/lane.hpp"

#include <algorithm>
#include <iterator>
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
// How many pushes try out a credential that the breaker has doubted.
constexpr std::size_t few_probes = 5;
constexpr auto sweep_period = 1s;
// The budget of retries: each first try earns a fifth of one, and time a few. An outage spends it at once;
// from then on retries wait their minute, so that what the provider has to bear shrinks instead of growing.
constexpr double retries_per_push = 0.2;
constexpr double retries_per_second = 10;
constexpr double least_retry_credit = 200;
constexpr double most_retry_credit = 20'000;
constexpr std::chrono::milliseconds over_budget_pause = 30s;
constexpr auto remember_forgotten = 10min;

// After the breaker has tripped: a minute, then twice as long each time, up to a quarter of an hour.
constexpr std::uint32_t most_trip_doublings = 4;

std::optional<rate_budget> make_budget(std::uint64_t rate, time_point now) {
    return rate == 0 ? std::nullopt : std::optional<rate_budget>(std::in_place, rate, now);
}

}  // namespace

std::string_view to_string(lane_bound value) noexcept {
    switch (value) {
        case lane_bound::idle: return "idle";
        case lane_bound::engine: return "engine";
        case lane_bound::rate: return "rate";
        case lane_bound::quota: return "quota";
        case lane_bound::credential: return "credential";
        case lane_bound::operator_hold: return "operator";
        case lane_bound::streams: return "streams";
        case lane_bound::redis: return "redis";
    }
    return "idle";
}

void lane::fifo::push_back(push& item) noexcept {
    ++size_;
    item.next = nullptr;
    if (tail_ == nullptr) {
        head_ = &item;
    } else {
        tail_->next = &item;
    }
    tail_ = &item;
}

void lane::fifo::push_front(push& item) noexcept {
    ++size_;
    item.next = head_;
    head_ = &item;
    if (tail_ == nullptr) {
        tail_ = &item;
    }
}

push* lane::fifo::pop_front() noexcept {
    push* const item = head_;
    if (item != nullptr) {
        --size_;
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
    std::uint64_t seed, lane_events events)
    : which_(std::move(which)),
      how_(how),
      time_(time),
      log_(log),
      metrics_(metrics),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      events_(std::move(events)),
      budget_(make_budget(how.rate, time.now())),
      critical_budget_(make_budget(how.rate, time.now())),
      breaker_(how.breaker),
      retry_credit_(least_retry_credit),
      in_flight_gauge_(metrics.gauge(metric::in_flight, {which_.app, to_string(which_.on)})),
      push_seconds_(metrics.histogram(metric::push_seconds, {which_.app, to_string(which_.on)})) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        outcome_counters_[i] =
            &metrics.counter(metric::pushes_total, {which_.app, to_string(which_.on), outcome_names[i]});
    }
}

void lane::add(page& what, priority urgency) {
    auto& queue = queues_[static_cast<std::size_t>(urgency)];
    const time_point now = time_.now();
    for (push& item : what.pushes()) {
        // An event that is over by now is only counted, as fast as its pages can be read.
        if (!end_if_over(item, now)) {
            queue.push_back(item);
            ++waiting_;
        }
    }
    if (stopped_) {
        stop(now);
        return;
    }
    want_slices(now);
}

void lane::add_spread(page& what, time_point from, time_point until) {
    const time_point now = time_.now();
    const auto size = static_cast<std::int64_t>(what.pushes().size());
    std::int64_t place = 0;
    for (push& item : what.pushes()) {
        const time_point due = from + (until - from) * place++ / size;
        if (!end_if_over(item, now)) {
            enqueue_later(item, due);
        }
    }
    if (stopped_) {
        stop(now);
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

void lane::enqueue_later(push& item, time_point due) noexcept {
    delayed_.push({due, &item, item.owner->event().content.priority});
    events_.look_at(due);
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
    if (stopped_ || held_ || now < paused_until_ || (probing_ && probes_left_ == 0)) {
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
        if (budget_ && !afford(item->owner->event().content.priority == priority::critical, now)) {
            enqueue(*item, true);
            want_slices(now);
            return nullptr;
        }
        if (budget_) {
            want_slices(now);
        }
        probes_left_ -= probing_ ? 1 : 0;
        if (item->attempts == 0) {
            retry_credit_ = std::min(most_retry_credit, retry_credit_ + retries_per_push);
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

bool lane::afford(bool critical, time_point now) noexcept {
    const bool can = (critical && critical_budget_->try_take(now)) || budget_->try_take(now);
    if (!can) {
        limited_until_ = critical ? std::min(critical_budget_->ready_at(now), budget_->ready_at(now))
                                  : budget_->ready_at(now);
        events_.look_at(limited_until_);
    }
    return can;
}

void lane::want_slices(time_point now) noexcept {
    if (!budget_ || stopped_ || held_ || now < paused_until_) {
        return;
    }
    if (const std::uint32_t urgent = critical_budget_->ask(queues_[0].size(), now); urgent != 0) {
        events_.slice_wanted({how_.rate, urgent, true});
    }
    if (const std::uint32_t pushes = budget_->ask(waiting_ - queues_[0].size(), now); pushes != 0) {
        events_.slice_wanted({how_.rate, pushes, false});
    }
}

void lane::slice_granted(const slice_question& asked, const quota_slice& what, time_point now) {
    if (budget_ && asked.rate == how_.rate) {
        (asked.critical ? critical_budget_ : budget_)->granted(what, now);
        limited_until_ = {};
    }
}

void lane::slice_failed(const slice_question& asked, time_point now) {
    if (budget_ && asked.rate == how_.rate) {
        (asked.critical ? critical_budget_ : budget_)->failed(now);
    }
}

bool lane::end_if_over(push& item, time_point now) noexcept {
    const active_event& event = item.owner->event();
    if (event.cancelled.load(std::memory_order_relaxed)) {
        finish(item, outcome::cancelled, {});
        return true;
    }
    if (!forgotten_.empty()) {
        // A page that was read later shows whether the device has come back.
        const auto found = forgotten_.find(std::string(item.token));
        if (found != forgotten_.end() && found->second >= item.owner->read_at()) {
            finish(item, outcome::cancelled, "DeviceForgotten");
            return true;
        }
    }
    const std::atomic<bool>* const rejected = item.owner->rejected();
    if (rejected != nullptr && rejected->load(std::memory_order_relaxed)) {
        finish(item, outcome::rejected, "EventRejected");
        return true;
    }
    if (now >= event.expires) {
        // Expiry while nothing could be sent is the credential's fault, and the sums say so.
        if (now < paused_until_ && pause_cause_ == lane_bound::credential) {
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
        events_.page_done(of);
    } else if (of.only_trials_left()) {
        judge(of, time_.now());
    }
}

void lane::put_on_trial(push& item, std::string_view reason, time_point now) noexcept {
    if (now < paused_until_ && pause_cause_ == lane_bound::credential) {
        enqueue(item, true);  // An answer that was under way when the lane was paused says nothing new.
        return;
    }
    breaker_.suspect(now);
    page& of = *item.owner;
    trials_.push_back({&item, std::string(reason)});
    of.put_on_trial();
    const bool probes_failed = probing_ && probes_left_ == 0 && in_flight_ == 0;
    if (breaker_.implausible() || probes_failed) {
        trip(reason, now);
    } else if (of.only_trials_left()) {
        judge(of, now);
    }
}

void lane::judge(page& of, time_point now) noexcept {
    if (probing_ || breaker_.implausible()) {
        trip(std::string(trials_.back().reason), now);
        return;
    }
    // The credential has been heard to work, or there are too few to speak of a mistake.
    const auto others =
        std::ranges::partition(trials_, [&of](const trial& one) { return one.item->owner != &of; });
    const std::vector<trial> dead(
        std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    trials_.erase(others.begin(), others.end());
    for (std::size_t i = 0; i < dead.size(); ++i) {
        of.end_trial();
    }
    for (const trial& one : dead) {
        finish(*one.item, outcome::dead, one.reason);
    }
}

void lane::trip(std::string_view reason, time_point now) noexcept {
    const auto wait = credential_retry * (1U << std::min(trips_, most_trip_doublings));
    ++trips_;
    log_.error(
        "lane.tokens_doubted", {{"app", which_.app},
                                {"platform", to_string(which_.on)},
                                {"reason", reason},
                                {"tokens_kept", trials_.size()},
                                {"advice",
                                 "Check url, environment, topic, project and key of this app, then "
                                 "reload; nobody was removed."}});
    pause(std::string(reason), now + wait, lane_bound::credential);
    breaker_.reset();
    probing_ = true;
    probes_left_ = few_probes;
    for (const trial& one : std::exchange(trials_, {})) {
        one.item->owner->end_trial();
        enqueue(*one.item, true);
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
            breaker_.accepted(now);
            probing_ = false;
            trips_ = 0;
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
        case reaction::doubt_token: put_on_trial(item, what.reason, now); break;
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
            pause(std::string(what.reason), now + credential_retry, lane_bound::credential);
            enqueue(item, true);
            break;
        case reaction::pause_quota: {
            const std::chrono::milliseconds rest = what.retry_after.value_or(quota_pause);
            if (now + rest > paused_until_) {
                pause(std::string(what.reason), now + rest, lane_bound::quota);
                events_.quota_used_up(rest);
            }
            enqueue(item, true);
            break;
        }
        case reaction::resend:
        case reaction::refresh_credential:
            if (++item.free_requeues > most_free_requeues) {
                retry(item, what, now);
            } else if (
                item.free_requeues > immediate_requeues || what.action == reaction::refresh_credential) {
                enqueue_later(item, now + 50ms * item.free_requeues);
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
    if (!afford_retry()) {
        delay = std::max(delay, over_budget_pause) +
                std::chrono::milliseconds(
                    std::uniform_int_distribution<std::int64_t>(0, over_budget_pause.count())(random_));
    }
    if (now + delay >= of.event().expires) {
        of.count_reason(reason);
        finish(item, outcome::expired, {});
        return;
    }
    count_retry(item, reason);
    // What may have been sent is written down before it is sent again: so each engine that opens a page sends
    // to a device of it once at most, and the openings bound the repeats.
    if (delay <= how_.longest_wait_in_memory && !item.maybe_sent) {
        enqueue_later(item, now + delay);
        return;
    }
    of.park(item, time_.wall_now() + delay);
    after_end(of);
}

bool lane::afford_retry() noexcept {
    if (retry_credit_ < 1) {
        return false;
    }
    retry_credit_ -= 1;
    return true;
}

void lane::count_retry(push& item, std::string_view reason) noexcept {
    item.owner->count_retry();
    metrics_.counter(metric::retries_total, {which_.app, to_string(which_.on), reason}).add(1);
}

void lane::pause(std::string why, time_point until, lane_bound cause) noexcept {
    if (paused_because_ != why) {
        log_.error(
            "lane.paused", {{"app", which_.app},
                            {"platform", to_string(which_.on)},
                            {"cause", to_string(cause)},
                            {"reason", why}});
        paused_because_ = std::move(why);
    }
    pause_cause_ = cause;
    paused_until_ = std::max(paused_until_, until);
    events_.look_at(paused_until_);
}

bool lane::tick(time_point now) {
    if (stopped_) {
        return false;
    }
    const double seconds = std::chrono::duration<double>(now - last_tick_).count();
    retry_credit_ =
        std::max(retry_credit_, std::min(least_retry_credit, retry_credit_ + retries_per_second * seconds));
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
    if (!forgotten_.empty() && now >= next_forgetting_) {
        // What has waited so long is swept once more; what is read from now on does not hold them.
        next_forgetting_ = now + remember_forgotten / 4;
        sweep(now);
        boost::unordered::erase_if(
            forgotten_, [now](const auto& one) { return now - one.second > remember_forgotten; });
    }
    if (probing_ && probes_left_ == 0 && in_flight_ == 0) {
        probes_left_ = few_probes;  // Those that went out ended without a verdict on the credential.
    }
    want_slices(now);
    return waiting_ != 0 && now >= paused_until_ && !held_;
}

void lane::count_throttling(time_point now) {
    const duration since = now - std::exchange(last_tick_, now);
    const lane_bound by = bound(now);
    if (by == lane_bound::idle) {
        return;
    }
    // Fed in microseconds, shown in seconds.
    metrics_.counter(metric::throttled_seconds_total, {which_.app, to_string(which_.on), to_string(by)})
        .add(static_cast<std::uint64_t>(std::min<duration>(since, sweep_period) / 1us));
}

lane_bound lane::bound(time_point now) const noexcept {
    if (waiting_ == 0) {
        return reading_ ? lane_bound::redis : lane_bound::idle;
    }
    if (held_) {
        return lane_bound::operator_hold;
    }
    if (now < paused_until_) {
        return pause_cause_;
    }
    if (limited_until_ != time_point{}) {
        return lane_bound::rate;
    }
    return streams_used_up_ ? lane_bound::streams : lane_bound::engine;
}

void lane::set_rate(std::uint64_t rate) {
    if (rate != how_.rate) {
        how_.rate = rate;
        budget_ = make_budget(rate, time_.now());
        critical_budget_ = make_budget(rate, time_.now());
        limited_until_ = {};
        want_slices(time_.now());
    }
}

void lane::set_held(bool held) noexcept {
    if (std::exchange(held_, held) != held) {
        log_.info(
            held ? "lane.held" : "lane.released", {{"app", which_.app}, {"platform", to_string(which_.on)}});
        want_slices(time_.now());
    }
}

void lane::hold_quota(time_point until) noexcept {
    if (until > paused_until_ && until > time_.now()) {
        pause("QuotaUsedUp", until, lane_bound::quota);
    }
}

void lane::forget(std::string_view token, time_point now) {
    forgotten_.insert_or_assign(std::string(token), now);
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
    std::priority_queue<delayed> later;
    for (; !delayed_.empty(); delayed_.pop()) {
        if (!end_if_over(*delayed_.top().item, now)) {
            later.push(delayed_.top());
        }
    }
    delayed_ = std::move(later);
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
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(delayed_.top().due - now);
        delayed_.pop();
        page& of = *item.owner;
        if (!end_if_over(item, now)) {
            of.park(item, time_.wall_now() + std::max(rest, 0ms));
            after_end(of);
        }
    }
    // Nobody is removed in a hurry: who is on trial is asked about again by another engine.
    for (const trial& one : std::exchange(trials_, {})) {
        one.item->owner->end_trial();
        enqueue(*one.item, false);
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
    breaker_.reset();
    probing_ = false;
    trips_ = 0;
    for (const trial& one : std::exchange(trials_, {})) {
        one.item->owner->end_trial();
        enqueue(*one.item, true);
    }
    want_slices(time_.now());
}

}  // namespace tocsin
