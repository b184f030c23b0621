#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace tocsin::testing {

/// Runs `loop` until `done()` is true; false if that takes longer than `limit`.
///
/// The limit only ends a test that hangs. Nothing waits for it.
template <class Predicate>
[[nodiscard]] bool loop_until(
    boost::asio::io_context& loop, Predicate done,
    std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    loop.restart();
    while (!done()) {
        if (loop.run_one_until(end) == 0 && !done()) {
            return false;
        }
    }
    return true;
}

}  // namespace tocsin::testing
