#pragma once

#include "engine/core/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <utility>

namespace tocsin {

/// Calls somebody back at an instant of an injected clock: timer.hpp for those who are no coroutines. Not
/// thread-safe.
class alarm final : private sleeper {
public:
    /// `time` must live for as long as the alarm is set, and need not live longer.
    alarm(const boost::asio::any_io_executor& executor, const time_source& time)
        : time_(time), signal_(executor, time_point::max()) {}
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;
    ~alarm() { cancel(); }

    /// Replaces what was set before. `then` is called from the loop, once, no sooner than at `when`; or
    /// never, if the alarm is set anew or cancelled. It must hold whoever owns the alarm.
    template <class Function>
    void set(time_point when, Function then) {
        cancel();
        const unsigned mine = ++setting_;
        asleep_ = when > time_.now() && when != time_point::max() && time_.wakes(*this, when);
        // What is past by that clock need not be so by the machine's.
        const time_point elsewhere = when <= time_.now() ? time_point::min() : when;
        signal_.expires_at(asleep_ ? time_point::max() : elsewhere);
        wait(mine, std::move(then));
    }

    void cancel() noexcept {
        ++setting_;
        if (std::exchange(asleep_, false)) {
            time_.forget(*this);
        }
        signal_.cancel();
    }

private:
    template <class Function>
    void wait(unsigned mine, Function then) {
        signal_.async_wait(
            [this, mine, then = std::move(then)](const boost::system::error_code& cancelled) mutable {
                if (mine == setting_ && (woken_ == mine || !cancelled)) {
                    then();
                }
            });
    }

    // NOLINTNEXTLINE(bugprone-exception-escape): throws only if the OS refuses epoll_ctl.
    void wake() noexcept override {
        asleep_ = false;
        woken_ = setting_;
        signal_.cancel();
    }

    const time_source& time_;
    boost::asio::steady_timer signal_;
    unsigned setting_ = 0;
    unsigned woken_ = 0;
    bool asleep_ = false;
};

}  // namespace tocsin
