#pragma once

#include "engine/core/clock.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

namespace tocsin {

/// The coroutines that one object has started, and that its end waits for. Unlike a gate, it takes further
/// ones while it is waited for: what ends may have to write down that it did.
///
/// Not thread-safe. What still hangs when the scope goes is destroyed with the loop, which must not run it
/// any more.
class task_scope {
public:
    /// `time` must outlive the loop of `executor`.
    task_scope(boost::asio::any_io_executor executor, const time_source& time)
        : executor_(std::move(executor)), time_(time), running_(std::make_shared<state>(executor_, time)) {}

    /// Starts `task`: at once, if called from the loop.
    void spawn(boost::asio::awaitable<void> task) {
        ++running_->count;
        // Shared with the tasks: the handler of one that hangs is destroyed after the scope.
        boost::asio::co_spawn(executor_, std::move(task), [running = running_](const std::exception_ptr&) {
            if (--running->count == 0) {
                running->none.wake_all();
            }
        });
    }

    /// Returns when no task runs, or at `end`, whatever hangs. For one caller at a time.
    boost::asio::awaitable<void> wait_until(time_point end) {
        while (running_->count != 0 && time_.now() < end) {
            co_await running_->none.wait_until(end);
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return running_->count; }

private:
    struct state {
        state(const boost::asio::any_io_executor& executor, const time_source& time) : none(executor, time) {}
        timer none;
        std::size_t count = 0;
    };

    boost::asio::any_io_executor executor_;
    const time_source& time_;
    std::shared_ptr<state> running_;
};

}  // namespace tocsin
