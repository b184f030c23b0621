#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin {

/// Lets coroutines of one executor sleep until somebody says that the world has changed.
///
/// Woken coroutines look again and may go back to sleep; a notify with nobody waiting is lost, so
/// check the condition before each wait. Not thread-safe.
class wait_queue {
public:
    explicit wait_queue(const boost::asio::any_io_executor& executor)
        : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

    /// Ends every wait in progress.
    void notify_all() { timer_.cancel(); }

    /// Returns at the next notify_all(), or when the coroutine is cancelled.
    boost::asio::awaitable<void> wait() {
        // The timer never expires; cancelling it is the signal. An Asio timer is the cheapest
        // condition variable a coroutine can wait on.
        co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }

private:
    boost::asio::steady_timer timer_;
};

}  // namespace tocsin
