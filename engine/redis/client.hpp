#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tocsin::redis {

struct client_options {
    /// For one attempt: name resolution, TCP, TLS, AUTH, SELECT.
    std::chrono::milliseconds connect_timeout{5'000};
    /// How long Redis may be silent while the oldest written request waits for a reply; BLOCK requests
    /// add their own time. Also how long a request may wait to be written.
    std::chrono::milliseconds reply_timeout{15'000};
    /// Bytes of requests that may wait to be written; more are refused with redis_errc::overloaded.
    std::size_t max_queued_bytes = std::size_t{64} * 1024 * 1024;
};

/// One connection to Redis that comes back by itself.
///
/// Any number of coroutines may execute() at once: requests are pipelined in order and answered in
/// order. All calls come from the thread of the executor. A client connects at its first
/// execute(), and again after a loss with exponential backoff and full jitter; requests that arrive
/// while it is away wait for it, up to their timeout.
///
/// May be destroyed while coroutines wait in execute(): they get the errors of close().
class client {
public:
    client(
        boost::asio::any_io_executor executor, address where, const time_source& time, logger& log,
        client_options options = {});
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client();

    /// Sends the commands of `what` as one pipeline; one reply each, in order. An error reply of
    /// Redis is a reply, not an error of this call.
    ///
    /// Errors: redis_errc::connection_lost (the commands may or may not have run),
    /// redis_errc::unreachable (they did not run), redis_errc::timed_out (unknown; the connection is
    /// given up, because later replies could not be told apart), redis_errc::protocol,
    /// redis_errc::refused (they did not run), redis_errc::overloaded, redis_errc::closed (did not run).
    ///
    /// A script that Redis does not know is loaded and run again here; the caller never sees NOSCRIPT.
    /// Commands before and after it in the same request have run by then. If Redis forgets it again
    /// and again: redis_errc::unexpected_reply.
    ///
    /// Cancelling the coroutine ends the wait with asio::error::operation_aborted; commands that
    /// were written run all the same.
    boost::asio::awaitable<result<replies>> execute(request what);

    /// Ends the connection; what waits to be written fails with redis_errc::closed, what was written
    /// with redis_errc::connection_lost. Idempotent.
    void close() noexcept;

    [[nodiscard]] bool connected() const noexcept;
    /// How often a connection was lost or a connect failed, for tocsin_redis_errors_total.
    [[nodiscard]] std::uint64_t errors() const noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace tocsin::redis
