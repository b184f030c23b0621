#include "engine/delivery/worker.hpp"

#include "engine/delivery/lane_runner.hpp"
#include "engine/runtime/deadline.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

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

}  // namespace

worker::worker(
    asio::any_io_executor executor, std::size_t thread, redis::client& redis, keyspace keys,
    store_sizing sizing, platform_set platforms, const engine_settings& how, const time_source& time,
    logger& log, metrics_shard& metrics, worker_events events)
    : executor_(executor),
      thread_(thread),
      ledger_(redis, keys, how.instance),
      store_(redis, keys, std::move(sizing)),
      pruner_(store_, ledger_, platforms, time, log, removal_terms_of(how)),
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

void worker::forget(const std::vector<removed_device>& devices) {
    for (const removed_device& one : devices) {
        if (const auto found = lanes_.find(one.which); found != lanes_.end()) {
            found->second->line.forget(one.token, time_.now());
        }
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

void worker::shard_finished(const active_shard& which) {
    shard_ticket ticket{which.event->id, which.which, which.entry};
    std::erase_if(held_, [&which](const auto& held) { return held.get() == &which; });
    events_.shard_left(std::move(ticket));
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
