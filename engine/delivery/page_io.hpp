#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/redis/replica_watch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What is over with what was written of a page.
struct page_ending {
    bool shard_done = false;  ///< All pages of its shard are settled, as Redis knows.
    bool drained = false;     ///< The event has nothing left to do.
};

/// What Redis knows of a page that is to be sent.
struct page_reading {
    page_state state{};                ///< Settled: by another engine, so there is nothing to send.
    std::vector<bucket_run> runs;      ///< Of a shard of runs, and
    redis::replies devices;            ///< their buckets, from reply first_bucket on.
    std::vector<listed_device> known;  ///< Of a shard of an earlier event's devices: who they are by now.
    std::vector<std::string> gone;     ///< Devices that have left the store while they waited for a retry.
    std::size_t damaged = 0;           ///< Of an earlier event's devices: what of the store cannot be read.

    static constexpr std::size_t first_bucket = 1;
};

/// Reads pages out of Redis and writes down what came of them. Says what it found, and changes no shard.
/// Belongs to one thread.
class page_io {
public:
    page_io(
        boost::asio::any_io_executor executor, ledger& book, device_store& store, pruner& remover,
        const time_source& time, logger& log, std::chrono::milliseconds replica_wait,
        std::chrono::milliseconds retention)
        : executor_(std::move(executor)),
          ledger_(book),
          store_(store),
          pruner_(remover),
          time_(time),
          log_(log),
          replicas_(replica_wait),
          retention_(retention) {}

    /// Opens the next page of `from`, which must outlive the call. After an error it may be read again.
    boost::asio::awaitable<result<page_reading>> read(const active_shard& from);

    /// What the provider said is in hand and nowhere else, so this waits for Redis, however long that takes.
    /// `event` must outlive the call.
    boost::asio::awaitable<page_ending> write(active_event& event, page_settlement settlement);

    /// Of a shard whose last page is over, though Redis has not said that all of them are settled.
    boost::asio::awaitable<page_ending> leave(const active_shard& from);

    /// Says what Redis could not do, and waits a moment.
    boost::asio::awaitable<void> pause_after_error(std::string_view doing, error_code why);

private:
    /// Until a replica of Redis knows that the page is open, or has had its time.
    boost::asio::awaitable<result<>> wait_for_replica(
        const active_event& event, redis::replica_watch::answer so_far);
    boost::asio::awaitable<result<>> find_gone(const active_shard& from, page_reading& into);
    boost::asio::awaitable<result<>> find_hashed(const active_shard& from, page_reading& into);
    boost::asio::awaitable<void> prune(active_event& event, page_settlement what, bool drained);

    boost::asio::any_io_executor executor_;
    ledger& ledger_;
    device_store& store_;
    pruner& pruner_;
    const time_source& time_;
    logger& log_;
    redis::replica_watch replicas_;
    std::chrono::milliseconds retention_;  ///< Of what is known of an event, after it is over.
    time_point next_warning_{};
};

}  // namespace tocsin
