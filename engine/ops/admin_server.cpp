#include "engine/ops/admin_server.hpp"

#include "engine/ops/admin_dispatch.hpp"
#include "engine/ops/admin_http.hpp"
#include "engine/ops/listen_address.hpp"
#include "engine/runtime/deadline.hpp"
#include "engine/runtime/gate.hpp"
#include "engine/runtime/wait_queue.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <list>
#include <optional>
#include <tuple>
#include <utility>

namespace tocsin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
using request_parser = http::request_parser<http::string_body>;
using response = admin_http_response;
}  // namespace

struct admin_server::implementation : std::enable_shared_from_this<implementation> {
    struct connection {
        explicit connection(tcp::socket socket) : stream(std::move(socket)) {}
        beast::tcp_stream stream;
        beast::flat_buffer buffer;
        asio::cancellation_signal cancel;
        bool answering = false;  // Between a request's header and the end of its response.
        bool working = false;    // Between a whole request and the end of its response.
        bool ousted = false;     // Closed to make room.
        time_point silent_since = clock::now();
    };

    implementation(asio::any_io_executor loop, logger& lines, const admin_limits& given)
        : executor(std::move(loop)),
          log(lines),
          limits(given),
          dispatch(lines, given.timeout),
          acceptor(executor),
          open(executor),
          slot_freed(executor) {}

    /// Counts an ordinary request from its being whole to the end of its response.
    struct ordinary_count {
        explicit ordinary_count(implementation& of) noexcept : owner(of) { ++owner.ordinary; }
        ordinary_count(const ordinary_count&) = delete;
        ordinary_count& operator=(const ordinary_count&) = delete;
        ~ordinary_count() { --owner.ordinary; }
        implementation& owner;
    };

    struct stream_count {
        explicit stream_count(implementation& of) noexcept : owner(of) {
            ++owner.streaming;
            owner.slot_freed.notify_all();
        }
        stream_count(const stream_count&) = delete;
        stream_count& operator=(const stream_count&) = delete;
        ~stream_count() { --owner.streaming; }
        implementation& owner;
    };

    // --- one connection

    asio::awaitable<bool> send(connection& peer, response message) {
        peer.stream.expires_after(limits.timeout);
        const auto [problem, size] = co_await http::async_write(peer.stream, message, as_value);
        co_return !problem && message.keep_alive();
    }

    asio::awaitable<bool> refuse(connection& peer, unsigned status, std::string why) {
        admin_response refused = admin_error(status, why);
        response message = to_http(std::move(refused), 11, false, false);
        co_await send(peer, std::move(message));
        co_await linger(peer);
        co_return false;
    }

    /// Reads one request and answers it; false if the connection is over.
    asio::awaitable<bool> serve_one(connection& peer) {
        request_parser parser;
        parser.header_limit(limits.header_bytes);
        parser.body_limit(limits.body_bytes);
        peer.stream.expires_after(limits.timeout);
        peer.answering = false;
        peer.silent_since = clock::now();
        auto [problem, size] = co_await http::async_read_header(peer.stream, peer.buffer, parser, as_value);
        peer.answering = true;
        if (const unsigned status = problem ? 0 : status_of_framing(parser.get()); status != 0) {
            std::string why = "the only transfer encoding is chunked, without a content length";
            co_return co_await refuse(peer, status, std::move(why));
        }
        if (!problem && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            response proceed(http::status::continue_, parser.get().version());
            peer.stream.expires_after(limits.timeout);
            std::tie(problem, size) = co_await http::async_write(peer.stream, proceed, as_value);
        }
        if (!problem) {
            peer.stream.expires_after(limits.timeout);
            std::tie(problem, size) = co_await http::async_read(peer.stream, peer.buffer, parser, as_value);
        }
        if (problem) {
            const unsigned status = status_of(problem);
            if (status != 0 && !peer.ousted) {
                std::string why = problem.message();
                co_return co_await refuse(peer, status, std::move(why));
            }
            co_return false;
        }
        peer.stream.expires_never();
        peer.working = true;
        const bool more = co_await answer_one(peer, parser.get());
        peer.working = false;
        co_return more;
    }

    asio::awaitable<bool> answer_one(connection& peer, const admin_http_request& request) {
        std::optional<ordinary_count> counted(std::in_place, *this);
        admin_dispatch::answered outcome = co_await dispatch.answer(request, ordinary > limits.connections);
        if (outcome.response.source != nullptr && request.method() != http::verb::head) {
            if (streaming < limits.streams) {
                counted.reset();
                co_await stream(peer, std::move(outcome.response));
                co_return false;
            }
            outcome.response = admin_error(503, "too many clients follow the engine already");
        }
        const bool keep_alive = request.keep_alive() && !stopping;
        response message = to_http(
            std::move(outcome.response), request.version(), keep_alive, request.method() == http::verb::head);
        if (!outcome.allowed.empty()) {
            message.set(http::field::allow, outcome.allowed);
        }
        co_return co_await send(peer, std::move(message));
    }

    /// Writes what the source of `answer` gives until it ends, the reader leaves, or takes nothing for too
    /// long.
    asio::awaitable<void> stream(connection& peer, admin_response answer) {
        const stream_count counted(*this);
        http::response<http::empty_body> head(http::status::ok, 11);
        head.set(http::field::content_type, answer.content_type);
        head.set(http::field::cache_control, "no-store");
        head.set("X-Content-Type-Options", "nosniff");
        head.keep_alive(false);
        http::response_serializer<http::empty_body> serializer(head);
        peer.stream.expires_after(limits.timeout);
        auto [problem, size] = co_await http::async_write_header(peer.stream, serializer, as_value);
        while (!problem && !stopping) {
            peer.stream.expires_never();
            const std::shared_ptr<const std::string> piece = co_await answer.source->next();
            if (piece == nullptr) {
                break;
            }
            peer.stream.expires_after(limits.timeout);
            std::tie(problem, size) = co_await asio::async_write(peer.stream, asio::buffer(*piece), as_value);
        }
        error_code ignored;
        peer.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    /// Reads what the peer still sends to a request that was refused midway: closing on unread bytes
    /// resets the connection, and the peer might never see why it was refused.
    asio::awaitable<void> linger(connection& peer) {
        error_code ignored;
        peer.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
        peer.stream.expires_after(
            std::min<std::chrono::milliseconds>(limits.timeout, std::chrono::seconds(2)));
        std::array<char, 4096> waste;
        std::uint64_t left = 4 * limits.body_bytes;
        for (;;) {
            const auto [problem, size] = co_await peer.stream.async_read_some(asio::buffer(waste), as_value);
            if (problem || size > left) {
                co_return;
            }
            left -= size;
        }
    }

    asio::awaitable<void> serve(connection& peer) {
        try {
            bool more = true;
            while (more && !stopping) {
                more = co_await serve_one(peer);
            }
        } catch (const boost::system::system_error& failure) {
            if (failure.code() != asio::error::operation_aborted) {
                log.error("admin.connection_failed", {{"problem", failure.what()}});
            }
        } catch (const std::exception& failure) {
            log.error("admin.connection_failed", {{"problem", failure.what()}});
        }
    }

    void start_serving(tcp::socket socket, gate::pass counted) {
        const auto peer = peers.emplace(peers.end(), std::move(socket));
        // The handler owns the connection's end: its cancellation signal has to outlive the coroutine.
        auto ended = [self = shared_from_this(), peer, held = std::move(counted)](const std::exception_ptr&) {
            self->peers.erase(peer);
            self->slot_freed.notify_all();
        };
        asio::co_spawn(
            executor, serve(*peer), asio::bind_cancellation_slot(peer->cancel.slot(), std::move(ended)));
    }

    /// A pass and the gate that it belongs to, which must outlive it: also in a coroutine that is
    /// destroyed before it has begun.
    struct counted_in {
        std::shared_ptr<implementation> self;
        gate::pass pass;
    };

    static asio::awaitable<void> accept(counted_in held) {
        const std::shared_ptr<implementation> self = held.self;
        asio::steady_timer pause(self->executor);
        while (!self->stopping) {
            auto [problem, socket] = co_await self->acceptor.async_accept(as_value);
            if (problem) {
                if (problem == asio::error::operation_aborted || self->stopping) {
                    co_return;
                }
                // Out of descriptors, most likely: trying again at once would only burn the CPU.
                self->log.warning("admin.accept_failed", {{"problem", problem.message()}});
                pause.expires_after(std::chrono::milliseconds(100));
                co_await pause.async_wait(as_value);
                continue;
            }
            while (!self->make_room() && !self->stopping) {
                co_await self->slot_freed.wait();
            }
            auto pass = self->open.try_enter();
            if (!pass) {
                co_return;
            }
            self->start_serving(std::move(socket), std::move(*pass));
        }
    }

    /// True if one more connection can be taken; where all are, after the one that has been silent for
    /// longest is closed. It may be a client that hangs, and it is the one whose owner misses it least.
    bool make_room() {
        const auto open_ones = static_cast<std::size_t>(
            std::ranges::count_if(peers, [](const connection& peer) { return !peer.ousted; }));
        if (open_ones < limits.connections + limits.reserve + streaming) {
            return true;
        }
        connection* silent = nullptr;
        for (connection& peer : peers) {
            if (!peer.working && !peer.ousted &&
                (silent == nullptr || peer.silent_since < silent->silent_since)) {
                silent = &peer;
            }
        }
        if (silent == nullptr) {
            return false;  // All of them work on an answer, which has a deadline.
        }
        silent->ousted = true;
        silent->stream.close();
        return true;
    }

    void begin_stop() {
        stopping = true;
        error_code ignored;
        acceptor.close(ignored);
        slot_freed.notify_all();
        for (connection& peer : peers) {
            if (!peer.answering) {
                peer.stream.cancel();
            }
        }
    }

    void cut_off() {
        for (connection& peer : peers) {
            peer.cancel.emit(asio::cancellation_type::terminal);
        }
    }

    asio::any_io_executor executor;
    logger& log;
    admin_limits limits;
    admin_dispatch dispatch;
    tcp::acceptor acceptor;
    gate open;
    wait_queue slot_freed;
    std::list<connection> peers;
    std::size_t ordinary = 0;   ///< Requests that are answered and are not health's.
    std::size_t streaming = 0;  ///< Of the peers: those whose answer has no end.
    bool stopping = false;
};

admin_server::admin_server(asio::any_io_executor executor, logger& log, const admin_limits& limits)
    : implementation_(std::make_shared<implementation>(std::move(executor), log, limits)) {}

admin_server::~admin_server() {
    implementation_->begin_stop();
    implementation_->cut_off();
}

void admin_server::route(
    std::string_view method, std::string_view path, admin_handler handler, admin_share share) {
    implementation_->dispatch.routes.add(method, path, std::move(handler), share);
}

void admin_server::accept_host(std::string_view name) {
    implementation_->dispatch.hosts.add(name);
}

void admin_server::route(
    std::string_view method, std::string_view path,
    std::function<admin_response(const admin_request&)> handler, admin_share share) {
    const auto plain =
        std::make_shared<std::function<admin_response(const admin_request&)>>(std::move(handler));
    // The function is a parameter of the coroutine, so that its frame and not the lambda owns it.
    route(
        method, path, admin_handler([plain](const admin_request& request) {
            return [](auto callee, const admin_request& given) -> asio::awaitable<admin_response> {
                co_return (*callee)(given);
            }(plain, request);
        }),
        share);
}

parsed<> admin_server::start(std::string_view address) {
    auto wanted = parse_listen_address(address);
    if (wanted.has_error()) {
        return wanted.error();
    }
    implementation_->dispatch.hosts.add(wanted->host);
    const auto refused = [&](const error_code& problem) {
        return refusal{
            "listen", "the admin server cannot listen on " + std::string(address) + ": " + problem.message()};
    };
    if (const error_code problem = open_acceptor(implementation_->acceptor, *wanted)) {
        return refused(problem);
    }
    auto pass = implementation_->open.try_enter();
    if (!pass) {
        return refused(asio::error::operation_aborted);
    }
    asio::co_spawn(
        implementation_->executor, implementation::accept({implementation_, std::move(*pass)}),
        asio::detached);
    return parsed<>();
}

std::string admin_server::address() const {
    error_code problem;
    const tcp::endpoint at = implementation_->acceptor.local_endpoint(problem);
    if (problem) {
        return "";
    }
    const std::string host = at.address().to_string();
    return (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

std::uint16_t admin_server::port() const {
    error_code problem;
    return implementation_->acceptor.local_endpoint(problem).port();
}

std::size_t admin_server::connections() const noexcept {
    return implementation_->peers.size();
}

asio::awaitable<void> admin_server::stop(time_point deadline) {
    const auto self = implementation_;  // The caller may not outlive the wait.
    self->begin_stop();
    const auto drained = co_await with_deadline(self->open.close(), deadline);
    if (drained.has_error()) {
        self->cut_off();
        co_await self->open.close();
    }
}

}  // namespace tocsin
