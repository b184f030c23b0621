#include "engine/engine.hpp"

#include "engine/audience/compact_form.hpp"
#include "engine/audience/device_store.hpp"
#include "engine/control/control_watch.hpp"
#include "engine/delivery/coordinator.hpp"
#include "engine/engine_receipts.hpp"
#include "engine/engine_thread.hpp"
#include "engine/followers_watch.hpp"
#include "engine/intake/event_intake.hpp"
#include "engine/intake/planning_desk.hpp"
#include "engine/intake/registrar.hpp"
#include "engine/intake/stream_consumer.hpp"
#include "engine/name_watch.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis_watch.hpp"
#include "engine/removals_watch.hpp"
#include "engine/runtime/timer.hpp"
#include "engine/runtime/wait_queue.hpp"
#include "engine/served_apps.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <random>
#include <string>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t registrations_at_once = 500;
constexpr auto tick = 1s;
constexpr auto between_looks = 500ms;
// Of the time that a stop may take, what is kept to hand work back in; no more than a quarter of it.
constexpr std::chrono::milliseconds longest_handing_back = 2s;

/// Tells this process from any other: no seed must make two of them alike.
std::string random_word() {
    std::random_device entropy;
    std::string out;
    for (int i = 0; i < 4; ++i) {
        out += std::to_string(entropy()) + (i < 3 ? "." : "");
    }
    return out;
}

}  // namespace

struct engine::implementation {
    implementation(
        settings given, redis::address where, const territories& known, const time_source& now, logger& sink,
        metrics& all_numbers, health& checks)
        : how(std::move(given)),
          address(std::move(where)),
          places(known),
          time(now),
          log(sink),
          numbers(all_numbers),
          health_checks(checks),
          keys(how.redis.prefix),
          preparer(known, event_limits{{}, how.engine.default_ttl}, now) {}

    [[nodiscard]] store_sizing sizing() const { return sizing_for(how, places); }

    void make_thread(std::size_t index);
    void make_control();
    /// Takes `step` again and again, with a rest of `period` before each. Each way is its own: none waits for
    /// another that is slow.
    asio::awaitable<void> every(duration period, asio::awaitable<void> (implementation::*step)());
    asio::awaitable<void> look_around();
    asio::awaitable<void> keep_schedule();
    asio::awaitable<void> keep_receipts();
    asio::awaitable<void> keep_leases();
    asio::awaitable<void> watch_connection();
    asio::awaitable<void> watch_followers();
    asio::awaitable<void> watch_removals();
    asio::awaitable<void> find_work();
    void obey(const control_state& state);
    void expect(const active_event& event);
    void share_quota(const std::string& quota, wall_time until);
    void put_aside(const std::string& event, const target& which, const std::string& entry);

    settings how;
    redis::address address;
    const territories& places;
    const time_source& time;
    logger& log;
    metrics& numbers;
    health& health_checks;
    keyspace keys;
    event_preparer preparer;  // Belongs to the first thread once it runs.

    std::vector<std::unique_ptr<engine_thread>> threads;

    // On the first thread.
    metrics_shard* control_numbers = nullptr;
    std::unique_ptr<redis::client> control_redis;
    std::unique_ptr<redis::client> events_redis;
    std::unique_ptr<redis::client> registrations_redis;
    std::unique_ptr<redis::client> receipts_redis;
    std::unique_ptr<redis::client> controls_redis;
    std::unique_ptr<device_store> store;
    std::unique_ptr<ledger> book;
    std::unique_ptr<dead_letters> letters;
    std::unique_ptr<stream_consumer> events;
    std::unique_ptr<stream_consumer> registrations;
    std::unique_ptr<coordinator> work_finder;
    std::unique_ptr<planning_desk> desk;
    std::unique_ptr<event_intake> intake;
    std::unique_ptr<registrar> devices;
    std::unique_ptr<engine_receipts> receipts;
    std::vector<std::unique_ptr<intake_stream>> streams_in;
    std::unique_ptr<control_board> board;
    std::unique_ptr<control_watch> controls;
    std::unique_ptr<wait_queue> controls_heard;
    bool controls_known = false;
    std::future<void> coordinator_done;
    std::unique_ptr<name_watch> own_name;
    std::unique_ptr<redis_watch> watch;
    std::unique_ptr<followers_watch> followers;
    std::unique_ptr<removals_watch> removals;
    std::uint64_t generation = 0;  // As preparer counts it.
    bool started = false;
    bool stopped = false;
    std::atomic<bool> stopping{false};
};

void engine::implementation::make_thread(std::size_t index) {
    threads.push_back(std::make_unique<engine_thread>());
    engine_thread& here = *threads.back();
    const asio::any_io_executor executor = here.context.get_executor();
    metrics_shard& shard = numbers.add_shard();
    here.redis = std::make_unique<redis::client>(executor, address, time, log);
    worker_events tell;
    tell.shard_left = [this](shard_ticket which) {
        asio::post(
            threads.front()->context, [this, one = std::move(which)] { work_finder->shard_left(one); });
    };
    tell.event_drained = [this](std::string event) {
        asio::post(threads.front()->context, [this, id = std::move(event)] { work_finder->drained(id); });
    };
    tell.quota_used_up = [this](std::string quota, wall_time until) {
        asio::post(
            threads.front()->context, [this, name = std::move(quota), until] { share_quota(name, until); });
    };
    here.work = std::make_unique<worker>(
        executor, index, *here.redis, keys, sizing(), how.engine, time, log, shard, std::move(tell));
    heartbeat& beat = health_checks.add_loop("thread " + std::to_string(index));
    asio::co_spawn(executor, keep_beating(beat, time), asio::detached);
}

void engine::implementation::make_control() {
    const asio::any_io_executor executor = threads.front()->context.get_executor();
    control_numbers = &numbers.add_shard();
    control_redis = std::make_unique<redis::client>(executor, address, time, log);
    events_redis = std::make_unique<redis::client>(executor, address, time, log);
    registrations_redis = std::make_unique<redis::client>(executor, address, time, log);
    receipts_redis = std::make_unique<redis::client>(executor, address, time, log);
    controls_redis = std::make_unique<redis::client>(executor, address, time, log);
    board = std::make_unique<control_board>(*control_redis, keys);
    control_watch::listeners hear;
    controls_heard = std::make_unique<wait_queue>(executor);
    hear.changed = [this](const control_state& state) {
        obey(state);
        controls_known = true;
        controls_heard->notify_all();
    };
    hear.removed = [this](const std::vector<removed_device>& gone) {
        for (auto& one : threads) {
            asio::post(one->context, [work = one->work.get(), gone] { work->forget(gone); });
        }
    };
    controls = std::make_unique<control_watch>(*controls_redis, keys, time, log, std::move(hear));
    store = std::make_unique<device_store>(*control_redis, keys, sizing());
    book = std::make_unique<ledger>(*control_redis, keys, how.engine.instance);
    letters = std::make_unique<dead_letters>(
        *control_redis, keys, how.engine.dead_letters_max_length, *control_numbers);
    stream_consumer::settings read;
    read.stream = keys.events();
    read.group = std::string(keyspace::group);
    read.consumer = how.engine.instance;
    read.takeover = how.engine.lease;
    events = std::make_unique<stream_consumer>(*events_redis, read, time);
    read.stream = keys.registrations();
    read.count = registrations_at_once;
    read.takeover = 0ms;  // Whoever holds the lease is the only reader: what others left is ours at once.
    registrations = std::make_unique<stream_consumer>(*registrations_redis, read, time);
    work_finder = std::make_unique<coordinator>(
        executor, *control_redis, *store, preparer, how.engine, time, log, *control_numbers,
        [this](
            std::size_t thread, std::shared_ptr<active_event> event, const target& which,
            claimed_shard work) {
            asio::post(
                threads[thread]->context,
                [this, thread, event = std::move(event), which, work = std::move(work)]() mutable {
                    threads[thread]->work->assign(std::move(event), which, std::move(work));
                });
        });
    work_finder->on_letter([this](std::string stream, std::string entry, refusal why, std::string payload) {
        return letters->post_once(std::move(stream), std::move(entry), std::move(why), std::move(payload));
    });
    work_finder->on_poison([this](const std::string& event, const target& which, const std::string& entry) {
        put_aside(event, which, entry);
    });
    const auto announce = [this](std::shared_ptr<active_event> event) {
        work_finder->announce(std::move(event));
    };
    desk = std::make_unique<planning_desk>(executor, *book, *store, *letters, preparer, time, log, announce);
    intake = std::make_unique<event_intake>(
        *book, *store, *letters, preparer, *desk, time, log, *control_numbers, announce);
    intake->on_alert([this](const active_event& event) { expect(event); });
    devices = std::make_unique<registrar>(
        *control_redis, *store, *letters, *board, preparer, how.engine.instance, time, log, *control_numbers);
    receipts = std::make_unique<engine_receipts>(
        *control_redis, *receipts_redis, keys, *letters, preparer, how.engine, time, log, *control_numbers);
    streams_in.push_back(
        std::make_unique<intake_stream>(*events, *intake, *letters, keys.events(), time, log));
    streams_in.push_back(
        std::make_unique<intake_stream>(*registrations, *devices, *letters, keys.registrations(), time, log));
    watch = std::make_unique<redis_watch>(
        *control_redis, keys, address.describe(), time, log, *control_numbers,
        health_checks.add_flag("redis", "No answer from Redis yet at " + address.describe() + "."));
    for (const redis::client* const one :
         {events_redis.get(), registrations_redis.get(), receipts_redis.get(), controls_redis.get()}) {
        watch->also_watch(*one);
    }
    for (const auto& one : threads) {
        watch->also_watch(*one->redis);
    }
    followers = std::make_unique<followers_watch>(*store, preparer, log, *control_numbers);
    removals = std::make_unique<removals_watch>(
        *control_redis, keys, preparer, time, *control_numbers, health_checks.add_flag("removals", {}),
        how.engine.removed_kept);
    own_name = std::make_unique<name_watch>(*control_redis, keys, how.engine.instance, random_word(), log);
}

// While Redis is asked who is concerned, the providers are dialled.
void engine::implementation::expect(const active_event& event) {
    for (const target& which : event.targets) {
        if (!event.content.skips_provider(which.on)) {
            auto& one = threads[work_finder->next_thread(which, event.content.priority)];
            asio::post(one->context, [work = one->work.get(), which] { work->expect(which); });
        }
    }
}

void engine::implementation::obey(const control_state& state) {
    work_finder->set_cancelling(state.cancelling);
    for (auto& one : threads) {
        asio::post(one->context, [work = one->work.get(), state] { work->set_controls(state); });
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

void engine::implementation::put_aside(
    const std::string& event, const target& which, const std::string& entry) {
    const std::string name = to_string(which);
    refusal why{
        "poison_shard", "a shard of event \"" + event + "\" for " + name +
                            " was taken up engine.max_takeovers times and none of its pages was settled: "
                            "its devices were not sent to."};
    asio::co_spawn(
        threads.front()->context, letters->post(keys.shards(event, name), entry, std::move(why), {}),
        [this](const std::exception_ptr& failed, result<> posted) {
            if (failed || posted.has_error()) {
                log.warning(
                    "letter.not_posted", {{"error", failed ? "exception" : posted.error().message()}});
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
    return receipts->look();
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

engine::engine(
    settings how, redis::address where, const territories& places, const time_source& time, logger& log,
    metrics& numbers, health& checks)
    : implementation_(std::make_unique<implementation>(
          std::move(how), std::move(where), places, time, log, numbers, checks)) {
    implementation& self = *implementation_;
    for (std::size_t i = 0; i < self.how.engine.threads; ++i) {
        self.make_thread(i);
    }
    self.make_control();
    for (auto& one : self.threads) {
        one->begin();
    }
}

engine::~engine() {
    stop();
}

std::vector<asio::any_io_executor> engine::executors() const {
    std::vector<asio::any_io_executor> out;
    for (const auto& one : implementation_->threads) {
        out.emplace_back(one->context.get_executor());
    }
    return out;
}

void engine::set_providers(const settings& apps, std::vector<std::shared_ptr<provider>> providers) {
    implementation& self = *implementation_;
    std::map<target, std::uint64_t> rates;
    for (const app_settings& app : apps.apps) {
        if (app.apns) {
            rates[{app.id, platform::apns}] = app.apns->rate;
        }
        if (app.fcm) {
            rates[{app.id, platform::fcm}] = app.fcm->rate;
        }
        if (app.webpush) {
            rates[{app.id, platform::webpush}] = app.webpush->rate;
        }
    }
    std::vector<served_app> served = served_apps(apps, providers);
    // The workers first: no event may be planned for an app that they do not know yet.
    const std::uint64_t generation = ++self.generation;
    for (auto& one : self.threads) {
        one->run([&] { one->work->set_providers(providers, rates, generation); });
    }
    self.threads.front()->run([&] {
        self.how.apps = apps.apps;
        self.preparer.set_apps(std::move(served));
        // Whoever read the configuration has made sure that they can be had.
        if (auto hours = quiet_hours::make(apps.quiet_hours); hours.has_value()) {
            self.preparer.set_quiet_hours(std::move(*hours));
        }
        if (self.started) {
            // What was said at the terminal holds until the configuration speaks again.
            asio::co_spawn(
                self.threads.front()->context, self.board->forget_rates(),
                [](const std::exception_ptr&, result<>) {});
        }
    });
}

void engine::start() {
    implementation& self = *implementation_;
    self.started = true;
    auto& first = self.threads.front()->context;
    self.coordinator_done = asio::co_spawn(first, self.find_work(), asio::use_future);
    for (auto& one : self.streams_in) {
        asio::co_spawn(first, one->run(), asio::detached);
    }
    asio::co_spawn(first, self.receipts->read(), asio::detached);
    asio::co_spawn(first, self.controls->run(), asio::detached);
    asio::co_spawn(first, prefer_compact_rosters(*self.control_redis, self.log), asio::detached);
    using how = implementation;
    asio::co_spawn(first, self.every(tick, &how::look_around), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::keep_schedule), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::keep_receipts), asio::detached);
    asio::co_spawn(first, self.every(self.how.engine.lease / 3, &how::keep_leases), asio::detached);
    asio::co_spawn(first, self.every(between_looks, &how::watch_connection), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::watch_followers), asio::detached);
    asio::co_spawn(first, self.every(tick, &how::watch_removals), asio::detached);
}

void engine::stop() {
    implementation& self = *implementation_;
    if (std::exchange(self.stopped, true)) {
        return;
    }
    engine_thread& first = *self.threads.front();
    const auto timeout = self.how.engine.shutdown_timeout;
    const time_point end = self.time.now() + timeout;
    const time_point answers_until = end - std::min(longest_handing_back, timeout / 4);
    if (self.started) {
        self.stopping = true;
        first.run([&self] {
            for (auto& stream : self.streams_in) {
                stream->stop();
            }
            self.desk->stop();
            self.receipts->stop();
            self.controls->stop();
            self.work_finder->stop();
            self.controls_heard->notify_all();
            self.events_redis->close();
            self.registrations_redis->close();
            self.receipts_redis->close();
            self.controls_redis->close();
        });
        std::vector<std::future<void>> stopping;
        for (auto& one : self.threads) {
            stopping.push_back(
                asio::co_spawn(one->context, one->work->stop(answers_until, end), asio::use_future));
        }
        for (auto& done : stopping) {
            done.wait();
        }
        self.coordinator_done.wait_for(end - self.time.now());
        const auto released = asio::co_spawn(first.context, self.devices->release_lease(), asio::use_future);
        released.wait_for(end - self.time.now());
    }
    for (auto& one : self.threads) {
        one->end();
    }
    // Providers live on the first loop: everything that holds one goes before that loop does.
    self.streams_in.clear();
    self.intake.reset();
    self.desk.reset();
    self.devices.reset();
    self.receipts.reset();
    self.controls.reset();
    self.controls_heard.reset();
    self.board.reset();
    self.work_finder.reset();
    self.watch.reset();
    self.preparer.set_apps({});
    for (auto& one : self.threads) {
        one->work.reset();
    }
    while (self.threads.size() > 1) {
        self.threads.pop_back();
    }
}

std::vector<lane_status> engine::lanes() const {
    std::vector<lane_status> out;
    // A loop that has ended answers nobody: whoever asks during a shutdown gets what there is in time.
    std::vector<std::future<std::vector<lane_status>>> answers;
    for (const auto& one : implementation_->threads) {
        auto promise = std::make_shared<std::promise<std::vector<lane_status>>>();
        answers.push_back(promise->get_future());
        asio::post(one->context, [work = one->work.get(), promise] { promise->set_value(work->status()); });
    }
    const auto patience = std::chrono::steady_clock::now() + 2s;
    for (auto& answer : answers) {
        if (answer.wait_until(patience) == std::future_status::ready) {
            auto here = answer.get();
            out.insert(out.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
        }
    }
    return out;
}

}  // namespace tocsin
