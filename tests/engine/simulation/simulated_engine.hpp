#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/control/control_watch.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/coordinator.hpp"
#include "engine/delivery/worker.hpp"
#include "engine/intake/intake_stream.hpp"
#include "engine/intake/planning_desk.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "tests/engine/simulation/faulty_redis.hpp"
#include "tests/engine/simulation/imagined_provider.hpp"
#include "tests/support/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace tocsin::testing {

/// One life of an engine: intake, planner, coordinator, control watch and workers as they are, wired as
/// engine.cpp does, on one loop that runs when it is told to. Its clock, its connections to Redis and its
/// providers are the simulation's.
class simulated_engine final : public sending_listener,
                               public intake_listener,
                               public shard_taker,
                               public control_listener {
public:
    struct surroundings {
        const territories& places;
        const keyspace& keys;
        manual_time& time;
        logger& log;
        redis_address& redis;
        std::vector<platform> platforms;
        quiet_hours quiet{};
    };
    simulated_engine(const surroundings& world, engine_settings how);
    simulated_engine(const simulated_engine&) = delete;
    simulated_engine& operator=(const simulated_engine&) = delete;
    ~simulated_engine();

    /// Everything that can be done without hearing from outside.
    void run();
    /// Everything that can be done at this moment, with a Redis and a provider that are well: `answer` is
    /// what the provider says of a push.
    void work_off(const std::function<verdict(const push&)>& answer, late_requests& lost);
    /// SIGTERM. Over when stopped().
    void stop();
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }
    void renew_leases();

    [[nodiscard]] const std::vector<std::unique_ptr<faulty_redis>>& connections() const noexcept {
        return connections_;
    }
    [[nodiscard]] std::vector<imagined_channel*>& channels() noexcept { return channels_; }
    /// True once it has been told that `event` is being cancelled.
    [[nodiscard]] bool knows_cancelled(const std::string& event) const { return cancelling_.contains(event); }

private:
    void shard_left(shard_ticket which) override;
    void event_drained(std::string event) override;
    void quota_used_up(std::string quota, wall_time until) override;
    void alert_read(const active_event&) override {}
    void event_planned(std::shared_ptr<active_event> event) override { finder_.announce(std::move(event)); }
    void assign(
        std::size_t thread, std::shared_ptr<active_event> event, const target& which,
        claimed_shard work) override;
    void make_worker(const surroundings& world, std::size_t thread);
    void controls_changed(const control_state& state) override;
    void devices_removed(const std::vector<removed_device>& gone) override;
    boost::asio::awaitable<void> find_work();
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<void> leave();

    std::vector<imagined_channel*> channels_;  // Outlives all lanes, whose channels stand in it.
    boost::asio::io_context context_{1};
    manual_time& time_;
    engine_settings how_;
    metrics numbers_;
    metrics_shard& shard_ = numbers_.add_shard();
    std::vector<std::unique_ptr<faulty_redis>> connections_;
    event_preparer preparer_;
    device_store store_;
    ledger book_;
    dead_letters letters_;
    control_board board_;
    std::vector<std::unique_ptr<worker>> workers_;
    coordinator finder_;
    planning_desk desk_;
    intake_stream stream_in_;
    control_watch controls_;
    timer controls_heard_;
    std::set<std::string, std::less<>> cancelling_;
    bool controls_known_ = false;
    bool finder_done_ = false;
    bool stopping_ = false;
    bool stopped_ = false;
};

}  // namespace tocsin::testing
