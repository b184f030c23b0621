#include "tools/tocsin/admin_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>

#include <chrono>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

asio::awaitable<std::optional<std::string>> get(std::string host, std::string port, std::string path) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    const auto [unknown, where] =
        co_await resolver.async_resolve(host, port, asio::as_tuple(asio::use_awaitable));
    if (unknown) {
        co_return std::nullopt;
    }
    beast::tcp_stream stream(executor);
    stream.expires_after(std::chrono::seconds(1));
    const auto [refused, used] = co_await stream.async_connect(where, asio::as_tuple(asio::use_awaitable));
    if (refused) {
        co_return std::nullopt;
    }
    http::request<http::empty_body> ask(http::verb::get, path, 11);
    ask.set(http::field::host, host);
    const auto [unsent, written] =
        co_await http::async_write(stream, ask, asio::as_tuple(asio::use_awaitable));
    beast::flat_buffer buffer;
    http::response<http::string_body> answer;
    const auto [unread, count] =
        co_await http::async_read(stream, buffer, answer, asio::as_tuple(asio::use_awaitable));
    if (unsent || unread || answer.result() != http::status::ok) {
        co_return std::nullopt;
    }
    co_return std::optional<std::string>(std::move(answer.body()));
}

}  // namespace

std::optional<std::string> admin_get_text(const std::string& listen, const std::string& path) {
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    std::string host = listen.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    if (host.empty() || host == "0.0.0.0") {
        host = "127.0.0.1";
    }
    asio::io_context loop(1);
    std::optional<std::string> out;
    asio::co_spawn(
        loop, get(std::move(host), listen.substr(colon + 1), path),
        [&out](const std::exception_ptr&, std::optional<std::string> value) { out = std::move(value); });
    loop.run();
    return out;
}

std::optional<boost::json::value> admin_get(const std::string& listen, const std::string& path) {
    const auto text = admin_get_text(listen, path);
    if (!text) {
        return std::nullopt;
    }
    boost::system::error_code ec;
    auto document = boost::json::parse(*text, ec);
    return ec ? std::optional<boost::json::value>() : std::optional(std::move(document));
}

}  // namespace tocsin::cli
