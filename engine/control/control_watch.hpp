#pragma once

#include "engine/control/control_board.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Follows the control board: whatever is written there is known here within milliseconds, and
/// within a second if the waking was missed.
class control_watch {
public:
    struct listeners {
        /// The first state, and every one that differs from the one before.
        std::function<void(const control_state&)> changed;
        std::function<void(std::vector<removed_device>)> removed = [](std::vector<removed_device>) {};
    };
    /// `redis` is held up by blocking reads: nobody else may use it.
    control_watch(redis::client& redis, keyspace keys, const time_source& time, logger& log, listeners tell)
        : redis_(redis),
          keys_(keys),
          board_(redis, std::move(keys)),
          time_(time),
          log_(log),
          tell_(std::move(tell)) {}

    /// Runs until stop() and the closing of the client.
    boost::asio::awaitable<void> run();
    void stop() noexcept { stopping_ = true; }

private:
    boost::asio::awaitable<result<>> follow();

    redis::client& redis_;
    keyspace keys_;
    control_board board_;
    const time_source& time_;
    logger& log_;
    listeners tell_;
    std::optional<control_state> known_;  ///< As last told.
    std::string from_;                    ///< The last change that was read; empty: none yet in this life.
    bool stopping_ = false;
};

}  // namespace tocsin
