#include "engine/engine.hpp"

#include "engine/audience/compact_form.hpp"
#include "engine/audience/device_store.hpp"
#include "engine/control/control_watch.hpp"
#include "engine/delivery/coordinator.hpp"
#include "engine/intake/event_intake.hpp"
#include "engine/intake/registrar.hpp"
#include "engine/intake/stream_consumer.hpp"
#include "engine/name_watch.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/runtime/wait_queue.hpp"
#include "engine/served_apps.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t registrations_at_once = 500;
constexpr auto tick = 1s;
// What Redis refused so lately is what it refuses now.
constexpr auto refusal_lasts = 5s;
constexpr auto clocks_apart = 3s;
// A connection that comes back within a second or so is no news; a client waits longer for it by itself.
constexpr auto between_looks = 500ms;
constexpr int looks_until_lost = 3;

/// One thread, one event loop, and everything that lives on it.
struct core {
    // A hint of 1 tells Asio that one thread runs the loop; other threads may still post to it.
    core() : context(1), keep_alive(asio::make_work_guard(context)) {}
    core(const core&) = delete;
    core& operator=(const core&) = delete;
    ~core() { end(); }

    void begin() {
        thread = std::jthread([this] { context.run(); });
    }
    void end() {
        keep_alive.reset();
        context.stop();
        if (thread.joinable()) {
            thread.join();
        }
    }

    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> keep_alive;
    // Destroyed before the context that their handlers wait in.
    std::unique_ptr<redis::client> redis;
    std::unique_ptr<worker> work;
    std::jthread thread;
};

/// Tells this process from any other: no seed must make two of them alike.
std::string random_word() {
    std::random_device entropy;
    std::string out;
    for (int i = 0; i < 4; ++i) {
        out += std::to_string(entropy()) + (i < 3 ? "." : "");
    }
    return out;
}

/// Runs `work` on the loop of `where` and waits for it. Not from that loop's own thread.
template <class Work>
void run_on(core& where, Work work) {
    std::promise<void> done;
    asio::post(where.context, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
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

    void make_core(std::size_t index);
    void make_control();
    asio::awaitable<void> watch();
    asio::awaitable<void> keep_schedule();
    asio::awaitable<void> keep_leases();
    asio::awaitable<void> watch_connection();
    asio::awaitable<void> sample_streams();
    void tell_refusal(const std::optional<redis::error_replies::last_error>& refusal);
    void compare_clocks(const redis::reply& redis_time, wall_time asked_at);
    asio::awaitable<void> find_work();
    void obey(const control_state& state);
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

    std::vector<std::unique_ptr<core>> cores;

    // On the first thread.
    metrics_shard* control_numbers = nullptr;
    std::unique_ptr<redis::client> control_redis;
    std::unique_ptr<redis::client> events_redis;
    std::unique_ptr<redis::client> registrations_redis;
    std::unique_ptr<redis::client> controls_redis;
    std::unique_ptr<device_store> store;
    std::unique_ptr<ledger> book;
    std::unique_ptr<dead_letters> letters;
    std::unique_ptr<stream_consumer> events;
    std::unique_ptr<stream_consumer> registrations;
    std::unique_ptr<coordinator> work_finder;
    std::unique_ptr<event_intake> intake;
    std::unique_ptr<registrar> devices;
    std::vector<std::unique_ptr<intake_stream>> streams_in;
    std::unique_ptr<control_board> board;
    std::unique_ptr<control_watch> controls;
    std::unique_ptr<wait_queue> controls_heard;
    bool controls_known = false;
    std::future<void> coordinator_done;
    health_flag* redis_health = nullptr;
    std::unique_ptr<name_watch> own_name;
    std::uint64_t redis_errors_seen = 0;
    std::string refusal_told;  // The class of error that the log was told of last; empty: none.
    bool clocks_told = false;
    std::uint64_t generation = 0;  // As preparer counts it.
    bool started = false;
    bool stopped = false;
    std::atomic<bool> stopping{false};
};

void engine::implementation::make_core(std::size_t index) {
    cores.push_back(std::make_unique<core>());
    core& here = *cores.back();
    const asio::any_io_executor executor = here.context.get_executor();
    metrics_shard& shard = numbers.add_shard();
    here.redis = std::make_unique<redis::client>(executor, address, time, log);
    worker_events tell;
    tell.shard_left = [this](shard_ticket which) {
        asio::post(cores.front()->context, [this, one = std::move(which)] { work_finder->shard_left(one); });
    };
    tell.event_drained = [this](std::string event) {
        asio::post(cores.front()->context, [this, id = std::move(event)] { work_finder->drained(id); });
    };
    tell.quota_used_up = [this](std::string quota, wall_time until) {
        asio::post(
            cores.front()->context, [this, name = std::move(quota), until] { share_quota(name, until); });
    };
    here.work = std::make_unique<worker>(
        executor, index, *here.redis, keys, sizing(), how.engine, time, log, shard, std::move(tell));
    heartbeat& beat = health_checks.add_loop("thread " + std::to_string(index));
    asio::co_spawn(executor, keep_beating(beat, time), asio::detached);
}

void engine::implementation::make_control() {
    const asio::any_io_executor executor = cores.front()->context.get_executor();
    control_numbers = &numbers.add_shard();
    control_redis = std::make_unique<redis::client>(executor, address, time, log);
    events_redis = std::make_unique<redis::client>(executor, address, time, log);
    registrations_redis = std::make_unique<redis::client>(executor, address, time, log);
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
        for (auto& one : cores) {
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
                cores[thread]->context,
                [this, thread, event = std::move(event), which, work = std::move(work)]() mutable {
                    cores[thread]->work->assign(std::move(event), which, std::move(work));
                });
        });
    work_finder->on_letter([this](std::string stream, std::string entry, refusal why, std::string payload) {
        return letters->post_once(std::move(stream), std::move(entry), std::move(why), std::move(payload));
    });
    work_finder->on_poison([this](const std::string& event, const target& which, const std::string& entry) {
        put_aside(event, which, entry);
    });
    intake = std::make_unique<event_intake>(
        *book, *store, *letters, preparer, time, log, *control_numbers,
        [this](std::shared_ptr<active_event> event) { work_finder->announce(std::move(event)); });
    devices = std::make_unique<registrar>(
        *control_redis, *store, *letters, *board, preparer, how.engine.instance, time, log, *control_numbers);
    streams_in.push_back(
        std::make_unique<intake_stream>(*events, *intake, *letters, keys.events(), time, log));
    streams_in.push_back(
        std::make_unique<intake_stream>(*registrations, *devices, *letters, keys.registrations(), time, log));
    redis_health =
        &health_checks.add_flag("redis", "No answer from Redis yet at " + address.describe() + ".");
    own_name = std::make_unique<name_watch>(*control_redis, keys, how.engine.instance, random_word(), log);
}

void engine::implementation::obey(const control_state& state) {
    work_finder->set_cancelling(state.cancelling);
    for (auto& one : cores) {
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
        cores.front()->context, board->hold_quota(quota, until),
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
        cores.front()->context, letters->post(keys.shards(event, name), entry, std::move(why), {}),
        [this](const std::exception_ptr& failed, result<> posted) {
            if (failed || posted.has_error()) {
                log.warning(
                    "letter.not_posted", {{"error", failed ? "exception" : posted.error().message()}});
            }
        });
}

asio::awaitable<void> engine::implementation::watch() {
    co_await prefer_compact_rosters(*control_redis, log);
    asio::steady_timer timer(cores.front()->context);
    while (!stopping) {
        timer.expires_after(tick);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (stopping) {
            co_return;
        }
        co_await sample_streams();
        co_await own_name->look();
    }
}

// Schedule, leases and samples each go their own way: none waits for another that is slow.
asio::awaitable<void> engine::implementation::keep_schedule() {
    asio::steady_timer timer(cores.front()->context);
    while (!stopping) {
        timer.expires_after(tick);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (stopping) {
            co_return;
        }
        if (const auto planned = co_await intake->plan_due(); planned.has_error()) {
            log.warning("schedule.interrupted", {{"error", planned.error().message()}});
        }
    }
}

asio::awaitable<void> engine::implementation::keep_leases() {
    asio::steady_timer timer(cores.front()->context);
    while (!stopping) {
        for (auto& one : cores) {
            worker& work = *one->work;
            asio::co_spawn(one->context, work.renew_leases(), asio::detached);
        }
        timer.expires_after(how.engine.lease / 3);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

// Commands wait for a lost connection to come back, and samples with them: that it is lost is known long
// before they give up.
asio::awaitable<void> engine::implementation::watch_connection() {
    asio::steady_timer timer(cores.front()->context);
    int absent = 0;
    while (!stopping) {
        timer.expires_after(between_looks);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        absent = control_redis->connected() ? 0 : absent + 1;
        if (absent == looks_until_lost) {
            redis_health->failing("Redis at " + address.describe() + " is not connected.");
        }
    }
}

asio::awaitable<void> engine::implementation::sample_streams() {
    redis::request ask;
    ask.add("XINFO", "GROUPS", keys.events()).add("XINFO", "GROUPS", keys.registrations()).add("TIME");
    const wall_time asked_at = time.wall_now();
    const auto answer = co_await control_redis->execute(std::move(ask));
    std::uint64_t errors = 0;
    std::optional<redis::error_replies::last_error> refusal;
    const auto look_at = [&](const redis::client& one) {
        errors += one.errors();
        const auto last = one.last_error();
        if (last && time.now() - last->at <= refusal_lasts && (!refusal || last->at > refusal->at)) {
            refusal = last;
        }
    };
    for (const auto* const one : {&control_redis, &events_redis, &registrations_redis, &controls_redis}) {
        look_at(**one);
    }
    for (const auto& one : cores) {
        look_at(*one->redis);
    }
    control_numbers->counter(metric::redis_errors_total, {})
        .add(errors - std::exchange(redis_errors_seen, errors));
    if (answer.has_error()) {
        redis_health->failing("Redis at " + address.describe() + ": " + answer.error().message());
        co_return;
    }
    tell_refusal(refusal);
    compare_clocks((*answer)[2], asked_at);
    constexpr std::array<std::string_view, 2> names{"events", "registrations"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const redis::reply groups = (*answer)[i];
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const redis::reply fields = groups[g];
            for (std::size_t f = 0; f + 1 < fields.size(); f += 2) {
                const auto value = fields[f + 1].integer();
                if (value && fields[f].text() == "lag") {
                    control_numbers->gauge(metric::stream_lag, {names[i]}).set(static_cast<double>(*value));
                } else if (value && fields[f].text() == "pending") {
                    control_numbers->gauge(metric::pending, {names[i]}).set(static_cast<double>(*value));
                }
            }
        }
    }
}

void engine::implementation::tell_refusal(const std::optional<redis::error_replies::last_error>& refusal) {
    if (!refusal) {
        redis_health->fulfilled();
        refusal_told.clear();
        return;
    }
    const std::string kind(redis::error_class(refusal->text));
    const std::string_view advice = redis::advice_for(kind);
    redis_health->failing(
        "Redis at " + address.describe() + " says: " + refusal->text + ". " + std::string(advice));
    if (std::exchange(refusal_told, kind) != kind) {
        log.error("redis.refuses", {{"class", kind}, {"error", refusal->text}, {"advice", advice}});
    }
}

// A ttl counts from what Redis calls the time, and an expiry is checked by our clock.
void engine::implementation::compare_clocks(const redis::reply& redis_time, wall_time asked_at) {
    const auto seconds = redis_time.size() == 2 ? redis_time[0].integer() : std::nullopt;
    if (!seconds) {
        return;
    }
    const wall_time theirs{std::chrono::seconds(*seconds)};
    const auto offset = std::chrono::duration<double>(asked_at - theirs).count();
    control_numbers->gauge(metric::clock_offset_seconds, {}).set(offset);
    const bool apart = std::abs(offset) > std::chrono::duration<double>(clocks_apart).count();
    if (std::exchange(clocks_told, apart) != apart && apart) {
        log.error(
            "clock.differs",
            {{"seconds_ahead_of_redis", offset},
             {"advice", "Events expire early or late: check NTP here and on the host of Redis."}});
    }
}

engine::engine(
    settings how, redis::address where, const territories& places, const time_source& time, logger& log,
    metrics& numbers, health& checks)
    : implementation_(std::make_unique<implementation>(
          std::move(how), std::move(where), places, time, log, numbers, checks)) {
    implementation& self = *implementation_;
    for (std::size_t i = 0; i < self.how.engine.threads; ++i) {
        self.make_core(i);
    }
    self.make_control();
    for (auto& one : self.cores) {
        one->begin();
    }
}

engine::~engine() {
    stop();
}

std::vector<asio::any_io_executor> engine::executors() const {
    std::vector<asio::any_io_executor> out;
    for (const auto& one : implementation_->cores) {
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
    }
    std::vector<served_app> served = served_apps(apps, providers);
    // The workers first: no event may be planned for an app that they do not know yet.
    const std::uint64_t generation = ++self.generation;
    for (auto& one : self.cores) {
        run_on(*one, [&] { one->work->set_providers(providers, rates, generation); });
    }
    run_on(*self.cores.front(), [&] {
        self.how.apps = apps.apps;
        self.preparer.set_apps(std::move(served));
        if (self.started) {
            // What was said at the terminal holds until the configuration speaks again.
            asio::co_spawn(
                self.cores.front()->context, self.board->forget_rates(),
                [](const std::exception_ptr&, result<>) {});
        }
    });
}

void engine::start() {
    implementation& self = *implementation_;
    self.started = true;
    auto& first = self.cores.front()->context;
    self.coordinator_done = asio::co_spawn(first, self.find_work(), asio::use_future);
    for (auto& one : self.streams_in) {
        asio::co_spawn(first, one->run(), asio::detached);
    }
    asio::co_spawn(first, self.controls->run(), asio::detached);
    asio::co_spawn(first, self.watch(), asio::detached);
    asio::co_spawn(first, self.keep_schedule(), asio::detached);
    asio::co_spawn(first, self.keep_leases(), asio::detached);
    asio::co_spawn(first, self.watch_connection(), asio::detached);
}

void engine::stop() {
    implementation& self = *implementation_;
    if (std::exchange(self.stopped, true)) {
        return;
    }
    core& first = *self.cores.front();
    const time_point deadline = self.time.now() + self.how.engine.shutdown_timeout;
    if (self.started) {
        self.stopping = true;
        run_on(first, [&self] {
            for (auto& stream : self.streams_in) {
                stream->stop();
            }
            self.controls->stop();
            self.work_finder->stop();
            self.controls_heard->notify_all();
            self.events_redis->close();
            self.registrations_redis->close();
            self.controls_redis->close();
        });
        std::vector<std::future<void>> stopping;
        for (auto& one : self.cores) {
            stopping.push_back(asio::co_spawn(one->context, one->work->stop(deadline), asio::use_future));
        }
        for (auto& done : stopping) {
            done.wait();
        }
        self.coordinator_done.wait_for(5s);
        asio::co_spawn(first.context, self.devices->release_lease(), asio::use_future).wait_for(1s);
    }
    for (auto& one : self.cores) {
        one->end();
    }
    // Providers live on the first loop: everything that holds one goes before that loop does.
    self.streams_in.clear();
    self.intake.reset();
    self.devices.reset();
    self.controls.reset();
    self.controls_heard.reset();
    self.board.reset();
    self.work_finder.reset();
    self.preparer.set_apps({});
    for (auto& one : self.cores) {
        one->work.reset();
    }
    while (self.cores.size() > 1) {
        self.cores.pop_back();
    }
}

std::vector<lane_status> engine::lanes() const {
    std::vector<lane_status> out;
    // A loop that has ended answers nobody: whoever asks during a shutdown gets what there is in time.
    std::vector<std::future<std::vector<lane_status>>> answers;
    for (const auto& one : implementation_->cores) {
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
