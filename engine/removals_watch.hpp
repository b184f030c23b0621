#pragma once

#include "engine/audience/removal_traces.hpp"
#include "engine/core/clock.hpp"
#include "engine/delivery/removal_book.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/ops/health.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace tocsin {

/// Says whose removals wait for an operator, as health and metrics tell it, and sees to it that nothing is
/// kept of removed devices for longer than it should.
class removals_watch {
public:
    removals_watch(
        redis::client& redis, const keyspace& keys, const event_preparer& known, const time_source& time,
        metrics_shard& numbers, health_flag& flag, std::chrono::milliseconds kept_for)
        : book_(redis, keys, time),
          traces_(redis, keys),
          known_(known),
          time_(time),
          numbers_(numbers),
          flag_(flag),
          kept_for_(kept_for) {}

    /// Asks Redis, and tells what it says. Once a second; without an answer nothing changes.
    boost::asio::awaitable<void> look();

private:
    boost::asio::awaitable<void> trim();

    removal_book book_;
    removal_traces traces_;
    const event_preparer& known_;
    const time_source& time_;
    metrics_shard& numbers_;
    health_flag& flag_;
    std::chrono::milliseconds kept_for_;
    std::set<target> told_;  ///< Whose gauge is not 0.
    time_point next_trim_ = time_point::min();
};

/// What /readyz says of open questions; empty: there are none.
[[nodiscard]] std::string sentence_about(const std::vector<removal_book::open_question>& questions);

}  // namespace tocsin
