#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace tocsin {

/// Runs `operation` and gives up at `deadline`. One that throws counts as one that does not end: operator||
/// goes on waiting for the timer.
///
/// Boost 1.81 has no cancel_after. This costs two coroutine frames and a timer, so it is for
/// handshakes and shutdown; a request on the hot path uses its connection's one timer instead.
template <class T>
boost::asio::awaitable<result<T>> with_deadline(
    boost::asio::awaitable<result<T>> operation, time_point deadline) {
    using namespace boost::asio::experimental::awaitable_operators;
    namespace asio = boost::asio;

    // A cancelled coroutine throws at its next co_await; here, and only here, it is a value.
    const bool callers_choice = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);

    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    auto first = co_await (std::move(operation) || timer.async_wait(asio::as_tuple(asio::use_awaitable)));

    const auto state = co_await asio::this_coro::cancellation_state;
    co_await asio::this_coro::throw_if_cancelled(callers_choice);
    if (state.cancelled() != asio::cancellation_type::none) {
        co_return error_code(asio::error::operation_aborted);
    }
    if (first.index() == 1) {
        co_return error_code(asio::error::timed_out);
    }
    co_return std::get<0>(std::move(first));
}

}  // namespace tocsin
