#include "engine/engine_implementation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <random>

// How an engine is put together.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t registrations_at_once = 500;

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

void engine::implementation::make_thread(std::size_t index) {
    threads.push_back(std::make_unique<engine_thread>());
    engine_thread& here = *threads.back();
    const asio::any_io_executor executor = here.context.get_executor();
    metrics_shard& shard = numbers.add_shard();
    here.redis = std::make_unique<redis::client>(executor, address, time, log);
    here.work = std::make_unique<worker>(
        executor, index, *here.redis, keys, sizing(), preparer.platforms(), how.engine, time, log, shard,
        *this);
    heartbeat& beat = health_checks.add_loop("thread " + std::to_string(index));
    asio::co_spawn(executor, keep_beating(beat, time), asio::detached);
}

void engine::implementation::make_control() {
    control_numbers = &numbers.add_shard();
    control_redis =
        std::make_unique<redis::client>(threads.front()->context.get_executor(), address, time, log);
    make_controls();
    make_store();
    make_coordinator();
    make_intake();
    make_watches();
}

redis::client& engine::implementation::add_reader() {
    readers.push_back(
        std::make_unique<redis::client>(threads.front()->context.get_executor(), address, time, log));
    return *readers.back();
}

void engine::implementation::make_controls() {
    board = std::make_unique<control_board>(*control_redis, keys);
    control_watch::listeners hear;
    controls_heard = std::make_unique<wait_queue>(threads.front()->context.get_executor());
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
    controls = std::make_unique<control_watch>(add_reader(), keys, time, log, std::move(hear));
}

void engine::implementation::make_store() {
    store = std::make_unique<device_store>(*control_redis, keys, sizing());
    book = std::make_unique<ledger>(*control_redis, keys, how.engine.instance);
    letters = std::make_unique<dead_letters>(
        *control_redis, keys, how.engine.dead_letters_max_length, *control_numbers);
}

void engine::implementation::make_coordinator() {
    work_finder = std::make_unique<coordinator>(
        threads.front()->context.get_executor(), *control_redis, *store, preparer, how.engine, time, log,
        *control_numbers,
        [this](
            std::size_t thread, std::shared_ptr<active_event> event, const target& which,
            claimed_shard work) {
            asio::post(
                threads[thread]->context,
                [this, thread, event = std::move(event), which, work = std::move(work)]() mutable {
                    threads[thread]->work->assign(std::move(event), which, std::move(work));
                });
        });
    work_finder->on_letter(
        [this](
            std::string stream, std::string entry, refusal why,
            std::string payload) -> asio::awaitable<result<>> {
            const auto posted = co_await letters->post_once(
                std::move(stream), std::move(entry), std::move(why), std::move(payload));
            if (posted.has_error()) {
                co_return posted.error();
            }
            co_return result<>();
        });
    work_finder->on_poison([this](const std::string& event, const target& which, const std::string& entry) {
        put_aside(event, which, entry);
    });
}

void engine::implementation::make_intake() {
    stream_consumer::settings read;
    read.stream = keys.events();
    read.group = std::string(keyspace::group);
    read.consumer = how.engine.instance;
    read.takeover = how.engine.lease;
    events = std::make_unique<stream_consumer>(add_reader(), read, time);
    read.stream = keys.registrations();
    read.count = registrations_at_once;
    read.takeover = 0ms;  // Whoever holds the lease is the only reader: what others left is ours at once.
    registrations = std::make_unique<stream_consumer>(add_reader(), read, time);
    const auto announce = [this](std::shared_ptr<active_event> event) {
        work_finder->announce(std::move(event));
    };
    desk = std::make_unique<planning_desk>(
        threads.front()->context.get_executor(), *book, *store, *letters, preparer, time, log,
        *control_numbers, announce);
    intake = std::make_unique<event_intake>(
        *book, *store, *letters, preparer, *desk, time, log, *control_numbers, announce);
    intake->on_alert([this](const active_event& event) { expect(event); });
    devices = std::make_unique<registrar>(
        *control_redis, *store, *letters, *board, preparer, how.engine.instance, time, log, *control_numbers);
    receipts = std::make_unique<engine_receipts>(
        *control_redis, add_reader(), keys, *letters, preparer, how.engine, time, log, *control_numbers);
    streams_in.push_back(
        std::make_unique<intake_stream>(*events, *intake, *letters, keys.events(), time, log));
    streams_in.push_back(
        std::make_unique<intake_stream>(*registrations, *devices, *letters, keys.registrations(), time, log));
}

void engine::implementation::make_watches() {
    watch = std::make_unique<redis_watch>(
        *control_redis, keys, address.describe(), time, log, *control_numbers,
        health_checks.add_flag("redis", "No answer from Redis yet at " + address.describe() + "."));
    for (const auto& one : readers) {
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

}  // namespace tocsin
