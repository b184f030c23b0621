#include "providers/http2/connect_first.hpp"
#include "providers/http2/connection.hpp"
#include "providers/http2/dialled_address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// From a name to an encrypted connection that speaks h2. Once per connection, so coroutines.

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Longer than a provider's pause, far shorter than the quarter of an hour TCP takes by itself.
constexpr int user_timeout_ms = 20'000;
// What may wait in the kernel. The rest waits in lanes, where something urgent can overtake it.
constexpr int unsent_in_kernel = 128 * 1024;

void set_option(tcp::socket& socket, int level, int name, int value) noexcept {
    // Each only improves on the default, so a kernel that refuses one is no reason to stop.
    setsockopt(socket.native_handle(), level, name, &value, sizeof(value));
}

void tune(tcp::socket& socket) {
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
    set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_in_kernel);
    error_code ignored;
    socket.non_blocking(true, ignored);
}

}  // namespace

void connection::start(SSL_SESSION* ticket, dial_gate::pass pass) {
    pass_ = std::move(pass);
    dialled_at_ = context_.time.now();
    ticket_handle kept;
    if (ticket != nullptr && SSL_SESSION_up_ref(ticket) == 1) {
        kept.reset(ticket);
    }
    phase_deadline_ = dialled_at_ + context_.policy.dial_timeout;
    arm(phase_deadline_);
    asio::co_spawn(context_.executor, dial(shared_from_this(), std::move(kept)), asio::detached);
}

asio::awaitable<void> connection::dial(std::shared_ptr<connection> self, ticket_handle ticket) {
    std::string problem = co_await self->connect();
    if (self->phase_ == phase::dialling && problem.empty()) {
        problem = co_await self->secure(std::move(ticket));
    }
    if (self->phase_ != phase::dialling) {
        co_return;  // Overdue or closed meanwhile, and said so.
    }
    if (problem.empty()) {
        self->greet();
    } else {
        self->finish(std::move(problem), http2_errc::connection_lost);
    }
}

/// Tries the addresses of the host one after another, in random order. Empty if one accepted.
asio::awaitable<std::string> connection::connect() {
    std::vector<tcp::endpoint> addresses;
    error_code no_number;
    if (const auto number = asio::ip::make_address(context_.where.host, no_number); !no_number) {
        addresses.emplace_back(number, context_.where.port);  // No name to look up, on another thread.
    } else {
        const std::string port = std::to_string(context_.where.port);
        const auto [unresolved, found] =
            co_await resolver_.async_resolve(context_.where.host, port, asio::as_tuple(asio::use_awaitable));
        if (phase_ != phase::dialling) {
            co_return std::string();
        }
        if (unresolved || found.empty()) {
            // "Not now" from the resolver says nothing about the name.
            if (unresolved == asio::error::host_not_found || unresolved == asio::error::no_data) {
                dial_error_ = http2_errc::unknown_host;
            }
            co_return "no such host: " + context_.where.host + " (" + unresolved.message() + ")";
        }
        for (const auto& entry : found) {
            addresses.push_back(entry.endpoint());
        }
    }
    // One of them is enough: who answers so for a public service wants something of this network.
    const auto forbidden = std::ranges::find_if(
        addresses, [](const tcp::endpoint& one) { return !is_public_address(one.address()); });
    if (context_.policy.public_addresses_only && forbidden != addresses.end()) {
        dial_error_ = http2_errc::address_not_allowed;
        co_return host_and_port() + " is at " + forbidden->address().to_string() +
            ", which is not in the public Internet";
    }
    // A provider spreads its load by DNS, and the resolver's own order would undo that.
    std::ranges::shuffle(addresses, random_);

    doing_ = "connecting";
    const auto share = context_.policy.dial_timeout / static_cast<std::int64_t>(addresses.size());
    const auto patience = std::max<std::chrono::milliseconds>(share, std::chrono::seconds(1));
    const std::size_t count = addresses.size();
    std::function<bool()> wanted = [this] { return phase_ == phase::dialling; };
    const error_code refused =
        co_await connect_first(socket_, std::move(addresses), patience, std::move(wanted));
    if (phase_ != phase::dialling) {
        co_return std::string();
    }
    if (!refused) {
        tune(socket_);
        co_return std::string();
    }
    co_return "cannot connect to " + host_and_port() + ": " + refused.message() + " (" +
        std::to_string(count) + (count == 1 ? " address" : " addresses") + " tried)";
}

/// The TLS handshake. Empty if the peer is who it should be and speaks h2.
asio::awaitable<std::string> connection::secure(ticket_handle ticket) {
    doing_ = "in the TLS handshake";
    tls_ = std::make_unique<net::tls_channel>(context_.tls->session(context_.where.host));
    if (ticket) {
        tls_->resume(ticket.get());
    }
    // Not the thread's buffers: while this waits, others use those.
    handshake_ = std::make_unique_for_overwrite<char[]>(thread_buffers::record_size);
    for (;;) {
        const auto outcome = tls_->handshake();
        if (tls_->has_output()) {
            tls_->take_output(wire_);
            const auto [failed, written] =
                co_await asio::async_write(socket_, asio::buffer(wire_), asio::as_tuple(asio::use_awaitable));
            if (phase_ != phase::dialling) {
                co_return std::string();
            }
            // An alert that cannot be delivered must not hide why it was sent.
            if (failed && outcome != net::tls_channel::progress::failed) {
                co_return "TLS handshake with " + host_and_port() + " failed: " + failed.message();
            }
        }
        if (outcome == net::tls_channel::progress::failed) {
            co_return "TLS handshake with " + host_and_port() + " failed: " + tls_->problem();
        }
        if (outcome == net::tls_channel::progress::done) {
            break;
        }
        const auto [failed, count] = co_await socket_.async_read_some(
            asio::buffer(handshake_.get(), thread_buffers::record_size), asio::as_tuple(asio::use_awaitable));
        if (phase_ != phase::dialling) {
            co_return std::string();
        }
        if (failed) {
            co_return "TLS handshake with " + host_and_port() + " failed: " + failed.message();
        }
        tls_->receive({handshake_.get(), count});
    }
    if (tls_->alpn() != "h2") {
        co_return host_and_port() + " does not speak HTTP/2: it did not choose h2 (ALPN)";
    }
    co_return std::string();
}

std::string connection::host_and_port() const {
    return context_.where.host + ":" + std::to_string(context_.where.port);
}

std::string connection::overdue_sentence() const {
    if (phase_ == phase::greeting && session_->settings_received()) {
        return host_and_port() + " allows no request on the connection (SETTINGS), and did not within " +
               std::to_string(context_.policy.settings_timeout.count()) + " ms";
    }
    if (phase_ == phase::greeting) {
        return host_and_port() + " sent no HTTP/2 SETTINGS within " +
               std::to_string(context_.policy.settings_timeout.count()) + " ms";
    }
    return "no connection to " + host_and_port() + " within " +
           std::to_string(context_.policy.dial_timeout.count()) + " ms (still " + doing_ + ")";
}

}  // namespace tocsin::http2
