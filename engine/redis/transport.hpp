#pragma once

#include "engine/core/error.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/redis/address.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::redis {

/// A byte stream to Redis: TCP, TLS over TCP, or a Unix socket. Serves one connection, once.
///
/// One read and one write may be in progress at a time. Must outlive them.
class transport {
public:
    explicit transport(const boost::asio::any_io_executor& executor) : socket_(executor) {}
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    /// `where` and `tls` must outlive the call; `tls` may be null unless where.tls.
    ///
    /// Errors: redis_errc::refused if the certificate does not verify or the peer refuses us below Redis'
    /// protocol (problem() says why), else the system's.
    boost::asio::awaitable<result<>> connect(const address& where, const net::tls_context* tls);

    /// At least one byte. Error asio::error::eof: the peer closed. Else as connect().
    boost::asio::awaitable<result<std::size_t>> read_some(std::span<char> into);
    /// All of `bytes`, which must live until then.
    boost::asio::awaitable<result<>> write(std::string_view bytes);

    /// Ends what is in progress with an error; for good. Idempotent.
    void close() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    /// Why a certificate was not accepted, theirs or ours; empty for failures of the network.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    using socket = boost::asio::generic::stream_protocol::socket;
    using endpoint = boost::asio::generic::stream_protocol::endpoint;

    boost::asio::awaitable<result<>> connect_tcp(const address& where);
    boost::asio::awaitable<result<>> connect_to(endpoint peer);
    /// What a failure of TLS is, as opposed to one of the network.
    [[nodiscard]] error_code judge(const error_code& failure);
    boost::asio::awaitable<result<>> handshake(const address& where, const net::tls_context& tls);

    socket socket_;
    std::optional<boost::asio::ssl::stream<socket&>> tls_;
    std::string problem_;
    bool closed_ = false;
};

}  // namespace tocsin::redis
