#pragma once

#include "engine/core/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <vector>

namespace tocsin::http2 {

/// Connects `socket` to the first of `addresses` that accepts within `patience` each; names go on listing
/// front ends that are gone. The error of the last one if none does.
///
/// After each address `wanted` is asked whether to go on; operation_aborted if not. The caller keeps both
/// alive.
[[nodiscard]] boost::asio::awaitable<error_code> connect_first(
    boost::asio::ip::tcp::socket& socket, std::vector<boost::asio::ip::tcp::endpoint> addresses,
    std::chrono::milliseconds patience, std::function<bool()> wanted);

}  // namespace tocsin::http2
