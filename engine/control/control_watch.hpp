#pragma once

#include "engine/control/control_board.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Who follows what operators and other engines have laid down for all. Called from the loop of the watch.
class control_listener {
public:
    /// The first state, and every one that differs from the one before.
    virtual void controls_changed(const control_state& state) = 0;
    virtual void devices_removed(const std::vector<removed_device>& gone) = 0;

protected:
    ~control_listener() = default;
};

/// Follows the control board: whatever is written there is known here within milliseconds, and
/// within a second if the waking was missed.
class control_watch {
public:
    /// `redis` is held up by blocking reads: nobody else may use it.
    control_watch(
        redis::client& redis, keyspace keys, const time_source& time, logger& log, control_listener& listener)
        : redis_(redis),
          keys_(keys),
          board_(redis, std::move(keys)),
          time_(time),
          log_(log),
          listener_(listener) {}

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
    control_listener& listener_;
    std::optional<control_state> known_;  ///< As last told.
    std::string from_;                    ///< The last change that was read; empty: none yet in this life.
    bool stopping_ = false;
};

}  // namespace tocsin
