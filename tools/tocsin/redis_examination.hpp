#pragma once

#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::cli {

/// Something about a Redis that an operator should know before an engine works with it.
struct redis_finding {
    enum class severity : std::uint8_t {
        warning,  ///< It works, and something may be lost or late one day.
        failure,  ///< An engine cannot work with it before somebody corrects something.
    };
    severity how = severity::failure;
    std::string problem;  ///< A sentence that says what to do, without its full stop.
};

/// Looks whether that Redis does what an engine needs, with the rights of its user: version, role, what it
/// forgets when it is full or starts again, keys that hold something else, and each command of the scripts,
/// on a key of its own (keyspace::probe()) that is gone afterwards. An error: it does not answer.
boost::asio::awaitable<result<std::vector<redis_finding>>> examine_redis(redis::client& redis, keyspace keys);

}  // namespace tocsin::cli
