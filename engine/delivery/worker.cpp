#include "engine/delivery/worker.hpp"

#include "engine/delivery/lane_runner.hpp"
#include "engine/runtime/deadline.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A lane that hears nothing of its slice for this long gets by on what it usually gets.
constexpr auto slice_patience = 500ms;
constexpr std::chrono::milliseconds sampling_period{100};
// From the reading of an event to its shards, if all goes well.
constexpr auto expectation = 500ms;
// From here on a thread is what limits its lanes.
constexpr double busy_share = 0.8;
// An engine that is a little slow is not taken for dead.
constexpr std::chrono::milliseconds late_margin{5'000};
// Messages rendered anew after a reload that are kept at hand.
constexpr std::size_t most_rendered = 1'000;

}  // namespace

/// Counts a piece of work that stop() has to wait for.
class worker::busy_scope {
public:
    explicit busy_scope(worker& of) noexcept : count_(of.busy_) { ++*count_; }
    busy_scope(const busy_scope&) = delete;
    busy_scope& operator=(const busy_scope&) = delete;
    ~busy_scope() { --*count_; }

private:
    // Shared: a coroutine that is still suspended at the end is destroyed with its loop, after the worker.
    std::shared_ptr<std::size_t> count_;
};

worker::worker(
    asio::any_io_executor executor, std::size_t thread, redis::client& redis, keyspace keys,
    store_sizing sizing, const engine_settings& how, const time_source& time, logger& log,
    metrics_shard& metrics, worker_events events)
    : executor_(executor),
      thread_(thread),
      ledger_(redis, keys, how.instance),
      store_(redis, keys, std::move(sizing)),
      pruner_(store_, ledger_, time, log, removal_terms_of(how)),
      desk_(executor, ledger_, store_, pruner_, time, log, metrics, how.replica_wait, how.event_retention),
      quota_(redis, keys, time, how.ramp_up),
      how_(how),
      time_(time),
      log_(log),
      metrics_(metrics),
      events_(std::move(events)) {}

worker::~worker() = default;

std::uint64_t worker::rate_of(const target& which) const {
    if (const auto said = controls_.rates.find(which); said != controls_.rates.end()) {
        return said->second;
    }
    const auto configured = rates_.find(which);
    return configured == rates_.end() ? 0 : configured->second;
}

void worker::obey(lane_runner& runner) {
    const target& which = runner.line.which();
    runner.line.set_rate(rate_of(which));
    runner.line.set_held(controls_.holds_back(which));
    if (runner.through != nullptr) {
        const auto used_up = controls_.quotas.find(runner.through->quota());
        if (used_up != controls_.quotas.end() && used_up->second > time_.wall_now()) {
            runner.line.hold_quota(time_.now() + (used_up->second - time_.wall_now()));
        }
    }
}

void worker::set_controls(const control_state& state) {
    controls_ = state;
    for (const auto& held : held_) {
        if (state.cancelling.contains(held->event->id)) {
            held->event->cancelled.store(true, std::memory_order_relaxed);
        }
    }
    for (auto& [which, runner] : lanes_) {
        obey(*runner);
        runner->line.sweep(time_.now());
        runner->wake();
    }
}

std::shared_ptr<const message> worker::render(const active_event& event, const target& which) {
    if (event.generation == generation_) {
        const auto found = event.messages.find(which);
        return found == event.messages.end() ? nullptr : found->second;
    }
    std::pair key(event.id, which);
    if (const auto found = rendered_.find(key); found != rendered_.end()) {
        return found->second;
    }
    const auto through = providers_.find(which);
    if (through == providers_.end()) {
        return nullptr;
    }
    auto made = through->second->render(event.content);
    if (made.has_error()) {
        log_.error(
            "event.cannot_be_rendered",
            {{"event_id", event.id}, {"target", to_string(which)}, {"reason", made.error().message}});
        return nullptr;
    }
    if (rendered_.size() >= most_rendered) {
        rendered_.clear();
    }
    return rendered_.emplace(std::move(key), std::move(*made)).first->second;
}

void worker::set_providers(
    std::vector<std::shared_ptr<provider>> providers, std::map<target, std::uint64_t> rates,
    std::uint64_t generation) {
    rates_ = std::move(rates);
    generation_ = generation;
    rendered_.clear();
    providers_.clear();
    for (auto& one : providers) {
        target which{one->app(), one->kind()};
        providers_.emplace(std::move(which), std::move(one));
    }
    for (auto& [which, runner] : lanes_) {
        runner->retire_channel();
        const auto found = providers_.find(which);
        if (found == providers_.end()) {
            runner->through.reset();
            continue;  // Its shards wait until the app is back.
        }
        for (const auto& shard : held_) {
            if (shard->which == which) {
                // Kept until the shard has gone: what is in flight still points into it.
                shard->replaced.push_back(std::move(shard->content));
                shard->content = render(*shard->event, which);
            }
        }
        for (const auto& [key, open] : open_) {
            const auto& shard = open->from();
            if (shard->which == which && shard->content != nullptr) {
                open->replace_content(*shard->content);
                if (auto* const reception = open->reception(); reception != nullptr) {
                    reception->forget();
                }
            }
        }
        runner->open_channel(found->second);
        runner->line.resume();
        obey(*runner);
        runner->wake();
    }
}

lane_runner& worker::runner_for(const target& which) {
    if (const auto found = lanes_.find(which); found != lanes_.end()) {
        return *found->second;
    }
    const auto& through = providers_.at(which);
    lane_settings how;
    how.max_attempts = how_.max_attempts;
    how.retries.floor = through->retry_floor();
    how.rate = rate_of(which);
    const std::uint64_t seed = event_seed(to_string(which) + how_.instance) + thread_;
    lane_events tell;
    tell.page_done = [this](page& what) { page_done(what); };
    tell.page_nearly_done = [this, which] {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && !found->second->shards.empty()) {
            found->second->changed.wake_all();
        }
    };
    tell.look_at = [this, which](time_point when) {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && when < found->second->look.expiry()) {
            found->second->look.wake_all();
        }
    };
    tell.hungry = [this, which] {
        if (const auto found = lanes_.find(which); found != lanes_.end()) {
            found->second->changed.wake_all();
        }
    };
    tell.slice_wanted = [this, which](const slice_question& asked) {
        asio::co_spawn(executor_, lease_slice(lanes_.at(which), asked), asio::detached);
    };
    tell.quota_used_up = [this, which](std::chrono::milliseconds rest) {
        const auto found = lanes_.find(which);
        if (found != lanes_.end() && found->second->through != nullptr) {
            events_.quota_used_up(found->second->through->quota(), time_.wall_now() + rest);
        }
        asio::co_spawn(executor_, slow_down(which, rest), asio::detached);
    };
    auto runner = std::make_shared<lane_runner>(
        lane_runner::surroundings{executor_, thread_, time_, log_, metrics_}, which, how, seed,
        std::move(tell));
    lanes_.emplace(which, runner);
    runner->open_channel(through);
    obey(*runner);
    asio::co_spawn(executor_, feed(runner), asio::detached);
    asio::co_spawn(executor_, watch(runner), asio::detached);
    return *runner;
}

void worker::forget(const std::vector<removed_device>& devices) {
    for (const removed_device& one : devices) {
        if (const auto found = lanes_.find(one.which); found != lanes_.end()) {
            found->second->line.forget(one.token, time_.now());
        }
    }
}

asio::awaitable<void> worker::lease_slice(std::shared_ptr<lane_runner> runner, slice_question asked) {
    const busy_scope here(*this);
    quota_book::question what;
    what.which = runner->line.which();
    what.rate = asked.rate;
    what.wanted = asked.pushes;
    what.critical = asked.critical;
    // Sockets live in real time, whatever the clock of the lanes says.
    const auto slice =
        co_await with_deadline(quota_.lease(std::move(what)), tocsin::clock::now() + slice_patience);
    if (slice.has_value()) {
        runner->line.slice_granted(asked, *slice, time_.now());
    } else {
        runner->line.slice_failed(asked, time_.now());
    }
    runner->wake();
}

asio::awaitable<void> worker::slow_down(target which, std::chrono::milliseconds rest) {
    const busy_scope here(*this);
    const auto told = co_await quota_.slow_down(std::move(which), rest);
    if (told.has_error()) {
        log_.warning("quota.not_shared", {{"error", told.error().message()}});
    }
}

void worker::assign(std::shared_ptr<active_event> event, target which, claimed_shard work) {
    auto active = std::make_shared<active_shard>();
    active->event = std::move(event);
    active->which = which;
    active->entry = std::move(work.entry);
    active->work = std::move(work.work);
    active->pages = page_count(active->work);
    active->content = render(*active->event, which);
    if (controls_.cancelling.contains(active->event->id)) {
        active->event->cancelled.store(true, std::memory_order_relaxed);
    }
    held_.push_back(active);
    if (stopping_ || !providers_.contains(which)) {
        active->abandoned = true;
        asio::co_spawn(
            executor_,
            [](worker* self, std::shared_ptr<active_shard> shard) -> asio::awaitable<void> {
                co_await self->ledger_.release(shard->event->id, shard->which, shard->entry);
                self->shard_finished(*shard);
            }(this, active),
            asio::detached);
        return;
    }
    lane_runner& runner = runner_for(which);
    for (std::uint32_t index = 0; index < active->pages; ++index) {
        active->unread += active->guessed(index);
    }
    runner.line.count_unread(active->unread, 0);
    runner.prepare();
    runner.shards.push(active);
    runner.changed.wake_all();
}

void worker::expect(const target& which) {
    if (!stopping_ && providers_.contains(which)) {
        lane_runner& runner = runner_for(which);
        runner.line.expect(time_.now() + expectation);
        runner.prepare();
    }
}

void worker::count_read(lane_runner& runner, active_shard& from, std::size_t devices) noexcept {
    const std::size_t fewer = std::min(from.unread, devices);
    from.unread -= fewer;
    runner.line.count_unread(0, fewer);
}

void worker::shard_finished(const active_shard& which) {
    shard_ticket ticket{which.event->id, which.which, which.entry};
    std::erase_if(held_, [&which](const auto& held) { return held.get() == &which; });
    events_.shard_left(std::move(ticket));
}

asio::awaitable<void> worker::feed(std::shared_ptr<lane_runner> runner) {
    const busy_scope here(*this);
    while (!stopping_ && !runner->retired) {
        // An alert finds room of its own, however much of other things is on its way.
        const bool room = has_room(*runner, false);
        const bool critical_room = has_room(*runner, true);
        const shard_queue::choice chosen = runner->shards.take(time_.wall_now(), [&](priority urgency) {
            return urgency == priority::critical ? critical_room : room && runner->line.hungry(urgency);
        });
        const std::shared_ptr<active_shard>& next = chosen.shard;
        if (next == nullptr) {
            time_point until = time_point::max();
            if (chosen.due != wall_time::max()) {
                until = time_.now() + (chosen.due - time_.wall_now());
            }
            co_await runner->changed.wait_until(until);
            continue;
        }
        const bool read = co_await open_page(*runner, next);
        if (!read) {
            next->abandoned = next->abandoned || stopping_;
        }
        if (!next->exhausted()) {
            runner->shards.push(next);
        }
    }
    runner->retired = true;
}

/// Whether one more page may be opened. Pages that only wait for late answers make room.
bool worker::has_room(lane_runner& runner, bool critical) {
    lane_runner::load& load = runner.loads[critical ? 1 : 0];
    if (load.in_doubt() >= how_.pages_in_flight && !runner.shards.empty()) {
        std::vector<page*> nearly_done;
        for (const auto& [key, open] : open_) {
            if (open->from()->which == runner.line.which() && open->nearly_done() &&
                &runner.load_of(open->event()) == &load) {
                nearly_done.push_back(open.get());
            }
        }
        for (page* const one : nearly_done) {
            if (load.late_pages < 2 * how_.pages_in_flight) {
                settle_early(runner, *one);
            }
        }
    }
    return load.in_doubt() < how_.pages_in_flight;
}

void worker::settle_early(lane_runner& runner, page& what) {
    lane_runner::load& load = runner.load_of(what.event());
    runner.line.close_account(what, time_.now());
    const std::shared_ptr<active_shard>& from = what.from();
    ++from->settled;
    page_settlement settlement =
        what.settle_early(from->settled == from->pages, time_.wall_now() + late_lease());
    --load.pages;
    ++load.late_pages;
    load.late_devices += what.named();
    ++*busy_;
    asio::co_spawn(executor_, write_early(what, std::move(settlement)), asio::detached);
}

/// From one renewal to the next, and a while.
std::chrono::milliseconds worker::late_lease() const {
    return how_.lease / 3 + late_margin;
}

asio::awaitable<void> worker::write_early(page& what, page_settlement settlement) {
    const std::shared_ptr<active_shard> from = what.from();
    const page_ending ended = co_await desk_.settle_early(from, std::move(settlement));
    what.note_written();
    tell_ending(*from, ended);
    if (what.done()) {
        page_done(what);
    }
    --*busy_;
}

void worker::tell_ending(const active_shard& from, const page_ending& ended) {
    if (ended.shard_done) {
        shard_finished(from);
    }
    if (ended.drained) {
        events_.event_drained(from.event->id);
    }
}

asio::awaitable<bool> worker::open_page(lane_runner& runner, std::shared_ptr<active_shard> from) {
    const busy_scope here(*this);
    auto what = std::make_unique<page>(from, from->next, time_.now());
    const std::size_t guessed = devices_guessed(from->work, from->next);
    runner.line.begin_reading(*what, time_.now());
    const auto got = co_await desk_.read(*what);
    runner.line.end_reading(time_.now());
    if (got.has_error()) {
        co_await desk_.pause_after_error("page.read_failed", got.error());
        co_return false;
    }
    count_read(runner, *from, from->next == from->pages ? from->unread : guessed);
    runner.line.count_found(guessed, what->pushes().size());
    for (const std::string& token : got->gone) {
        runner.line.forget(token, time_.now());
    }
    if (!got->settled) {
        start_page(runner, std::move(what));
    }
    if (got->shard_done) {
        shard_finished(*from);
    }
    if (got->drained) {
        events_.event_drained(from->event->id);
    }
    co_return true;
}

void worker::start_page(lane_runner& runner, std::unique_ptr<page> what) {
    page& open = *what;
    active_event& event = open.event();
    ++runner.load_of(event).pages;
    metrics_.counter(metric::pages_total, {runner.line.which().app, to_string(runner.line.which().on)})
        .add(1);
    open_.emplace(&open, std::move(what));
    if (open.pushes().empty()) {
        page_done(open);
        return;
    }
    if (event.content.skips_provider(runner.line.which().on)) {
        const auto latency = time_.wall_now() - event.accepted_at;
        for (push& item : open.pushes()) {
            open.accept(item, latency);
        }
        count_ended(runner.line.which(), outcome::accepted, open.pushes().size());
        page_done(open);
        return;
    }
    if (open.pushes().front().content == nullptr) {
        for (push& item : open.pushes()) {
            open.finish(item, outcome::failed);
        }
        count_ended(runner.line.which(), outcome::failed, open.pushes().size());
        open.count_reason("NoProvider");
        page_done(open);
        return;
    }
    if (const auto spaced = event.when.span_of(open.number())) {
        const auto at = [this](wall_time when) { return time_.now() + (when - time_.wall_now()); };
        runner.line.add_spread(open, at(spaced->from), at(spaced->until));
    } else {
        runner.line.add(open, event.content.priority);
    }
    runner.wake();
    runner.look.wake_all();
}

void worker::count_ended(const target& which, outcome how, std::size_t amount) {
    metrics_.counter(metric::pushes_total, {which.app, to_string(which.on), to_string(how)}).add(amount);
}

void worker::page_done(page& what) {
    if (what.late() && !what.written()) {
        return;  // write_early() comes back to it.
    }
    // Called from the depths of a connection: leave it before anything else happens.
    const auto found = open_.find(&what);
    std::unique_ptr<page> owned = std::move(found->second);
    open_.erase(found);
    lane_runner& runner = *lanes_.at(what.from()->which);
    runner.line.close_account(what, time_.now());
    ++*busy_;
    asio::post(executor_, [this, page_to_settle = std::move(owned)]() mutable {
        make_room_for_another(*page_to_settle);
        asio::co_spawn(executor_, settle(std::move(page_to_settle)), asio::detached);
    });
}

// No sooner than the page is settled: the one that takes its place is opened behind its settlement, on the
// same connection. So Redis has never more pages open than the bound says, however late it reads, and whoever
// dies meanwhile.
void worker::make_room_for_another(const page& what) {
    lane_runner& runner = *lanes_.at(what.from()->which);
    lane_runner::load& load = runner.load_of(what.event());
    if (what.late()) {
        --load.late_pages;
        load.late_devices -= what.named();
    } else {
        --load.pages;
    }
    runner.changed.wake_all();
}

asio::awaitable<void> worker::settle(std::unique_ptr<page> what) {
    const std::shared_ptr<active_shard> from = what->from();
    page_ending ended;
    if (what->late()) {
        page_settlement amendment = what->amendment();
        what.reset();
        ended = co_await desk_.amend(from, std::move(amendment));
    } else {
        ended = co_await desk_.settle(std::move(what));
    }
    tell_ending(*from, ended);
    --*busy_;
}

asio::awaitable<void> worker::watch(std::shared_ptr<lane_runner> runner) {
    const busy_scope here(*this);
    while (!runner->retired) {
        const time_point next = runner->line.next_look();
        // Woken by start_page() when there is more to look after, and once a second in any case.
        // More often while there is work, so that what it is bound by is a share of time.
        const bool working = runner->line.waiting() != 0 || !runner->shards.empty();
        const duration rest = working ? duration(sampling_period) : duration(1s);
        co_await runner->look.wait_until(std::min(next, time_.now() + rest));
        const time_point woken = time_.now();
        runner->observe(load_.share(woken) >= busy_share, woken);
        if (runner->line.tick(woken)) {
            runner->wake();
        }
        runner->drop_retired();
        runner->count_connections();
    }
}

asio::awaitable<void> worker::renew_leases() {
    std::map<std::pair<std::string, target>, std::vector<std::string>> held;
    for (const auto& shard : held_) {
        held[{shard->event->id, shard->which}].push_back(shard->entry);
    }
    std::map<std::pair<std::string, target>, std::vector<std::string>> late;
    for (const auto& [key, open] : open_) {
        if (open->late()) {
            late[{open->event().id, open->from()->which}].push_back(open->late_name());
        }
    }
    for (auto& [where, names] : late) {
        const wall_time due = time_.wall_now() + late_lease();
        const auto renewed = co_await ledger_.renew_late(where.first, where.second, std::move(names), due);
        if (renewed.has_error()) {
            co_return;
        }
    }
    for (auto& [where, entries] : held) {
        const auto renewed = co_await ledger_.renew(where.first, where.second, std::move(entries));
        if (renewed.has_error()) {
            co_return;
        }
    }
}

std::vector<push*> worker::in_flight_of(const target& which) const {
    // Collected first: a page leaves open_ with the last of its pushes.
    std::vector<push*> out;
    for (const auto& [key, open] : open_) {
        if (open->from()->which == which) {
            for (push& item : open->pushes()) {
                if (item.in_flight) {
                    out.push_back(&item);
                }
            }
        }
    }
    return out;
}

asio::awaitable<void> worker::stop(time_point answers_until, time_point end) {
    stopping_ = true;
    for (auto& [which, runner] : lanes_) {
        runner->shards.clear();
        runner->changed.wake_all();
        runner->line.stop(time_.now());
        runner->look.wake_all();
    }
    const auto in_flight = [this] {
        return std::ranges::any_of(
            lanes_, [](const auto& item) { return item.second->line.in_flight() != 0; });
    };
    timer poll(executor_, time_);
    while (in_flight() && time_.now() < answers_until) {
        co_await poll.wait_for(5ms);
    }
    abandon_in_flight();
    while (*busy_ != 0 && time_.now() < end) {
        co_await poll.wait_for(5ms);
    }
    // with_deadline() knows the machine's clock alone.
    co_await with_deadline(give_back(), tocsin::clock::now() + (end - time_.now()));
}

void worker::abandon_in_flight() {
    for (auto& [which, runner] : lanes_) {
        runner->now = {};
        runner->retiring.clear();
        runner->retired = true;
        runner->look.wake_all();
        for (push* const item : in_flight_of(which)) {
            runner->line.abandon(*item);
        }
    }
}

// What is left of the shards goes back for any engine to take, at once.
asio::awaitable<result<>> worker::give_back() {
    const auto left = held_;
    for (const auto& shard : left) {
        shard->abandoned = true;
        const auto released = co_await ledger_.release(shard->event->id, shard->which, shard->entry);
        if (released.has_error()) {
            co_return released.error();
        }
        shard_finished(*shard);
    }
    co_return result<>();
}

std::vector<lane_status> worker::status() const {
    std::vector<lane_status> out;
    for (const auto& [which, runner] : lanes_) {
        lane_status one;
        one.which = which;
        one.waiting = runner->line.waiting();
        one.in_flight = runner->line.in_flight();
        one.rate = runner->line.rate();
        one.paused_because = runner->line.paused_because();
        one.bound = runner->line.bound(time_.now());
        one.bound_lately = runner->line.account().lately();
        if (runner->now.out != nullptr) {
            one.connections = runner->now.out->statistics();
        }
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace tocsin
