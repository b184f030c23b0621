#pragma once

#include "engine/core/c_handle.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/net/tls_channel.hpp"
#include "engine/net/tls_context.hpp"
#include "engine/runtime/alarm.hpp"
#include "providers/http2/client.hpp"
#include "providers/http2/dial_gate.hpp"
#include "providers/http2/error.hpp"
#include "providers/http2/pool.hpp"
#include "providers/http2/session.hpp"
#include "providers/http2/session_ticket.hpp"
#include "providers/http2/thread_buffers.hpp"
#include "providers/http2/turns.hpp"
#include "providers/http2/unsent.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace tocsin::http2 {

class connection;

/// What all connections of a pool have in common.
struct connection_context {
    boost::asio::any_io_executor executor;
    endpoint where;
    std::shared_ptr<net::tls_context> tls;
    pool_policy policy;
    const time_source& time;
    logger& log;
    std::shared_ptr<turns> rounds;  ///< Of the thread, like the next two.
    std::shared_ptr<dial_gate> dials;
    std::shared_ptr<thread_buffers> buffers;
};

/// How a connection ended.
struct connection_end {
    bool was_ready = false;  ///< False: the dial did not get as far as the peer's SETTINGS.
    bool in_vain = false;    ///< It had been ready, ended without proof, and on_sent_away() was not called.
    bool calm = false;       ///< The peer asked for fewer requests.
    bool forgotten = false;  ///< It did not answer the probe after a silence. No request was open.
    time_point dialled_at{};
    std::string problem;  ///< A sentence.
    error_code detail;    ///< Of a dial: why it failed.
};

/// What a connection tells its pool. Must not throw; may call any function of the connection.
class connection_owner {
public:
    virtual void on_ready(connection& which) noexcept = 0;
    /// room() may have grown: answers came, a write drained, a limit rose.
    virtual void on_room(connection& which) noexcept = 0;
    /// The first answer that shows that the peer works with us.
    virtual void on_proof(connection& which) noexcept = 0;
    /// It takes no new request any more, by the peer's word or for want of answers, without ever having
    /// proven anything.
    virtual void on_sent_away(connection& which) noexcept = 0;
    virtual void on_peer_word(const peer_word& said) noexcept = 0;
    /// It takes no header as large as a request's. True if there is to be another in its place.
    [[nodiscard]] virtual bool on_too_narrow(connection& which) noexcept = 0;
    /// A ticket to resume the TLS session with, for the next dial.
    virtual void on_ticket(ticket_handle ticket) noexcept = 0;
    /// The last call. Every request has been answered or failed, the socket is closed.
    virtual void on_ended(connection& which, const connection_end& end) noexcept = 0;

protected:
    ~connection_owner() = default;
};

/// One connection to a provider: a socket, TLS and an HTTP/2 session, kept going by the executor.
///
/// Dials once, lives, ends; never reconnects. Handlers hold it by shared_ptr, so it outlives its
/// removal from the pool; the owner is not called any more after on_ended(). While its thread is busy it
/// gathers: nothing wakes the thread for it, and its pool reads and writes it in the turns of the thread.
class connection final : public std::enable_shared_from_this<connection>, private session_events {
public:
    enum class phase : std::uint8_t { dialling, greeting, ready, draining, closed };

    connection(
        const connection_context& context, std::uint64_t id, connection_owner& owner,
        std::uint64_t random_seed);
    ~connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Never the same twice in a process.
    [[nodiscard]] static std::uint64_t next_id() noexcept;

    /// Begins to dial. `ticket` may be null; it is not needed after the call. `pass` is kept until the dial
    /// has ended in one way or another.
    void start(SSL_SESSION* ticket, dial_gate::pass pass);

    /// How many requests of `who` it takes now: none while a write is under way, and while it gathers only
    /// in a turn, for something urgent, or for somebody who paces himself.
    [[nodiscard]] std::size_t room(const client& who) const noexcept;
    /// At most room() of them, then flush(). `who` is told of every outcome.
    void submit(client& who, const request& what, time_point now) noexcept;
    /// Hands everything submitted to the socket.
    void flush(time_point now) noexcept;

    /// True if it has been idle and silent for so long that it takes no request before it was probed.
    [[nodiscard]] bool doubtful(time_point now) const noexcept {
        return phase_ == phase::ready && session_->in_flight() == 0 &&
               now - last_received_ >= context_.policy.silence_before_probe;
    }
    /// Asks a doubtful one whether it is still there. It ends, or has room(), soon.
    void probe(time_point now) noexcept;
    [[nodiscard]] bool probing() const noexcept { return probing_; }

    /// True while it is read in turns alone.
    [[nodiscard]] bool gathers() const noexcept { return gathers_; }
    /// The first half of a turn: reads what has arrived.
    void take_in();
    /// The second half: writes what is left to write. Goes back to being woken if the turns are over for it.
    void end_turn();

    /// No new request, for the peer's sake; closes when those in flight have their answers, or at the drain
    /// timeout.
    void drain(std::string_view why) noexcept;
    /// Closes now. Idempotent.
    void close() noexcept;
    void forget(client& who) noexcept;

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] phase state() const noexcept { return phase_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return session_ ? session_->in_flight() : 0; }
    /// An answer has shown that the peer works with us.
    [[nodiscard]] bool proven() const noexcept { return proven_; }
    [[nodiscard]] time_point dialled_at() const noexcept { return dialled_at_; }
    /// Requests that it carries at once; 0 as long as that is not known.
    [[nodiscard]] std::size_t streams(time_point now) const noexcept {
        return phase_ == phase::ready && !on_trial(now) ? session_->credit() + session_->in_flight() : 0;
    }
    /// True if its streams or its window, not the lack of requests, limit it: all but those that are kept
    /// for what is urgent. Not while it is probed.
    [[nodiscard]] bool saturated() const noexcept {
        return phase_ == phase::ready && session_->accepting() &&
               (opened_up_ ? free_streams(false) == 0 : session_->in_flight() != 0);
    }
    /// Its first request has the whole of it until that is answered. Such a peer may allow one stream for a
    /// moment later, too: until it has told its limit, or because it has refused what a request was about.
    [[nodiscard]] bool on_trial(time_point now) const noexcept {
        return phase_ == phase::ready && (!opened_up_ || limited_for_a_moment(now));
    }

private:
    [[nodiscard]] std::size_t free_streams(bool urgent) const noexcept;
    [[nodiscard]] bool limited_for_a_moment(time_point now) const noexcept;

    // Dialling: connection_dial.cpp. Holds the connection itself: a name lookup cannot be cancelled and
    // may outlast everything else.
    static boost::asio::awaitable<void> dial(std::shared_ptr<connection> self, ticket_handle ticket);
    boost::asio::awaitable<std::string> connect();
    boost::asio::awaitable<std::string> secure(ticket_handle ticket);
    [[nodiscard]] std::string host_and_port() const;
    [[nodiscard]] std::string overdue_sentence() const;

    // Turns of reading and writing: connection.cpp.
    void greet();
    void start_reading();
    [[nodiscard]] std::size_t read_some(error_code& failed);
    [[nodiscard]] bool take_bytes(std::size_t count);
    void settle();
    [[nodiscard]] bool follow_up(time_point now);
    void gather();
    void become_ready(time_point now);
    void write_when_possible();
    void on_written(const error_code& failed);
    void read_rest();
    void offer_ticket();
    void set_receive_mark(int bytes) noexcept;
    void count_open() noexcept;

    // Time: connection_life.cpp.
    void on_tick();
    void arm(time_point due);
    [[nodiscard]] time_point next_due() const noexcept;
    void retire_if_due(time_point now) noexcept;
    void retire(std::string_view why) noexcept;
    [[nodiscard]] bool in_vain(time_point now) const noexcept;
    void note_stuck(time_point now) noexcept;
    [[nodiscard]] bool finish_if_over() noexcept;
    void finish(std::string problem, error_code detail) noexcept;
    void tell_of_alert() noexcept;
    void say_goodbye() noexcept;
    [[nodiscard]] bool take_back_unsent() noexcept;

    void on_answer(client& who, const response& answer) noexcept override;
    void on_failure(client& who, const failed_request& failed) noexcept override;
    void on_going_away(h2_code code, std::string_view text) noexcept override;
    void note_idle(time_point now) noexcept;
    void compare_clocks(const response& answer) noexcept;

    const connection_context& context_;
    std::uint64_t id_;
    connection_owner* owner_;
    std::mt19937_64 random_;
    phase phase_ = phase::dialling;
    const char* doing_ = "resolving its name";
    error_code dial_error_ = http2_errc::connection_lost;  // What finish() says of a dial.

    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::ip::tcp::socket socket_;
    alarm tick_;
    std::unique_ptr<net::tls_channel> tls_;
    std::optional<session> session_;
    std::unique_ptr<char[]>
        handshake_;                   // What the peer has sent last of its handshake, and perhaps after it.
    std::string wire_;                // What the socket has not taken at once.
    std::size_t wire_taken_ = 0;      // Of it, what the socket has taken.
    std::uint64_t wires_before_ = 0;  // Bytes of all others since the greeting.
    write_log writes_;

    bool reading_ = false;
    bool writing_ = false;
    bool gathers_ = false;
    bool filled_up_ = false;  // The last write was as large as one may be: more may wait for it to drain.
    bool in_session_ = false;
    bool close_asked_ = false;
    bool opened_up_;  // More than one request at a time.
    bool proven_ = false;
    bool sent_away_ = false;
    bool too_narrow_ = false;  // For a request that was just submitted.
    bool answered_ = false;
    bool calm_ = false;
    bool probing_ = false;
    bool ticket_offered_ = false;
    int receive_mark_ = 1;
    std::size_t counted_ = 0;  // Of the open streams, in the rhythm of the thread.

    dial_gate::pass pass_;
    time_point dialled_at_{};
    time_point ready_at_{};
    time_point retire_at_ = time_point::max();
    time_point phase_deadline_ = time_point::max();  // Of the dial, the SETTINGS, the drain.
    time_point last_received_{};
    time_point active_since_{};
    time_point idle_since_{};
    time_point compare_clocks_at_{};
    time_point opened_up_at_{};
    time_point stuck_until_ = time_point::max();
    time_point ping_sent_{};
    time_point armed_for_ = time_point::max();
    std::string drain_reason_;
    std::string lost_;               // Why nothing can be written any more; empty while it can.
    std::optional<h2_code> goaway_;  // The last one.
};

}  // namespace tocsin::http2
