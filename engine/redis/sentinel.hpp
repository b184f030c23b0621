#pragma once

#include "engine/core/error.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/dialer.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace tocsin::redis {

/// Asks the Sentinels of `where` one after the other, each for at most `patience`, until one knows the
/// master of that name. What it says may be a moment out of date: look at the master's ROLE.
///
/// Errors: redis_errc::unreachable if none answers or none knows the master, redis_errc::refused if
/// the last that answered refused us; `detail` says more.
boost::asio::awaitable<result<endpoint>> find_master(
    dialer& dial, const address& where, std::chrono::milliseconds patience, std::string& detail);

}  // namespace tocsin::redis
