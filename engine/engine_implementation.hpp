#pragma once

#include "engine/control/control_watch.hpp"
#include "engine/delivery/coordinator.hpp"
#include "engine/engine.hpp"
#include "engine/engine_thread.hpp"
#include "engine/followers_watch.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/intake/planning_desk.hpp"
#include "engine/name_watch.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/reach_desk.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis_watch.hpp"
#include "engine/removals_watch.hpp"
#include "engine/runtime/wait_queue.hpp"
#include "engine/served_apps.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// The parts of an engine, and how they hear of each other. engine_assembly.cpp makes them, engine_rounds.cpp
/// is what they do again and again, engine.cpp how they start and stop.
struct engine::implementation final : sending_listener, intake_listener, shard_taker, control_listener {
    implementation(
        settings given, redis::address where, const territories& known, platform_set platforms,
        const time_source& now, logger& sink, metrics& all_numbers, health& checks)
        : how(std::move(given)),
          address(std::move(where)),
          places(known),
          time(now),
          log(sink),
          numbers(all_numbers),
          health_checks(checks),
          keys(how.redis.prefix),
          preparer(known, platforms, event_limits{{}, how.engine.default_ttl}, now) {}

    [[nodiscard]] store_sizing sizing() const { return sizing_for(how, places); }

    void make_thread(std::size_t index);
    /// What only the first thread has.
    void make_control();
    [[nodiscard]] std::unique_ptr<redis::client> connect();
    /// A connection for one stream alone.
    [[nodiscard]] redis::client& add_reader();
    /// A stream that is read: what comes in goes to `handler`.
    void take_in(std::unique_ptr<entry_handler> handler);
    void make_controls();
    void make_store();
    void make_coordinator();
    void make_intake();
    void make_watches();
    /// Takes `step` again and again, with a rest of `period` before each. Each way is its own: none waits for
    /// another that is slow.
    boost::asio::awaitable<void> every(
        duration period, boost::asio::awaitable<void> (implementation::*step)());
    boost::asio::awaitable<void> look_around();
    boost::asio::awaitable<void> keep_schedule();
    boost::asio::awaitable<void> keep_receipts();
    boost::asio::awaitable<void> keep_leases();
    boost::asio::awaitable<void> watch_connection();
    boost::asio::awaitable<void> watch_followers();
    boost::asio::awaitable<void> watch_removals();
    boost::asio::awaitable<void> find_work();
    /// Lets other engines read what this one alone has read so far.
    boost::asio::awaitable<void> leave_streams();
    // intake_listener, shard_taker
    void alert_read(const active_event& event) override;
    void event_planned(std::shared_ptr<active_event> event) override;
    void assign(
        std::size_t thread, std::shared_ptr<active_event> event, const target& which,
        claimed_shard work) override;
    // sending_listener: the coordinator and the board live on the first thread.
    void shard_left(shard_ticket which) override;
    void event_drained(std::string event) override;
    void quota_used_up(std::string quota, wall_time until) override;
    // control_listener
    void controls_changed(const control_state& state) override;
    void devices_removed(const std::vector<removed_device>& gone) override;
    void share_quota(const std::string& quota, wall_time until);

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
    std::vector<std::unique_ptr<redis::client>> readers;  ///< Held up by blocking reads: one for each stream.
    std::unique_ptr<device_store> store;
    std::unique_ptr<ledger> book;
    std::unique_ptr<dead_letters> letters;
    std::unique_ptr<coordinator> work_finder;
    std::unique_ptr<planning_desk> desk;
    std::unique_ptr<reach_desk> reach;
    std::vector<std::unique_ptr<intake_stream>> streams;
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

}  // namespace tocsin
