#pragma once

#include "tests/support/h2_test_server.hpp"
#include "tests/support/reserved_port.hpp"
#include "tests/support/throw_away_ca.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::testing {

/// A provider on a loopback port: TCP, TLS and an h2_test_server for each connection.
class h2_tls_server {
public:
    struct options {
        std::string names = "DNS:localhost,IP:127.0.0.1";
        std::string alpn = "h2";  ///< Empty: chooses no protocol.
        h2_test_server::options http2;
        bool asks_for_certificate = false;  ///< And ends the handshake of who shows none.
        bool greets = true;                 ///< False: takes the TLS handshake and then says nothing.
    };

    /// One connection, as a test can reach it.
    class peer : public std::enable_shared_from_this<peer> {
    public:
        peer(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context, const options& given)
            : http2(given.http2), stream_(std::move(socket), context) {}

        /// Sends what http2 wants sent; to be called after telling it something outside on_request.
        void flush() {
            if (writing_ || gone_ || muted || !ready_) {
                return;
            }
            pending_ = http2.take_output();
            if (pending_.empty()) {
                return;
            }
            writing_ = true;
            boost::asio::async_write(
                stream_, boost::asio::buffer(pending_),
                [this, alive = shared_from_this()](const boost::system::error_code& failed, std::size_t) {
                    writing_ = false;
                    gone_ = gone_ || failed;
                    flush();
                });
        }
        /// The cable is pulled: no GOAWAY, no close_notify.
        void cut() {
            gone_ = true;
            boost::system::error_code ignored;
            stream_.lowest_layer().close(ignored);
        }
        [[nodiscard]] bool gone() const noexcept { return gone_; }
        [[nodiscard]] bool resumed() noexcept { return SSL_session_reused(stream_.native_handle()) == 1; }

        h2_test_server http2;
        bool muted = false;  ///< Reads nothing and writes nothing from now on.
        std::function<void()> on_greeting;
        /// Takes nothing from the socket, until it does again: what arrives fills the kernel's buffers.
        void stop_reading() { reads_ = false; }
        void read_on() {
            reads_ = true;
            read();
        }
        /// What was not read yet is thrown away, and the client told so: RST.
        void reset() {
            boost::system::error_code ignored;
            stream_.next_layer().set_option(boost::asio::socket_base::linger(true, 0), ignored);
            cut();
        }

    private:
        friend class h2_tls_server;

        /// Answers the first bytes with `record`, as it is, and ends the connection.
        void turn_away(std::string_view record) {
            stream_.next_layer().async_read_some(
                boost::asio::buffer(buffer_),
                [this, alive = shared_from_this(), record](const boost::system::error_code&, std::size_t) {
                    boost::system::error_code ignored;
                    boost::asio::write(
                        stream_.next_layer(), boost::asio::buffer(record.data(), record.size()), ignored);
                    cut();
                });
        }
        void start(bool greets) {
            stream_.async_handshake(
                boost::asio::ssl::stream_base::server,
                [this, alive = shared_from_this(), greets](const boost::system::error_code& refused) {
                    if (refused || gone_) {
                        gone_ = true;
                        return;
                    }
                    ready_ = greets;
                    if (on_greeting) {
                        on_greeting();
                    }
                    flush();
                    read();
                });
        }
        void read() {
            stream_.async_read_some(
                boost::asio::buffer(buffer_),
                [this, alive = shared_from_this()](
                    const boost::system::error_code& failed, std::size_t count) {
                    if (failed || gone_) {
                        gone_ = true;
                        return;
                    }
                    if (!muted) {
                        http2.feed({buffer_.data(), count});
                        flush();
                    }
                    if (reads_) {
                        read();
                    }
                });
        }

        boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
        std::array<char, 16 * 1024> buffer_{};
        std::string pending_;
        bool ready_ = false;
        bool writing_ = false;
        bool gone_ = false;
        bool reads_ = true;
    };

    h2_tls_server(boost::asio::io_context& loop, const throw_away_ca& ca)
        : h2_tls_server(loop, ca, options{}) {}
    h2_tls_server(boost::asio::io_context& loop, const throw_away_ca& ca, const options& given)
        : options_(given), context_(ca.server_context(given.names).release()), acceptor_(loop, where()) {
        SSL_CTX_set_alpn_select_cb(context_.native_handle(), &select_protocol, this);
        if (given.asks_for_certificate) {
            SSL_CTX_set_verify(
                context_.native_handle(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        }
        accept();
    }
    h2_tls_server(const h2_tls_server&) = delete;
    h2_tls_server& operator=(const h2_tls_server&) = delete;
    ~h2_tls_server() {
        for (const auto& each : peers_) {
            each->cut();
        }
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_.number(); }
    [[nodiscard]] std::vector<std::shared_ptr<peer>>& peers() noexcept { return peers_; }
    [[nodiscard]] std::size_t open() const noexcept {
        std::size_t count = 0;
        for (const auto& each : peers_) {
            count += each->gone() ? 0 : 1;
        }
        return count;
    }
    [[nodiscard]] std::size_t requests() const noexcept {
        std::size_t count = 0;
        for (const auto& each : peers_) {
            count += each->http2.requests().size();
        }
        return count;
    }
    /// What each new connection does with its requests. By default it answers 200.
    std::function<void(peer&, std::int32_t stream, const h2_test_server::received_request&)> on_request =
        [](peer& from, std::int32_t stream, const h2_test_server::received_request&) {
            from.http2.respond(stream, "200");
        };

    /// What the next connection says, unlike those before it.
    void speak(const h2_test_server::options& given) { options_.http2 = given; }

    /// How a new connection is met.
    enum class welcome : std::uint8_t {
        serve,
        ignore,  ///< Accepted, and then nothing.
        alert,   ///< The TLS handshake is answered with handshake_failure.
    };
    welcome welcomes = welcome::serve;
    std::function<void(peer&)> on_greeting = [](peer&) {};

    /// Nobody listens any more.
    void stop_listening() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
    }
    void listen_again() {
        acceptor_ = {acceptor_.get_executor(), where()};
        accept();
    }

private:
    [[nodiscard]] boost::asio::ip::tcp::endpoint where() const {
        return {boost::asio::ip::address_v4::loopback(), port()};
    }
    void meet(peer& added) {
        constexpr std::string_view handshake_failure("\x15\x03\x01\x00\x02\x02\x28", 7);
        switch (welcomes) {
            case welcome::serve: added.start(options_.greets); break;
            case welcome::ignore: break;
            case welcome::alert: added.turn_away(handshake_failure); break;
        }
    }

    void accept() {
        acceptor_.async_accept(
            [this](const boost::system::error_code& failed, boost::asio::ip::tcp::socket socket) {
                if (failed) {
                    return;
                }
                boost::system::error_code ignored;
                socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
                peers_.push_back(std::make_shared<peer>(std::move(socket), context_, options_));
                peer& added = *peers_.back();
                added.http2.on_request =
                    [this, &added](std::int32_t stream, const h2_test_server::received_request& request) {
                        on_request(added, stream, request);
                    };
                added.on_greeting = [this, &added] { on_greeting(added); };
                meet(added);
                accept();
            });
    }

    static int select_protocol(
        SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
        unsigned offered_size, void* self) {
        const std::string& wanted = static_cast<h2_tls_server*>(self)->options_.alpn;
        for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
            if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), offered[at]) == wanted) {
                *out = offered + at + 1;
                *out_size = offered[at];
                return SSL_TLSEXT_ERR_OK;
            }
        }
        return SSL_TLSEXT_ERR_NOACK;
    }

    options options_;
    boost::asio::ssl::context context_;
    reserved_port port_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<std::shared_ptr<peer>> peers_;
};

}  // namespace tocsin::testing
