#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/redis/replica_watch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {

/// What became of an attempt to read a page.
struct page_reading {
    bool settled = false;           ///< By somebody else: there is nothing to send.
    std::vector<std::string> gone;  ///< Its devices that have left the store while they waited for a retry.
    bool shard_done = false;        ///< There was nothing left to do for the whole shard.
    bool drained = false;           ///< Nor for its event.
};

/// What became of a page that all its pushes have left.
struct page_ending {
    bool shard_done = false;
    bool drained = false;  ///< The event has nothing left to do.
};

/// Where the life of a page begins and ends: it is read out of Redis, and its sums are written there.
/// Belongs to one thread.
class page_desk {
public:
    page_desk(
        boost::asio::any_io_executor executor, ledger& book, device_store& store, pruner& remover,
        const time_source& time, logger& log, metrics_shard& metrics, std::chrono::milliseconds replica_wait,
        std::chrono::milliseconds retention)
        : executor_(std::move(executor)),
          ledger_(book),
          store_(store),
          pruner_(remover),
          time_(time),
          log_(log),
          metrics_(metrics),
          replicas_(replica_wait),
          retention_(retention) {}

    /// Fills `what`, the next page of its shard, which must outlive the call. After an error the same page is
    /// next, and may be tried again with another object.
    boost::asio::awaitable<result<page_reading>> read(page& what);

    /// The end of a page: what the provider said is in hand and nowhere else, so this waits for Redis,
    /// however long that takes.
    boost::asio::awaitable<page_ending> settle(std::unique_ptr<page> what);
    /// The same of a page that goes on without it: `settlement` is what page::settle_early() gave.
    boost::asio::awaitable<page_ending> settle_early(
        std::shared_ptr<active_shard> from, page_settlement settlement);
    /// The end of what was late of a page.
    boost::asio::awaitable<page_ending> amend(std::shared_ptr<active_shard> from, page_settlement amendment);

    /// Says what Redis could not do, and waits a moment.
    boost::asio::awaitable<void> pause_after_error(std::string_view doing, error_code why);

private:
    /// Until a replica of Redis knows that the page is open, or has had its time.
    boost::asio::awaitable<result<>> wait_for_replica(
        const active_event& event, redis::replica_watch::answer so_far);
    boost::asio::awaitable<result<std::vector<std::string>>> unregistered(const active_shard& from);
    /// Who those devices are by now that the shard knows by their hashes.
    boost::asio::awaitable<result<>> look_up(active_shard& from);
    void count_muted(const active_shard& from, std::uint64_t muted);
    boost::asio::awaitable<page_ending> write(std::shared_ptr<active_shard> from, page_settlement settlement);
    boost::asio::awaitable<void> prune(active_event& event, page_settlement what, bool drained);

    boost::asio::any_io_executor executor_;
    ledger& ledger_;
    device_store& store_;
    pruner& pruner_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    redis::replica_watch replicas_;
    std::chrono::milliseconds retention_;  ///< Of what is known of an event, after it is over.
    time_point next_warning_{};
};

}  // namespace tocsin
