#pragma once

#include "engine/control/control_board.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <utility>

namespace tocsin {

/// Follows the control board: whatever is written there is known here within milliseconds, and
/// within a second if the waking was missed.
class control_watch {
public:
    /// `redis` is held up by blocking reads: nobody else may use it. `changed` is called with every
    /// state that differs from the one before.
    control_watch(
        redis::client& redis, keyspace keys, logger& log, std::function<void(const control_state&)> changed)
        : redis_(redis), keys_(keys), board_(redis, std::move(keys)), log_(log), changed_(std::move(changed)) {}

    /// Runs until stop() and the closing of the client.
    boost::asio::awaitable<void> run();
    void stop() noexcept { stopping_ = true; }

private:
    boost::asio::awaitable<result<>> follow();

    redis::client& redis_;
    keyspace keys_;
    control_board board_;
    logger& log_;
    std::function<void(const control_state&)> changed_;
    control_state known_;
    bool stopping_ = false;
};

}  // namespace tocsin
