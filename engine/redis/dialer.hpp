#pragma once

#include "engine/core/error.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"
#include "engine/redis/transport.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace tocsin::redis {

/// Opens connections to Redis and greets it. One for all the nodes that share a trust root.
class dialer {
public:
    explicit dialer(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    enum class role : std::uint8_t {
        any,
        no_replica,  ///< As far as the user may ask: a master is written to, a replica refuses.
        master
    };

    /// Connects `link` to the single server at `where`, gives user, password and database, and waits
    /// for the first answer. `detail` gets the peer's own words about a failure, if it had any. All
    /// references must outlive the call, which has no deadline of its own.
    ///
    /// Errors: redis_errc::refused, redis_errc::unreachable (it starts, is full, or is a replica where
    /// a master is wanted: to be tried again), redis_errc::protocol, and the system's.
    boost::asio::awaitable<result<>> open(
        transport& link, const address& where, role wanted, std::string& detail);

    /// Asks one thing of the server at `where` over a connection of its own. An error reply is
    /// redis_errc::refused, or unreachable if it will pass, with its text in `detail`.
    ///
    /// Errors: as open(), and asio::error::timed_out.
    boost::asio::awaitable<result<replies>> ask(
        const address& where, request what, std::chrono::milliseconds patience, std::string& detail);

private:
    boost::asio::awaitable<result<>> greet(
        transport& link, const address& where, role wanted, std::string& detail);
    boost::asio::awaitable<result<replies>> open_and_ask(
        transport& link, const address& where, request what, std::string& detail);

    boost::asio::any_io_executor executor_;
    std::shared_ptr<net::tls_context> tls_;  ///< Made at the first use.
};

}  // namespace tocsin::redis
