#include "tools/simulator/http1.hpp"

#include "engine/core/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/params_view.hpp>
#include <boost/url/parse_query.hpp>

#include <utility>

namespace tocsin::sim {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

http_call call_of(const http::request<http::string_body>& request) {
    const std::string_view target = request.target();
    const auto mark = std::min(target.find('?'), target.size());
    return {
        request.method_string(), target.substr(0, mark), target.substr(std::min(mark + 1, target.size())),
        request.body()};
}

template <class Stream>
asio::awaitable<void> serve(Stream& stream, http_handler& handler) {
    constexpr std::uint64_t body_limit = std::uint64_t{64} * 1024 * 1024;
    boost::beast::flat_buffer buffer;
    for (bool keep_alive = true; keep_alive;) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(body_limit);
        const auto [read_error, read] =
            co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
        if (read_error) {
            co_return;
        }
        const auto& request = parser.get();
        http_reply reply = handler.handle(call_of(request));
        if (reply.delay.count() > 0) {
            asio::steady_timer timer(co_await asio::this_coro::executor, reply.delay);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        http::response<http::string_body> response(http::int_to_status(reply.status), request.version());
        response.set(http::field::content_type, reply.type);
        response.set(http::field::cache_control, "no-store");
        response.body() = std::move(reply.body);
        keep_alive = request.keep_alive();
        response.keep_alive(keep_alive);
        response.prepare_payload();
        const auto [write_error, written] =
            co_await http::async_write(stream, response, asio::as_tuple(asio::use_awaitable));
        if (write_error) {
            co_return;
        }
    }
}

}  // namespace

std::optional<std::string> form_field(std::string_view form, std::string_view name) {
    // A copy: Boost.URL 1.81 lets the last value run on to the next NUL.
    const std::string text(form);
    const auto query = boost::urls::parse_query(text);
    if (!query) {
        return std::nullopt;
    }
    for (const auto& field : boost::urls::params_view(*query)) {
        if (field.key == name && field.has_value) {
            return field.value;
        }
    }
    return std::nullopt;
}

asio::awaitable<void> serve_http(asio::ip::tcp::socket socket, http_handler& handler) {
    co_await serve(socket, handler);
    error_code ignored;
    socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

asio::awaitable<void> serve_https(
    asio::ip::tcp::socket socket, asio::ssl::context& tls, http_handler& handler) {
    asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls);
    const auto [failed] =
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
    if (failed) {
        co_return;
    }
    co_await serve(stream, handler);
    co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
}

}  // namespace tocsin::sim
