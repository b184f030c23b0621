#pragma once

#include "engine/ops/admin_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::testing {

namespace http = boost::beast::http;

/// Keeps the names of the events that were logged.
class recording_logger final : public logger {
public:
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field>) noexcept override {
        const std::scoped_lock lock(mutex_);
        events_.emplace_back(event);
    }
    [[nodiscard]] std::vector<std::string> events() const {
        const std::scoped_lock lock(mutex_);
        return events_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> events_;
};

/// One connection of a client; every step has a deadline, so that a hang fails.
class http_client {
public:
    using request = http::request<http::string_body>;
    using response = http::response<http::string_body>;

    explicit http_client(std::uint16_t port) {
        stream_.socket().connect({boost::asio::ip::address_v4::loopback(), port});
    }

    static request make(http::verb method, std::string_view target, std::string body = {}) {
        request out(method, boost::beast::string_view(target.data(), target.size()), 11);
        out.set(http::field::host, "localhost");
        out.body() = std::move(body);
        out.prepare_payload();
        return out;
    }

    response get(std::string_view target) { return exchange(make(http::verb::get, target)); }

    response exchange(request message) {
        send(std::move(message));
        return receive();
    }

    void send(request message) {
        run([](http_client& self, request given) -> boost::asio::awaitable<int> {
            co_await http::async_write(self.stream_, given, boost::asio::use_awaitable);
            co_return 0;
        }(*this, std::move(message)));
    }

    void send_bytes(std::string bytes) {
        run([](http_client& self, std::string given) -> boost::asio::awaitable<int> {
            co_await boost::asio::async_write(
                self.stream_, boost::asio::buffer(given), boost::asio::use_awaitable);
            co_return 0;
        }(*this, std::move(bytes)));
    }

    response receive(bool to_head = false) {
        return run([](http_client& self, bool head) -> boost::asio::awaitable<response> {
            http::response_parser<http::string_body> parser;
            parser.skip(head);
            co_await http::async_read(self.stream_, self.buffer_, parser, boost::asio::use_awaitable);
            co_return parser.release();
        }(*this, to_head));
    }

    /// True if the server closes the connection without a word.
    bool is_closed() {
        return run([](http_client& self) -> boost::asio::awaitable<int> {
                   http::response_parser<http::string_body> parser;
                   const auto [problem, size] = co_await http::async_read(
                       self.stream_, self.buffer_, parser, boost::asio::as_tuple(boost::asio::use_awaitable));
                   co_return problem == http::error::end_of_stream ? 1 : 0;
               }(*this)) == 1;
    }

    void close() { stream_.close(); }

private:
    template <class T>
    T run(boost::asio::awaitable<T> step) {
        stream_.expires_after(std::chrono::seconds(5));
        loop_.restart();
        return run_to_end(loop_, std::move(step));
    }

    boost::asio::io_context loop_;
    boost::beast::tcp_stream stream_{loop_};
    boost::beast::flat_buffer buffer_;
};

/// An admin server on a loop and a thread of its own, as in the engine.
class admin_fixture : public ::testing::Test {
protected:
    ~admin_fixture() override {
        if (thread_.joinable()) {
            stop(std::chrono::seconds(5));
            work_.reset();
            thread_.join();
        }
    }

    void make(const admin_limits& limits = admin_limits()) {
        server.emplace(loop.get_executor(), log, limits);
    }

    void start() {
        const parsed<> outcome = server->start("127.0.0.1:0");
        ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
        port = server->port();
        thread_ = std::jthread([this] { loop.run(); });
    }

    [[nodiscard]] std::future<void> begin_stop(std::chrono::milliseconds grace) {
        return boost::asio::co_spawn(loop, server->stop(clock::now() + grace), boost::asio::use_future);
    }
    void stop(std::chrono::milliseconds grace) {
        auto done = begin_stop(grace);
        ASSERT_EQ(done.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    }

    /// Asked on the loop, to which the server belongs.
    [[nodiscard]] std::size_t connections() {
        std::promise<std::size_t> counted;
        boost::asio::post(loop, [&] { counted.set_value(server->connections()); });
        return counted.get_future().get();
    }

    recording_logger log;
    boost::asio::io_context loop{1};
    std::optional<admin_server> server;
    std::uint16_t port = 0;

private:
    using work_guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
    std::optional<work_guard> work_{loop.get_executor()};
    std::jthread thread_;
};

}  // namespace tocsin::testing
