#pragma once

#include "engine/audience/territories.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tocsin {

/// Ends the receipts of events whose window is over, and publishes their `reach` documents: once each,
/// however many engines try, and whichever of them dies on the way.
class reach_desk {
public:
    struct terms {
        std::size_t max_length = 100'000;       ///< MAXLEN ~ of the stream.
        std::chrono::milliseconds retention{};  ///< Of an event, after its end.
    };
    reach_desk(
        redis::client& redis, keyspace keys, const territories& places, terms how, const time_source& time,
        logger& log)
        : redis_(redis), keys_(std::move(keys)), places_(places), how_(how), time_(time), log_(log) {}

    /// Those that are due by now. An event that cannot be ended holds up itself alone.
    boost::asio::awaitable<result<>> publish_due();

private:
    enum class backlog : std::uint8_t { handled, left };
    /// What was handed in before `until` counts, also if it is read late.
    boost::asio::awaitable<result<backlog>> backlog_before(std::int64_t until);
    boost::asio::awaitable<result<>> publish(std::string event);
    boost::asio::awaitable<result<>> tidy_up(std::string event, std::int64_t until);

    redis::client& redis_;
    keyspace keys_;
    const territories& places_;
    terms how_;
    const time_source& time_;
    logger& log_;
};

}  // namespace tocsin
