#pragma once

#include "engine/core/log.hpp"
#include "engine/redis/client.hpp"

#include <boost/asio/awaitable.hpp>

namespace tocsin {

/// Rosters and index stay in Redis' compact form (a third of the memory, a tenth of the time to read) only
/// while their buckets are within two settings, whose defaults are too small for long tokens. Raises those
/// that are, and says so; where that is not allowed, says what it costs. Everything works all the same.
boost::asio::awaitable<void> prefer_compact_rosters(redis::client& redis, logger& log);

}  // namespace tocsin
