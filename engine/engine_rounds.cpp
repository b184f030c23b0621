#include "engine/engine_implementation.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <string>
#include <utility>

// What an engine does again and again, and what it passes on from one of its parts to another.

namespace tocsin {

namespace asio = boost::asio;

// While Redis is asked who is concerned, the providers are dialled.
void engine::implementation::alert_read(const active_event& event) {
    for (const target& which : event.targets) {
        if (!event.content.skips_provider(which.on)) {
            auto& one = threads[work_finder->next_thread(which, event.content.priority)];
            asio::post(one->context, [work = one->work.get(), which] { work->expect(which); });
        }
    }
}

void engine::implementation::event_planned(std::shared_ptr<active_event> event) {
    work_finder->announce(std::move(event));
}

void engine::implementation::assign(
    std::size_t thread, std::shared_ptr<active_event> event, const target& which, claimed_shard work) {
    asio::post(
        threads[thread]->context,
        [to = threads[thread]->work.get(), event = std::move(event), which,
         work = std::move(work)]() mutable { to->assign(std::move(event), which, std::move(work)); });
}

void engine::implementation::shard_left(shard_ticket which) {
    asio::post(threads.front()->context, [this, one = std::move(which)] { work_finder->shard_left(one); });
}

void engine::implementation::event_drained(std::string event) {
    asio::post(threads.front()->context, [this, id = std::move(event)] { work_finder->drained(id); });
}

void engine::implementation::quota_used_up(std::string quota, wall_time until) {
    asio::post(
        threads.front()->context, [this, name = std::move(quota), until] { share_quota(name, until); });
}

void engine::implementation::controls_changed(const control_state& state) {
    work_finder->set_cancelling(state.cancelling);
    for (auto& one : threads) {
        asio::post(one->context, [work = one->work.get(), state] { work->set_controls(state); });
    }
    controls_known = true;
    controls_heard->notify_all();
}

void engine::implementation::devices_removed(const std::vector<removed_device>& gone) {
    for (auto& one : threads) {
        asio::post(one->context, [work = one->work.get(), gone] { work->forget(gone); });
    }
}

// An engine that has just come up must know what is paused, slowed down or being cancelled before it sends
// its first push; what it is told travels on a connection of its own, which may take its time.
asio::awaitable<void> engine::implementation::find_work() {
    while (!controls_known && !stopping) {
        co_await controls_heard->wait();
    }
    co_await work_finder->run();
}

// The threads of this engine hear of it when the change comes back from Redis, as all others do.
void engine::implementation::share_quota(const std::string& quota, wall_time until) {
    asio::co_spawn(
        threads.front()->context, board->hold_quota(quota, until),
        [this](const std::exception_ptr& failed, result<> told) {
            if (failed || told.has_error()) {
                log.warning("quota.not_shared", {{"error", failed ? "exception" : told.error().message()}});
            }
        });
}

asio::awaitable<void> engine::implementation::every(
    duration period, asio::awaitable<void> (implementation::*step)()) {
    timer rest(threads.front()->context.get_executor(), time);
    while (!stopping) {
        co_await rest.wait_for(period);
        if (!stopping) {
            co_await (this->*step)();
        }
    }
}

asio::awaitable<void> engine::implementation::look_around() {
    co_await watch->sample();
    co_await own_name->look();
}

asio::awaitable<void> engine::implementation::keep_schedule() {
    const auto begun = co_await desk->look();
    if (begun.has_error()) {
        log.warning("schedule.interrupted", {{"error", begun.error().message()}});
    }
}

asio::awaitable<void> engine::implementation::keep_receipts() {
    const auto published = co_await reach->publish_due();
    if (published.has_error()) {
        log.warning("reach.interrupted", {{"error", published.error().message()}});
    }
}

asio::awaitable<void> engine::implementation::leave_streams() {
    for (const auto& one : streams) {
        co_await one->leave();
    }
}

asio::awaitable<void> engine::implementation::keep_leases() {
    for (auto& one : threads) {
        asio::co_spawn(one->context, one->work->renew_leases(), asio::detached);
    }
    co_return;
}

asio::awaitable<void> engine::implementation::watch_connection() {
    watch->look();
    co_return;
}

asio::awaitable<void> engine::implementation::watch_removals() {
    return removals->look();
}

asio::awaitable<void> engine::implementation::watch_followers() {
    co_await followers->look(time.now());
}

}  // namespace tocsin
