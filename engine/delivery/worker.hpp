#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/control/control_state.hpp"
#include "engine/control/quota_book.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/lane.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/page_desk.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/redis/client.hpp"
#include "engine/runtime/thread_load.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {

struct lane_runner;

/// What a worker tells the coordinator. Called on the worker's thread.
struct worker_events {
    /// A shard that was handed over has left: settled, given back, or of no known provider.
    std::function<void(shard_ticket)> shard_left;
    /// The event may have nothing left to do.
    std::function<void(std::string event)> event_drained;
    /// A provider has said that a quota is used up until then.
    std::function<void(std::string quota, wall_time until)> quota_used_up;
};

/// What a lane is doing, for /readyz and status.
struct lane_status {
    target which;
    std::size_t waiting = 0;
    std::size_t in_flight = 0;
    std::uint64_t rate = 0;  ///< Pushes per second of the target over all engines; 0: no limit of ours.
    std::string paused_because;
    lane_bound bound = lane_bound::idle;  ///< What holds it back.
    /// Shares of the last seconds in which it was held back by what.
    std::array<double, lane_bound_count> bound_lately{};
    channel_statistics connections;
};

/// One thread's share of the sending: reads pages of the shards it is given, puts them in lanes,
/// settles what the lanes have finished. All calls come from its own thread.
class worker {
public:
    worker(
        boost::asio::any_io_executor executor, std::size_t thread, redis::client& redis, keyspace keys,
        store_sizing sizing, platform_set platforms, const engine_settings& how, const time_source& time,
        logger& log, metrics_shard& metrics, worker_events events);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker();

    /// The providers to send through; replaces those of before. A lane whose provider has changed
    /// gets a new channel, and what it has not sent yet is rendered anew; what is in flight on the
    /// old channel is seen to its end. `generation` is event_preparer's from now on.
    void set_providers(
        std::vector<std::shared_ptr<provider>> providers, std::map<target, std::uint64_t> rates,
        std::uint64_t generation);
    /// What operators and providers have laid down for all engines.
    void set_controls(const control_state& state);

    /// Nothing leaves any more for these.
    void forget(const std::vector<removed_device>& devices);

    /// Shards of this target are likely to come within moments, and in a hurry: opens a connection.
    void expect(const target& which);
    /// Takes over a claimed shard.
    void assign(std::shared_ptr<active_event> event, target which, claimed_shard work);

    /// Waits for the answers to what is in flight until `answers_until`, settles, and gives the rest back.
    /// Ends when nothing is held, and at `end` whatever hangs.
    boost::asio::awaitable<void> stop(time_point answers_until, time_point end);

    [[nodiscard]] std::vector<lane_status> status() const;
    /// Keeps the leases of all shards held; called from time to time.
    boost::asio::awaitable<void> renew_leases();

private:
    /// Counts a piece of work that stop() has to wait for.
    class busy_scope {
    public:
        explicit busy_scope(worker& of) noexcept : count_(of.busy_) { ++*count_; }
        busy_scope(const busy_scope&) = delete;
        busy_scope& operator=(const busy_scope&) = delete;
        ~busy_scope() { --*count_; }

    private:
        // Shared: a coroutine that is still suspended at the end is destroyed with its loop, after the
        // worker.
        std::shared_ptr<std::size_t> count_;
    };

    lane_runner& runner_for(const target& which);
    void obey(lane_runner& runner);
    [[nodiscard]] std::uint64_t rate_of(const target& which) const;
    [[nodiscard]] std::shared_ptr<const message> render(const active_event& event, const target& which);
    boost::asio::awaitable<void> lease_slice(std::shared_ptr<lane_runner> runner, slice_question asked);
    boost::asio::awaitable<void> slow_down(target which, std::chrono::milliseconds rest);
    boost::asio::awaitable<void> feed(std::shared_ptr<lane_runner> runner);
    [[nodiscard]] bool has_room(lane_runner& runner, bool critical);
    void settle_early(lane_runner& runner, page& what);
    [[nodiscard]] std::chrono::milliseconds late_lease() const;
    boost::asio::awaitable<void> write_early(page& what, page_settlement settlement);
    void tell_ending(const active_shard& from, const page_ending& ended);
    boost::asio::awaitable<bool> open_page(lane_runner& runner, std::shared_ptr<active_shard> from);
    void count_read(lane_runner& runner, active_shard& from, std::size_t devices) noexcept;
    void start_page(lane_runner& runner, std::unique_ptr<page> what);
    /// Of pushes that never stood in a lane.
    void count_ended(const target& which, outcome how, std::size_t amount);
    void page_done(page& what);
    void make_room_for_another(const page& what);
    boost::asio::awaitable<void> settle(std::unique_ptr<page> what);
    boost::asio::awaitable<void> watch(std::shared_ptr<lane_runner> runner);
    void shard_finished(const active_shard& which);
    void abandon_in_flight();
    boost::asio::awaitable<result<>> give_back();
    [[nodiscard]] std::vector<push*> in_flight_of(const target& which) const;

    boost::asio::any_io_executor executor_;
    std::size_t thread_;
    ledger ledger_;
    device_store store_;
    pruner pruner_;
    page_desk desk_;
    quota_book quota_;
    engine_settings how_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    worker_events events_;
    std::map<target, std::shared_ptr<provider>> providers_;
    std::map<target, std::uint64_t> rates_;
    control_state controls_;
    std::uint64_t generation_ = 0;
    std::map<std::pair<std::string, target>, std::shared_ptr<const message>>
        rendered_;  ///< Under generation_.
    std::map<target, std::shared_ptr<lane_runner>> lanes_;
    std::map<const page*, std::unique_ptr<page>> open_;
    std::vector<std::shared_ptr<active_shard>> held_;
    thread_load load_;
    /// Lanes that are looked after, and pages on their way in or out of Redis.
    std::shared_ptr<std::size_t> busy_ = std::make_shared<std::size_t>(0);
    bool stopping_ = false;
};

}  // namespace tocsin
