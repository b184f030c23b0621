#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/redis/address.hpp"
#include "engine/redis/client_options.hpp"
#include "engine/redis/dialer.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/reply.hpp"
#include "engine/redis/request.hpp"
#include "engine/redis/transport.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace tocsin::redis {

/// One connection to one Redis that comes back by itself: to a single server, to one node of a
/// cluster, or to the master that the Sentinels name, who are asked anew before each attempt.
///
/// Its coroutine holds it for as long as it is not closed, so whoever drops it closes it first.
class connection : public std::enable_shared_from_this<connection> {
public:
    enum class patience : std::uint8_t {
        waits,   ///< Requests wait for a connection that is away, up to their timeout.
        refuses  ///< They fail at once with redis_errc::unreachable: another node may have their keys.
    };

    connection(
        boost::asio::any_io_executor executor, address where, std::shared_ptr<dialer> dial,
        const time_source& time, logger& log, client_options options, patience while_away);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// As client::execute().
    static boost::asio::awaitable<result<replies>> execute(std::shared_ptr<connection> self, request what);

    /// Puts `what` in the line; an error, if it did not get there. It will be done by its on_done(),
    /// however the connection fares, and if it refuses while away, within the timeouts of the options.
    [[nodiscard]] error_code submit(const std::shared_ptr<operation>& what);
    /// Nobody waits for `what` any more.
    void abandon(operation& what) noexcept { line_.abandon(what); }

    /// Where failures are noted, and the words with which Redis turns us away. Before the first request.
    void tell(std::shared_ptr<error_replies> refusals) noexcept { refusals_ = std::move(refusals); }

    void close() noexcept;
    [[nodiscard]] bool connected() const noexcept { return up_; }

private:
    void start();
    /// Connects, serves, and connects again, until close().
    static boost::asio::awaitable<void> run(std::shared_ptr<connection> self);
    boost::asio::awaitable<result<>> open();
    /// Returns why the connection ended.
    boost::asio::awaitable<error_code> serve();
    boost::asio::awaitable<error_code> read();
    boost::asio::awaitable<error_code> write();
    boost::asio::awaitable<error_code> watch();
    boost::asio::awaitable<void> back_off(std::uint32_t attempt);

    /// Counts a connection that failed or was lost, and notes what Redis said of it, if it did.
    void count_failure(std::string_view said);
    void report_up();
    void report_down(std::string_view event, error_code why);

    boost::asio::any_io_executor executor_;
    address where_;
    address peer_;  ///< Where the last attempt went: where_, or the master that the Sentinels named.
    std::shared_ptr<dialer> dialer_;
    const time_source& time_;
    logger& log_;
    client_options options_;
    patience while_away_;

    pipeline line_;
    std::unique_ptr<transport> link_;  ///< Replaced by run() alone, when nothing uses it.
    boost::asio::steady_timer pause_;
    wait_queue output_ready_;
    std::minstd_rand random_;
    time_point silent_since_{};  ///< Since when Redis has owed a reply without sending a byte.
    std::string detail_;         ///< The peer's own words about the last failure to connect.
    std::shared_ptr<error_replies> refusals_ = std::make_shared<error_replies>();
    error_code reported_;  ///< What the log was last told is wrong; empty: nothing.
    bool running_ = false;
    bool up_ = false;
    bool away_ = false;  ///< The last attempt failed, or the connection was lost since.
    bool closed_ = false;
};

}  // namespace tocsin::redis
