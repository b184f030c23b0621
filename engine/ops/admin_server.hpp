#pragma once

#include "engine/core/clock.hpp"
#include "engine/core/error.hpp"
#include "engine/core/log.hpp"
#include "engine/ops/admin_message.hpp"
#include "engine/ops/admin_router.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin {

struct admin_limits {
    std::uint32_t header_bytes = 8 * 1024;
    std::uint64_t body_bytes = 1024 * 1024;
    std::chrono::milliseconds timeout{10'000};  ///< For each of: next request, body, handler, writing.
    std::size_t connections = 64;               ///< Ordinary requests at a time; more are refused (503).
    std::size_t reserve = 16;                   ///< Connections beside them, for health and what is idle.
    std::size_t streams = 512;  ///< Answers without an end (admin_event_source); not among the above.
};

/// The HTTP/1.1 server for operators: health, metrics, the API of the command line.
///
/// Everything, handlers included, runs on `executor`, which must be a single-threaded loop or a strand.
/// Requests other than GET and HEAD that a browser sends on behalf of a web page are refused, since
/// the address is often one that the operator's browser can reach; so is every request for a name that is not
/// ours (accepted_hosts).
///
/// Clients that hang delay nobody: when all connections are taken, a new one takes the place of the one that
/// has been silent for longest, and health is answered however many ordinary requests are under way.
class admin_server {
public:
    admin_server(
        boost::asio::any_io_executor executor, logger& log, const admin_limits& limits = admin_limits());
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;
    /// Closes what stop() has not; the coroutines end when the loop runs next.
    ~admin_server();

    /// Serves `method` under `path`: exactly it, or, if it ends in '/', everything below; the longest
    /// match wins. A GET route also answers HEAD. Call before start().
    void route(
        std::string_view method, std::string_view path, admin_handler handler,
        admin_share share = admin_share::ordinary);
    /// The same for a handler that has its answer at once.
    void route(
        std::string_view method, std::string_view path,
        std::function<admin_response(const admin_request&)> handler,
        admin_share share = admin_share::ordinary);
    /// A name that requests may ask for, as accepted_hosts::add(). The one that start() listens on is one.
    void accept_host(std::string_view name);

    /// Listens on `address` ("127.0.0.1:9464"). The refusal says which address is busy or wrong.
    [[nodiscard]] parsed<> start(std::string_view address);

    /// Where it listens, with the port that the system chose if 0 was asked for: "127.0.0.1:41234".
    [[nodiscard]] std::string address() const;
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const noexcept;

    /// Accepts no more, closes idle connections, lets running handlers answer until the deadline, then
    /// closes the rest. Idempotent.
    boost::asio::awaitable<void> stop(time_point deadline);

private:
    struct implementation;
    std::shared_ptr<implementation> implementation_;
};

}  // namespace tocsin
