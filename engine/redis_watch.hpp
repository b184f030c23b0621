#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/error_replies.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin {

/// How Redis is, as health, metrics and log tell it: whether it answers, what it refuses, whether its clock
/// is ours, how far the streams that come in are read, and how old the last canary is.
class redis_watch {
public:
    /// `address` is what operators know Redis by. Everything given must outlive this.
    redis_watch(
        redis::client& ask, keyspace keys, std::string address, const time_source& time, logger& log,
        metrics_shard& numbers, health_flag& flag)
        : redis_(ask),
          keys_(std::move(keys)),
          address_(std::move(address)),
          time_(time),
          log_(log),
          numbers_(numbers),
          flag_(flag),
          watched_{&ask} {}

    /// What that client is refused counts as well; it may live on another thread.
    void also_watch(const redis::client& one) { watched_.push_back(&one); }

    /// Asks Redis, and tells what it says. Once a second.
    boost::asio::awaitable<void> sample();

    /// Whether the connection is there, without asking. Commands wait for a lost connection to come back, and
    /// sample() with them: that it is lost is known long before they give up. Twice a second.
    void look();

private:
    void tell_refusal(const std::optional<redis::error_replies::last_error>& refusal);
    void compare_clocks(const redis::reply& redis_time, wall_time asked_at, duration round_trip);
    void count_streams(const redis::replies& answers);
    void age_canary(const redis::reply& arrived_at, const redis::reply& redis_time);
    [[nodiscard]] std::optional<redis::error_replies::last_error> count_errors();

    redis::client& redis_;
    keyspace keys_;
    std::string address_;
    const time_source& time_;
    logger& log_;
    metrics_shard& numbers_;
    health_flag& flag_;
    std::vector<const redis::client*> watched_;
    std::uint64_t errors_seen_ = 0;
    std::string refusal_told_;  ///< The class of error that the log was told of last; empty: none.
    bool clocks_told_ = false;
    int absent_ = 0;  ///< Looks in a row that found no connection.
};

}  // namespace tocsin
