#pragma once

#include "engine/redis/address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::redis {

/// A peer on a loopback port that says what a test tells it to.
class scripted_peer {
public:
    struct answer {
        std::string bytes;
        bool hangs_up = false;  ///< After them.
    };
    /// What follows something that was read.
    using behaviour = std::function<answer(const std::string& read)>;
    using conversation = std::vector<std::string>;

    /// Answers everything that it reads as `answers` says.
    scripted_peer(boost::asio::io_context& loop, behaviour answers)
        : acceptor_(loop, {boost::asio::ip::address_v4::loopback(), 0}), answers_(std::move(answers)) {
        boost::asio::co_spawn(loop, accept(), [](const std::exception_ptr&) {});
    }
    /// Answers the n-th thing it reads on its k-th connection with script[k][n], then listens in silence; an
    /// empty answer after it hangs up. Connections past the script hang up at once.
    scripted_peer(boost::asio::io_context& loop, std::vector<conversation> script)
        : acceptor_(loop, {boost::asio::ip::address_v4::loopback(), 0}), script_(std::move(script)) {
        boost::asio::co_spawn(loop, accept(), [](const std::exception_ptr&) {});
    }

    [[nodiscard]] endpoint where() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }
    [[nodiscard]] std::string url() const { return "redis://" + where().to_string(); }
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
    /// All that was read, on whichever connection.
    [[nodiscard]] const std::string& read() const noexcept { return read_; }

private:
    using tcp = boost::asio::ip::tcp;
    static constexpr auto as_value = boost::asio::as_tuple(boost::asio::use_awaitable);

    boost::asio::awaitable<void> accept() {
        for (;;) {
            auto [failure, socket] = co_await acceptor_.async_accept(as_value);
            if (failure) {
                co_return;
            }
            const std::size_t number = connections_++;
            if (answers_ || number < script_.size()) {
                behaviour answers = answers_ ? answers_ : as_written(script_[number]);
                boost::asio::co_spawn(
                    acceptor_.get_executor(), talk(std::move(socket), std::move(answers)),
                    [](const std::exception_ptr&) {});
            }
        }
    }

    static behaviour as_written(conversation lines) {
        return [lines = std::move(lines), turn = std::size_t{0}](const std::string&) mutable {
            const std::size_t now = turn++;
            const bool hangs_up = now + 1 < lines.size() && lines[now + 1].empty();
            return answer{now < lines.size() ? lines[now] : std::string(), hangs_up};
        };
    }

    boost::asio::awaitable<void> talk(tcp::socket socket, behaviour answers) {
        std::array<char, 4096> buffer;
        for (;;) {
            const auto [failure, count] =
                co_await socket.async_read_some(boost::asio::buffer(buffer), as_value);
            if (failure) {
                co_return;
            }
            const std::string read(buffer.data(), count);
            read_ += read;
            const answer said = answers(read);
            co_await boost::asio::async_write(socket, boost::asio::buffer(said.bytes), as_value);
            if (said.hangs_up) {
                co_return;
            }
        }
    }

    tcp::acceptor acceptor_;
    behaviour answers_;
    std::vector<conversation> script_;
    std::size_t connections_ = 0;
    std::string read_;
};

/// What a Redis says to a greeting.
inline const std::string welcome = "+OK\r\n+PONG\r\n";

/// A word as RESP writes it.
inline std::string bulk(const std::string& word) {
    return "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
}

}  // namespace tocsin::redis
