#include "engine/engine_implementation.hpp"
#include "engine/intake/event_intake.hpp"
#include "engine/intake/receipt_intake.hpp"
#include "engine/intake/registrar.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <random>

// How an engine is put together.

namespace tocsin {
namespace {

namespace asio = boost::asio;

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
    control_redis = connect();
    make_controls();
    make_store();
    make_coordinator();
    make_intake();
    make_watches();
}

std::unique_ptr<redis::client> engine::implementation::connect() {
    return std::make_unique<redis::client>(threads.front()->context.get_executor(), address, time, log);
}

redis::client& engine::implementation::add_reader() {
    readers.push_back(connect());
    return *readers.back();
}

void engine::implementation::make_controls() {
    board = std::make_unique<control_board>(*control_redis, keys);
    controls_heard = std::make_unique<wait_queue>(threads.front()->context.get_executor());
    controls = std::make_unique<control_watch>(add_reader(), keys, time, log, *this);
}

void engine::implementation::make_store() {
    store = std::make_unique<device_store>(*control_redis, keys, preparer.platforms(), sizing());
    book = std::make_unique<ledger>(*control_redis, keys, how.engine.instance);
    letters = std::make_unique<dead_letters>(
        *control_redis, keys, how.engine.dead_letters_max_length, *control_numbers);
}

void engine::implementation::make_coordinator() {
    work_finder = std::make_unique<coordinator>(
        threads.front()->context.get_executor(), *control_redis, *store, *letters, preparer, how.engine, time,
        log, *control_numbers, *this);
}

void engine::implementation::make_intake() {
    desk = std::make_unique<planning_desk>(
        threads.front()->context.get_executor(), *book, *store, *letters, preparer, time, log,
        *control_numbers, *this);
    reach = std::make_unique<reach_desk>(
        *control_redis, keys, places,
        reach_desk::terms{how.engine.results_max_length, how.engine.event_retention}, time, log);
    take_in(std::make_unique<event_intake>(
        *book, *store, *letters, preparer, *desk, time, log, *control_numbers, *this));
    take_in(std::make_unique<registrar>(
        *control_redis, *store, *letters, *board, preparer, how.engine.instance, time, log,
        *control_numbers));
    take_in(std::make_unique<receipt_intake>(
        *control_redis, keys, *letters, preparer, time, log, *control_numbers));
}

void engine::implementation::take_in(std::unique_ptr<entry_handler> handler) {
    streams.push_back(std::make_unique<intake_stream>(
        add_reader(), std::move(handler), keys, how.engine, *letters, time, log));
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
