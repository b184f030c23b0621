#pragma once

#include "tests/providers/auth/test_keys.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <cstdint>
#include <ctime>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// An OAuth token endpoint over TLS, with a throw-away certificate, on the test's own loop. Answers
/// what is scripted, then goes on with the last answer.
class token_server {
public:
    struct answer {
        unsigned status = 200;
        std::string body;
        std::string retry_after;
    };
    struct seen {
        std::string target;
        std::string host;
        std::string content_type;
        std::string body;
    };

    explicit token_server(boost::asio::io_context& loop)
        : context_(boost::asio::ssl::context::tls_server),
          acceptor_(loop, {boost::asio::ip::address_v4::loopback(), 0}) {
        const std::string pem = key_.pem();
        context_.use_certificate_chain(boost::asio::buffer(certificate_));
        context_.use_private_key(boost::asio::buffer(pem), boost::asio::ssl::context::pem);
        boost::asio::co_spawn(loop, accept(), boost::asio::detached);
    }

    [[nodiscard]] const std::string& certificate() const { return certificate_; }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port()) + "/token"; }
    [[nodiscard]] const std::vector<seen>& requests() const { return requests_; }
    void script(answer next) { script_.push_back(std::move(next)); }
    void close() { acceptor_.close(); }
    /// Each answer has the time of day from here on.
    void tell_time() { tells_time_ = true; }

    static answer grant(const std::string& token, int lifetime) {
        return {
            200,
            R"({"access_token":")" + token + R"(","expires_in":)" + std::to_string(lifetime) +
                R"(,"token_type":"Bearer"})",
            {}};
    }

private:
    using stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
    static constexpr auto tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

    boost::asio::awaitable<void> accept() {
        for (;;) {
            auto [ec, socket] = co_await acceptor_.async_accept(tuple);
            if (ec) {
                co_return;
            }
            boost::asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), boost::asio::detached);
        }
    }

    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket) {
        namespace http = boost::beast::http;
        stream peer(std::move(socket), context_);
        const auto [handshake] = co_await peer.async_handshake(stream::server, tuple);
        if (handshake) {
            co_return;
        }
        boost::beast::flat_buffer buffer;
        http::request<http::string_body> request;
        const auto [read, count] = co_await http::async_read(peer, buffer, request, tuple);
        if (read) {
            co_return;
        }
        requests_.push_back(
            {std::string(request.target()), std::string(request[http::field::host]),
             std::string(request[http::field::content_type]), request.body()});
        const answer now = script_.empty() ? answer{500, "", ""} : script_.front();
        if (script_.size() > 1) {
            script_.pop_front();
        }
        http::response<http::string_body> response(http::int_to_status(now.status), 11);
        if (!now.retry_after.empty()) {
            response.set(http::field::retry_after, now.retry_after);
        }
        if (tells_time_) {
            response.set(http::field::date, date_of_now());
        }
        response.body() = now.body;
        response.prepare_payload();
        co_await http::async_write(peer, response, tuple);
        co_await peer.async_shutdown(tuple);
    }

    static std::string date_of_now() {
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        std::array<char, 30> out{};
        return {out.data(), std::strftime(out.data(), out.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
    }

    test_key key_ = test_key::p256();
    std::string certificate_ = key_.certificate("localhost");
    boost::asio::ssl::context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::deque<answer> script_;
    std::vector<seen> requests_;
    bool tells_time_ = false;
};

}  // namespace tocsin::testing
