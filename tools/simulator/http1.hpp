#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::sim {

struct http_call {
    std::string_view method;
    std::string_view path;   ///< Without the query.
    std::string_view query;  ///< Still encoded, without the '?'.
    std::string_view body;
};

struct http_reply {
    unsigned status = 200;
    std::string type = "application/json; charset=utf-8";
    std::string body;
    std::chrono::microseconds delay{0};  ///< Waited before the reply is sent.
};

/// The decoded value of one field of a query or of an application/x-www-form-urlencoded body.
[[nodiscard]] std::optional<std::string> form_field(std::string_view form, std::string_view name);

/// Answers requests, one at a time, on the thread of the connections' executor.
class http_handler {
public:
    virtual http_reply handle(const http_call& call) = 0;

protected:
    ~http_handler() = default;  // Never deleted through this interface.
};

/// Serves HTTP/1.1 on a connection until the peer or `executor`'s context ends it. Bodies are at most
/// 64 MiB: a list of dead tokens is long.
boost::asio::awaitable<void> serve_http(boost::asio::ip::tcp::socket socket, http_handler& handler);
/// The same over TLS; `tls` outlives the coroutine.
boost::asio::awaitable<void> serve_https(
    boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, http_handler& handler);

}  // namespace tocsin::sim
