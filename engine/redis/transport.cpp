#include "engine/redis/transport.hpp"

#include "engine/redis/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <sys/un.h>

namespace tocsin::redis {

namespace asio = boost::asio;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// Of the alerts of TLS (RFC 8446, section 6.2).
bool is_about_our_certificate(int alert) noexcept {
    constexpr int bad_certificate = 42;
    constexpr int certificate_unknown = 46;
    constexpr int unknown_ca = 48;
    return (alert >= bad_certificate && alert <= certificate_unknown) || alert == unknown_ca;
}

}  // namespace

asio::awaitable<result<>> transport::connect(const address& where, const net::tls_context* tls) {
    if (!where.unix_path.empty()) {
        if (where.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
            co_return boost::system::errc::make_error_code(boost::system::errc::filename_too_long);
        }
        const asio::local::stream_protocol::endpoint peer(where.unix_path);
        co_return co_await connect_to(peer);
    }
    const result<> connected = co_await connect_tcp(where);
    if (connected.has_error() || !where.tls) {
        co_return connected;
    }
    co_return co_await handshake(where, *tls);
}

asio::awaitable<result<>> transport::connect_tcp(const address& where) {
    error_code not_an_ip;
    const auto ip = asio::ip::make_address(where.host, not_an_ip);
    result<> connected = error_code(asio::error::host_not_found);
    if (!not_an_ip) {
        const asio::ip::tcp::endpoint peer(ip, where.port);
        connected = co_await connect_to(peer);
    } else {
        asio::ip::tcp::resolver resolver(socket_.get_executor());
        const std::string service = std::to_string(where.port);
        const auto [unresolved, found] = co_await resolver.async_resolve(where.host, service, as_value);
        if (unresolved) {
            co_return unresolved;
        }
        for (const auto& candidate : found) {
            const asio::ip::tcp::endpoint peer = candidate.endpoint();
            connected = co_await connect_to(peer);
            if (connected.has_value() || closed_) {
                break;
            }
        }
    }
    if (connected.has_value()) {
        error_code ignored;  // Both only make it better: less delay, and a dead peer found when idle.
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    }
    co_return connected;
}

asio::awaitable<result<>> transport::connect_to(endpoint peer) {
    if (closed_) {
        co_return error_code(asio::error::operation_aborted);
    }
    error_code ec;
    socket_.close(ec);  // The candidate before this one.
    socket_.open(peer.protocol(), ec);
    if (ec) {
        co_return ec;
    }
    const auto [failure] = co_await socket_.async_connect(peer, as_value);
    if (failure) {
        co_return failure;
    }
    co_return result<>();
}

asio::awaitable<result<>> transport::handshake(const address& where, const net::tls_context& tls) {
    tls_.emplace(socket_, tls.session(where.host).release());
    const auto [failure] = co_await tls_->async_handshake(asio::ssl::stream_base::client, as_value);
    if (!failure) {
        co_return result<>();
    }
    const long verdict = SSL_get_verify_result(tls_->native_handle());
    if (verdict != X509_V_OK) {
        problem_ = X509_verify_cert_error_string(verdict);
        co_return redis_errc::refused;
    }
    co_return judge(failure);
}

error_code transport::judge(const error_code& failure) {
    if (failure == asio::error::operation_aborted && !closed_) {
        // Whoever waited gave up. A Redis without TLS waits for the end of a line that never comes.
        problem_ = "it took the connection and does not answer in TLS; does it speak redis:// instead?";
        return failure;
    }
    if (failure.category() != asio::error::get_ssl_category()) {
        return failure;
    }
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(failure.value()));
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
        problem_ = "what answers there does not speak TLS";
    } else if (
        reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE) {
        problem_ = "it asks for a client certificate: redis.certificate_file";
    } else if (is_about_our_certificate(reason - SSL_AD_REASON_OFFSET)) {
        problem_ = "it does not accept redis.certificate_file: " + failure.message();
    } else {
        problem_ = "TLS: " + failure.message();
    }
    return redis_errc::refused;
}

asio::awaitable<result<std::size_t>> transport::read_some(std::span<char> into) {
    const auto buffer = asio::buffer(into.data(), into.size());
    if (tls_) {
        const auto [failure, size] = co_await tls_->async_read_some(buffer, as_value);
        if (failure == asio::error::operation_aborted) {
            co_return failure;
        }
        if (failure) {
            co_return judge(failure);
        }
        co_return size;
    }
    const auto [failure, size] = co_await socket_.async_read_some(buffer, as_value);
    if (failure) {
        co_return failure;
    }
    co_return size;
}

asio::awaitable<result<>> transport::write(std::string_view bytes) {
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    if (tls_) {
        const auto [failure, size] = co_await asio::async_write(*tls_, buffer, as_value);
        co_return failure ? result<>(failure) : result<>();
    }
    const auto [failure, size] = co_await asio::async_write(socket_, buffer, as_value);
    co_return failure ? result<>(failure) : result<>();
}

void transport::close() noexcept {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace tocsin::redis
