#pragma once

#include "engine/core/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tocsin {

/// Lets coroutines of one executor sleep until an instant of an injected clock, or until somebody says
/// that the world has changed.
///
/// As with Asio's own timers, a wake_all() with nobody waiting is lost, so check the condition before
/// each wait; another instant wakes whoever waits for the one before. Not thread-safe.
class timer final : private sleeper {
public:
    /// `time` must outlive the timer. Set to no instant at all.
    timer(const boost::asio::any_io_executor& executor, const time_source& time)
        : time_(time), signal_(executor, time_point::max()) {}
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;
    ~timer() { time_.forget(*this); }

    void expires_at(time_point when) {
        expiry_ = when;
        time_.forget(*this);
        if (when <= time_.now()) {
            signal_.expires_at(time_point::min());
        } else if (when == time_point::max() || time_.wakes(*this, when)) {
            signal_.expires_at(time_point::max());
        } else {
            signal_.expires_at(when);
        }
    }
    [[nodiscard]] time_point expiry() const noexcept { return expiry_; }

    /// Ends every wait in progress.
    void wake_all() { signal_.cancel(); }

    /// Returns at the expiry, at the next wake_all(), or when the coroutine is cancelled.
    boost::asio::awaitable<void> wait() {
        co_await signal_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    boost::asio::awaitable<void> wait_until(time_point when) {
        expires_at(when);
        return wait();
    }
    boost::asio::awaitable<void> wait_for(duration how_long) { return wait_until(time_.now() + how_long); }

private:
    // NOLINTNEXTLINE(bugprone-exception-escape): throws only if the OS refuses epoll_ctl.
    void wake() noexcept override { signal_.expires_at(time_point::min()); }

    const time_source& time_;
    boost::asio::steady_timer signal_;
    time_point expiry_ = time_point::max();
};

}  // namespace tocsin
