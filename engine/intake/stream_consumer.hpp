#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/redis/client.hpp"
#include "engine/redis/streams.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {

/// Reads one stream as a member of its consumer group, and forgets nothing: first what this very
/// consumer had read in an earlier life and not acknowledged, then, from time to time, what others
/// have held for too long, then what is new.
class stream_consumer {
public:
    struct settings {
        std::string stream;
        std::string group;
        std::string consumer;
        std::size_t count = 16;
        std::chrono::milliseconds block{2'000};
        std::chrono::milliseconds takeover{30'000};  ///< Others' entries, once idle for so long.
    };

    /// `redis` is held up by blocking reads: nobody else may use it.
    stream_consumer(redis::client& redis, settings how, const time_source& time)
        : redis_(redis), how_(std::move(how)), time_(time) {}

    struct batch {
        std::unique_ptr<redis::replies> storage;   ///< On the heap: the views outlive moves of the batch.
        std::vector<redis::stream_entry> entries;  ///< Views into `storage`.
        /// The stream was asked for what is new, after all else: no consumer has seen these entries, if any.
        bool fresh = false;
    };
    /// The next entries; none if none came within `at_most`, or the configured time if that is shorter. After
    /// an error, call start_over().
    boost::asio::awaitable<result<batch>> next(
        std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

    /// Whether what this consumer has read before and not acknowledged is still being read again.
    [[nodiscard]] bool reads_its_own() const noexcept { return !own_from_.empty(); }
    /// What this consumer has read and not acknowledged is read again; others' entries have their own time.
    void read_its_own() noexcept { own_from_ = "0"; }

    /// Whatever was read and not acknowledged is read again.
    void start_over() noexcept {
        read_its_own();
        next_takeover_ = {};
        group_exists_ = false;
    }

private:
    boost::asio::awaitable<result<batch>> read(redis::request what);

    redis::client& redis_;
    settings how_;
    const time_source& time_;
    std::string own_from_ = "0";  ///< Empty: none of our own is pending.
    time_point next_takeover_{};
    bool group_exists_ = false;
};

}  // namespace tocsin
