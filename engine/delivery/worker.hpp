#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/control/control_state.hpp"
#include "engine/control/quota_book.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/page_io.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/delivery/target_sender.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/ops/settings.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/platform/platform_traits.hpp"
#include "engine/redis/client.hpp"
#include "engine/runtime/task_scope.hpp"
#include "engine/runtime/thread_load.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace tocsin {

/// One thread's share of the sending: the senders of all targets, and what they have in common. All calls
/// come from its own thread.
class worker {
public:
    worker(
        boost::asio::any_io_executor executor, std::size_t thread, redis::client& redis, keyspace keys,
        store_sizing sizing, platform_set platforms, const engine_settings& how, const time_source& time,
        logger& log, metrics_shard& metrics, sending_listener& listener);
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// The providers to send through; replaces those of before. A lane whose provider has changed
    /// gets a new channel, and what it has not sent yet is rendered anew; what is in flight on the
    /// old channel is seen to its end. `generation` is event_preparer's from now on.
    void set_providers(
        const std::vector<std::shared_ptr<provider>>& providers, std::map<target, std::uint64_t> rates,
        std::uint64_t generation);
    /// What operators and providers have laid down for all engines.
    void set_controls(const control_state& state);

    /// Nothing leaves any more for these.
    void forget(const std::vector<removed_device>& devices);

    /// Shards of this target are likely to come within moments, and in a hurry: opens a connection.
    void expect(const target& which);
    /// Takes over a claimed shard.
    void assign(std::shared_ptr<active_event> event, const target& which, claimed_shard work);

    /// Waits for the answers to what is in flight until `answers_until`, settles, and gives the rest back.
    /// Ends when nothing is held, and at `end` whatever hangs.
    boost::asio::awaitable<void> stop(time_point answers_until, time_point end);

    [[nodiscard]] std::vector<lane_status> status() const;
    /// Keeps the leases of all shards held; called from time to time.
    boost::asio::awaitable<void> renew_leases();

private:
    target_sender& sender_of(const target& which);
    [[nodiscard]] std::uint64_t rate_of(const target& which) const;
    boost::asio::awaitable<void> hand_back(shard_ticket which);

    ledger ledger_;
    device_store store_;
    pruner pruner_;
    page_io pages_;
    quota_book quotas_;
    engine_settings how_;
    thread_load load_;
    sending_thread here_;  // Names what stands above.
    std::map<target, std::shared_ptr<provider>> providers_;
    std::map<target, std::uint64_t> rates_;
    control_state controls_;
    std::uint64_t generation_ = 0;
    std::map<target, std::unique_ptr<target_sender>> senders_;
    task_scope tasks_;
    bool stopping_ = false;
};

}  // namespace tocsin
