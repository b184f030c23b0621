#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/client_options.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace tocsin::redis {

class cluster;
class connection;

/// A connection to Redis that comes back by itself: to one server, to the master that Sentinels name,
/// or to each master of a Redis Cluster that is in use, as the address says.
///
/// Any number of coroutines may execute() at once: requests are pipelined in order and answered in
/// order. All calls come from the thread of the executor. A client connects at its first
/// execute(), and again after a loss with exponential backoff and full jitter; requests that arrive
/// while it is away wait for it, up to their timeout.
///
/// On a cluster each command goes to the node that has its first key, and what a node says of moved
/// slots is followed. The commands of one request then run in their order only as far as they have the
/// same keys, and a script may touch keys of one slot only.
///
/// May be destroyed while coroutines wait in execute(): they get the errors of close().
class client {
public:
    client(
        boost::asio::any_io_executor executor, address where, const time_source& time, logger& log,
        client_options options = {});
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    virtual ~client();

    /// Sends the commands of `what` as one pipeline; one reply each, in order. An error reply of
    /// Redis is a reply, not an error of this call.
    ///
    /// Errors: redis_errc::connection_lost (the commands, or some of them, may or may not have run),
    /// redis_errc::unreachable (they did not run), redis_errc::timed_out (unknown; the connection is
    /// given up, because later replies could not be told apart), redis_errc::protocol,
    /// redis_errc::refused (they did not run), redis_errc::overloaded, redis_errc::closed (did not run),
    /// and on a cluster redis_errc::not_routable for commands like MULTI (did not run).
    ///
    /// A script that Redis does not know is loaded and run again here; the caller never sees NOSCRIPT.
    /// Commands before and after it in the same request have run by then. If Redis forgets it again
    /// and again: redis_errc::unexpected_reply.
    ///
    /// Cancelling the coroutine ends the wait with asio::error::operation_aborted; commands that
    /// were written run all the same.
    virtual boost::asio::awaitable<result<replies>> execute(request what);

    /// Ends the connection; what waits to be written fails with redis_errc::closed, what was written
    /// with redis_errc::connection_lost. Idempotent.
    void close() noexcept;

    /// True if keys of different slots are on different nodes.
    [[nodiscard]] bool is_cluster() const noexcept { return cluster_ != nullptr; }
    /// On a cluster: to any of its nodes.
    [[nodiscard]] bool connected() const noexcept;
    /// How often a connection was lost, a connect failed, or Redis answered with an error, for
    /// tocsin_redis_errors_total. Thread-safe.
    [[nodiscard]] std::uint64_t errors() const noexcept { return refusals_->count(); }
    /// What Redis said last that it does not do, and when. Thread-safe.
    [[nodiscard]] std::optional<error_replies::last_error> last_error() const { return refusals_->last(); }

protected:
    /// Connected to nothing: for one that overrides execute().
    client() = default;

private:
    // Shared, because a coroutine may outlive the client.
    std::shared_ptr<error_replies> refusals_ = std::make_shared<error_replies>();
    const time_source* time_ = nullptr;
    // One of the two.
    std::shared_ptr<connection> connection_;
    std::shared_ptr<cluster> cluster_;
};

}  // namespace tocsin::redis
