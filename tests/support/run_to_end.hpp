#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace tocsin::testing {

/// Runs `loop` until `work` has returned, however much else goes on there, and returns what it did.
template <class T>
T run_to_end(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
    std::optional<T> value;
    std::exception_ptr failure;
    boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr thrown, T returned) {
        failure = std::move(thrown);
        value.emplace(std::move(returned));
        loop.stop();
    });
    loop.restart();
    loop.run_for(std::chrono::seconds(30));  // A bound, so that a hang fails instead of hanging.
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!value) {
        throw std::runtime_error("coroutine did not finish");
    }
    return std::move(*value);
}

}  // namespace tocsin::testing
