#pragma once

#include "engine/core/error.hpp"
#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace tocsin {

enum class unread_entry : std::uint8_t { none, there };

/// Whether an entry for `event` stands in the stream of events that no engine has acknowledged. Reads all of
/// what is unread: for an operator's question, not for every event.
boost::asio::awaitable<result<unread_entry>> stands_unread(
    redis::client& redis, const keyspace& keys, std::string event);

}  // namespace tocsin
