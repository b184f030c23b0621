#include "engine/delivery/lane.hpp"

#include <algorithm>
#include <utility>

// The way of a push through the lane, up to a connection. What its answer does is in lane_answers.cpp.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr auto sweep_period = 1s;
// Pushes that are to be at hand. Some milliseconds' worth of the fastest: reading a page takes a few; and of
// a rate the part of a second that is one over this.
constexpr std::size_t most_at_hand = 4'000;
constexpr std::size_t least_at_hand = 100;
constexpr std::uint64_t rate_at_hand = 4;
constexpr auto streams_period = 80ms;
constexpr std::size_t part_turned_over = 4;

wall_time::duration wall_ahead(const time_source& time) noexcept {
    return time.wall_now().time_since_epoch() -
           std::chrono::floor<std::chrono::milliseconds>(time.now().time_since_epoch());
}

}  // namespace

lane::lane(
    target which, const lane_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
    std::uint64_t seed, lane_owner& owner)
    : which_(std::move(which)),
      how_(how),
      time_(time),
      log_(log),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      owner_(owner),
      rate_(how.rate, time.now()),
      account_(time.now()),
      numbers_(metrics, which_),
      wall_ahead_(wall_ahead(time)),
      last_tick_(time.now()) {}

void lane::add(page& what, priority urgency) {
    const time_point now = time_.now();
    for (push& item : what.pushes()) {
        // An event that is over by now is only counted, as fast as its pages can be read.
        if (!end_if_over(item, now)) {
            line_.push_back(item, urgency);
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

void lane::enqueue(push& item, bool behind) noexcept {
    const priority urgency = item.owner->event().content.priority;
    if (behind) {
        line_.push_back(item, urgency);
    } else {
        line_.push_front(item, urgency);
    }
}

void lane::enqueue_later(push& item, time_point due) noexcept {
    line_.push_later(item, item.owner->event().content.priority, due);
    owner_.look_at(due);
}

push* lane::next_to_send(time_point now) noexcept {
    if (!pause_.probing() || !pause_.lasts_for(lane_bound::credential, now)) [[likely]] {
        return line_.pop();
    }
    push* const item = line_.pop_lowest([this](const push& each) { return probes_.rank(each); });
    if (item != nullptr) {
        probes_.probed(*item);
    }
    return item;
}

push* lane::take(time_point now) noexcept {
    if (stopped_ || held_ || !pause_.may_send(now, urgent())) {
        return nullptr;
    }
    if (!pause_.lasts(now) && pause_.forget()) {
        log_.info("lane.resumed", {{"app", which_.app}, {"platform", to_string(which_.on)}});
    }
    while (push* const item = next_to_send(now)) {
        if (end_if_over(*item, now)) {
            continue;
        }
        if (!rate_.afford(item->owner->event().content.priority == priority::critical, now)) {
            enqueue(*item);
            want_slices(now);
            owner_.look_at(rate_.limited_until());
            return nullptr;
        }
        want_slices(now);
        pause_.sent(now);
        if (!std::exchange(item->tried, true)) {
            retry_budget_.first_try();
        }
        item->written_at = now;
        item->in_flight = true;
        item->owner->count_sent(*item);
        ++in_flight_;
        tell_if_hungry();
        return item;
    }
    return nullptr;
}

std::size_t lane::backlog(duration within) const noexcept {
    const time_point now = time_.now();
    if (stopped_ || held_ || pause_.lasts(now)) {
        return 0;
    }
    // Nobody knows of an app how many of a commune follow it before the first page was read: it may be one.
    const std::size_t coming =
        guessed_ == 0 ? std::min<std::size_t>(unread_, 1) : unread_ * found_ / guessed_;
    const std::size_t all = line_.waiting() + coming;
    if (all == 0) {
        return now < expected_until_ ? 1 : 0;
    }
    if (rate_.rate() == 0) {
        return all;
    }
    const double affordable =
        static_cast<double>(rate_.rate()) * std::chrono::duration<double>(within).count();
    return std::min(all, static_cast<std::size_t>(affordable) + 1);
}

void lane::want_slices(time_point now) noexcept {
    if (stopped_ || held_ || !pause_.may_send(now, urgent())) {
        return;
    }
    rate_.want(line_.critical(), line_.waiting() - line_.critical(), now, [this](const slice_question& what) {
        owner_.slice_wanted(what);
    });
}

std::optional<lane::ending> lane::over(const push& item, time_point now) const noexcept {
    const active_event& event = item.owner->event();
    if (event.cancelled.load(std::memory_order_relaxed)) {
        return ending{outcome::cancelled, {}};
    }
    if (forgotten_.contains(item.token, item.owner->read_at())) {
        return ending{outcome::cancelled, "DeviceForgotten"};
    }
    message_reception* const reception = item.owner->reception();
    if (reception != nullptr && reception->of(item.variant).rejected.load(std::memory_order_relaxed)) {
        return ending{outcome::rejected, "EventRejected"};
    }
    if (now >= event.expires) {
        return expiry(now);
    }
    return std::nullopt;
}

/// How what could not be sent in time ends: expiry while nothing could be sent is the credential's fault, and
/// the sums say so.
lane::ending lane::expiry(time_point now) const noexcept {
    if (pause_.lasts_for(lane_bound::credential, now)) {
        return {outcome::failed, pause_.reason()};
    }
    if (!credential_usable_) {
        return {outcome::failed, "CredentialUnusable"};
    }
    if (pause_.lasts_for(lane_bound::provider, now)) {
        return {outcome::expired, pause_.reason()};
    }
    const bool free_to_send = !held_ && !pause_.lasts(now) && rate_.limited_until() == time_point{};
    if (free_to_send && !connected_) {
        return {outcome::expired, "ProviderUnreachable"};
    }
    return {outcome::expired, {}};
}

bool lane::end_if_over(push& item, time_point now) noexcept {
    const std::optional<ending> end = over(item, now);
    if (end) {
        finish(item, end->how, end->reason);
    }
    return end.has_value();
}

bool lane::hungry(priority urgency) noexcept {
    if (line_.waiting(urgency) < enough()) {
        return true;
    }
    fed_ = fed_ ? std::min(*fed_, urgency) : urgency;
    return false;
}

std::size_t lane::enough() const noexcept {
    return rate_.rate() == 0
               ? most_at_hand
               : std::clamp<std::size_t>(rate_.rate() / rate_at_hand, least_at_hand, most_at_hand);
}

void lane::tell_if_hungry() noexcept {
    if (fed_ && line_.waiting(*fed_) < enough()) {
        fed_.reset();
        owner_.hungry();
    }
}

bool lane::tick(time_point now) {
    if (stopped_) {
        return false;
    }
    retry_budget_.time_passed(now - std::exchange(last_tick_, now));
    keep_account(bound(now), now);
    numbers_.in_flight(in_flight_);
    wall_ahead_ = wall_ahead(time_);
    line_.bring_forward(now);
    rate_.look(now);
    if (forgotten_.due(now)) {
        // What has waited so long is looked through once more; what is read from now on does not hold them.
        next_sweep_ = now + sweep_period;
        sweep(now);
        forgotten_.drop_oldest(now);
    } else if (now >= next_sweep_) {
        next_sweep_ = now + sweep_period;
        sweep(now);
    }
    want_slices(now);
    tell_if_hungry();
    return line_.waiting() != 0 && pause_.may_send(now, urgent()) && !held_;
}

time_point lane::next_look() const noexcept {
    if (stopped_) {
        return time_point::max();
    }
    time_point next = line_.next_due();
    if (line_.waiting() != 0) {
        next = std::min(next, next_sweep_);
        // Not one that is due: whoever may send its probe was told, and comes when there is a connection.
        if (const time_point until = pause_.until(urgent()); until > time_.now()) {
            next = std::min(next, until);
        }
        if (rate_.limited_until() != time_point{}) {
            next = std::min(next, rate_.limited_until());
        }
    }
    return next;
}

void lane::sweep(time_point now) {
    line_.remove_if([this, now](push& item) { return end_if_over(item, now); });
}

lane_bound lane::bound(time_point now) const noexcept {
    if (line_.waiting() == 0) {
        const lane_bound under_way = in_flight_ != 0 ? lane_bound::answers : lane_bound::idle;
        return reading_ ? lane_bound::redis : under_way;
    }
    if (held_) {
        return lane_bound::operator_hold;
    }
    if (pause_.lasts(now)) {
        return pause_.cause();
    }
    if (!credential_usable_) {
        return lane_bound::credential;
    }
    if (rate_.limited_until() != time_point{}) {
        return lane_bound::rate;
    }
    return streams_used_up_ ? lane_bound::streams : lane_bound::engine;
}

void lane::keep_account(lane_bound by, time_point now) {
    numbers_.bound(by, account_.add(by, now));
}

void lane::observe(bool streams_used_up, bool thread_busy, time_point now) {
    if (now - streams_seen_ < streams_period) {
        return;
    }
    streams_seen_ = now;
    // A thread that has more to do than it can reads late what has been answered: what looks like streams in
    // use is its own slowness then, if answers come at all.
    const bool turned_over = std::exchange(answers_, 0) * part_turned_over >= in_flight_;
    keep_account(bound(now), now);
    streams_used_up_ = streams_used_up && !(thread_busy && turned_over);
}

void lane::observe_provider(bool credential_usable, bool connected, time_point now) {
    if (credential_usable != credential_usable_) {
        keep_account(bound(now), now);
        credential_usable_ = credential_usable;
    }
    connected_ = connected;
}

void lane::begin_reading(page& what, time_point now) {
    keep_account(bound(now), now);
    what.begin_account(account_.totals());
    reading_ = true;
}

void lane::end_reading(time_point now) {
    keep_account(bound(now), now);
    reading_ = false;
}

void lane::close_account(page& of, time_point now) {
    if (of.late()) {
        return;  // It was told when it was settled.
    }
    // What has just ended leaves an idle lane behind; until then its answer was awaited.
    const lane_bound by = bound(now);
    keep_account(by == lane_bound::idle ? lane_bound::answers : by, now);
    of.end_account(account_.totals());
}

void lane::set_rate(std::uint64_t rate) {
    if (rate != rate_.rate()) {
        rate_.set(rate, time_.now());
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

const std::string& lane::paused_because() const noexcept {
    static const std::string held_by_operator{"an operator has paused it; see tocsin resume"};
    return held_ && pause_.reason().empty() ? held_by_operator : pause_.reason();
}

void lane::stop(time_point now) {
    stopped_ = true;
    acquit();  // Nobody is removed in a hurry: who is on trial is asked about again by another engine.
    for (auto next = line_.pop_delayed(); next.item != nullptr; next = line_.pop_delayed()) {
        if (!end_if_over(*next.item, now)) {
            park(*next.item, std::chrono::ceil<std::chrono::milliseconds>(next.due - now));
        }
    }
    while (push* const item = line_.pop()) {
        if (!end_if_over(*item, now)) {
            park(*item, 0ms);
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
    park(item, 0ms);
}

void lane::resume() noexcept {
    pause_.end();
    trust_.forget();
    acquit();
    want_slices(time_.now());
}

}  // namespace tocsin
