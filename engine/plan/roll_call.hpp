#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace tocsin {

/// How many engines there are. Nothing depends on its being exact: it only says how large a piece of an
/// event each of them should take at a time.
class roll_call {
public:
    roll_call(redis::client& redis, keyspace keys, std::string instance)
        : redis_(redis), keys_(std::move(keys)), instance_(std::move(instance)) {}

    /// Says that this engine is here. How many are, of those who have said so of late: 1 at least.
    boost::asio::awaitable<result<std::size_t>> answer(wall_time now);
    boost::asio::awaitable<result<>> leave();

private:
    redis::client& redis_;
    keyspace keys_;
    std::string instance_;
};

}  // namespace tocsin
