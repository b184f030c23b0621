#include "providers/http2/connection.hpp"
#include "providers/http2/scope_flag.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <span>
#include <utility>

#include <sys/socket.h>

// What comes in: when it comes, or in the turns of a busy thread.

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// While gathering, the kernel need not wake us before this much has arrived: the turn comes sooner.
constexpr int gathering_mark = 16 * 1024;
// Reads of a turn: one who sends without end is read on in the next.
constexpr int most_reads = 4;

}  // namespace

void connection::start_reading() {
    set_receive_mark(1);
    reading_ = true;
    // Waits without a buffer: the thread's belongs to whichever connection has something to read.
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code failed) {
        self->reading_ = false;
        if (self->phase_ == phase::closed) {
            return;
        }
        const std::size_t count = failed ? 0 : self->read_some(failed);
        if (failed == asio::error::would_block) {
            self->start_reading();
            return;
        }
        if (failed) {
            self->finish("the connection was lost: " + failed.message(), http2_errc::connection_lost);
            return;
        }
        if (!self->take_bytes(count)) {
            return;
        }
        if (self->lost_.empty()) {
            self->settle();
        } else {
            self->read_rest();
        }
    });
}

/// What has arrived, into the thread's buffer and from there to TLS, which is to be read before anything else
/// uses that buffer.
std::size_t connection::read_some(error_code& failed) {
    char* const cipher = context_.buffers->cipher.get();
    const std::size_t count = socket_.read_some(asio::buffer(cipher, thread_buffers::read_size), failed);
    tls_->receive({cipher, count});
    return count;
}

void connection::take_in() {
    for (int reads = 0; reads < most_reads; ++reads) {
        error_code failed;
        const std::size_t count = read_some(failed);
        if (failed == asio::error::would_block) {
            break;
        }
        if (failed) {
            finish("the connection was lost: " + failed.message(), http2_errc::connection_lost);
            return;
        }
        if (!take_bytes(count)) {
            return;
        }
        if (count < thread_buffers::read_size) {
            break;
        }
    }
    static_cast<void>(follow_up(context_.time.now()));
}

void connection::end_turn() {
    flush(context_.time.now());
    if (phase_ != phase::closed && (!context_.rounds->pace().busy() || session_->in_flight() == 0)) {
        gathers_ = false;
        start_reading();
    }
}

/// Decrypts and processes what tls_ was given. False if that ended the connection.
bool connection::take_bytes(std::size_t count) {
    const time_point now = context_.time.now();
    if (count != 0) {
        last_received_ = now;
    }
    const bool pinged = session_->ping_pending();
    error_code broken;
    {
        const scope_flag inside(in_session_);
        const std::span<char> plain(context_.buffers->plain.get(), thread_buffers::record_size);
        for (std::size_t size = tls_->read(plain); size != 0 && !broken; size = tls_->read(plain)) {
            broken = session_->feed({plain.data(), size}, now);
        }
    }
    if (close_asked_) {
        finish("closed", http2_errc::closed_here);
    } else if (broken) {
        finish(host_and_port() + ": " + broken.message(), broken);
    } else if (tls_->now() == net::tls_channel::state::failed) {
        finish("TLS failed: " + tls_->problem(), http2_errc::connection_lost);
    } else if (tls_->now() == net::tls_channel::state::closed_by_peer) {
        finish(host_and_port() + " closed the connection", http2_errc::connection_lost);
    }
    if (phase_ != phase::closed && pinged && !session_->ping_pending()) {
        probing_ = false;
        arm(next_due());  // Silence counts anew.
    }
    return phase_ != phase::closed;
}

/// What follows from input for the connection itself. False if it is over.
bool connection::follow_up(time_point now) {
    // Settings that let nobody open a stream are no greeting: there may be others to come.
    if (phase_ == phase::greeting && session_->credit() != 0) {
        become_ready(now);
    }
    if (!session_->accepting()) {
        drain(session_->ending().message());
    } else if (session_->resets_in_a_row() >= session::resets_to_retire) {
        drain(std::to_string(session_->resets_in_a_row()) + " requests in a row were reset");
    } else if (
        session_->refusing_since() && now - *session_->refusing_since() >= context_.policy.settings_timeout) {
        drain("it refused every request");
    }
    if (finish_if_over()) {
        return false;
    }
    if (answered_ && !ticket_offered_) {
        offer_ticket();
        ticket_offered_ = true;  // Who has not sent one by now sends none.
    }
    note_idle(now);
    note_stuck(now);
    count_open();
    return true;
}

/// After input that was not read in a turn: everything that follows from it, in an order that lets one
/// write carry it all; or later, in turns from now on, if the thread is busy.
void connection::settle() {
    const time_point now = context_.time.now();
    if (!follow_up(now)) {
        return;
    }
    if (context_.rounds->pace().busy() && session_->in_flight() != 0) {
        gather();
        return;
    }
    owner_->on_room(*this);
    if (phase_ != phase::closed) {
        flush(now);
    }
    if (phase_ != phase::closed) {
        start_reading();
    }
}

void connection::gather() {
    gathers_ = true;
    set_receive_mark(gathering_mark);
    context_.rounds->expect();
}

/// Nothing can be written any more, but what the peer said before is still there to be read: answers, and how
/// much of the rest it has processed.
void connection::read_rest() {
    for (;;) {
        error_code failed;
        const std::size_t count = read_some(failed);
        if (failed || count == 0) {
            break;
        }
        if (!take_bytes(count)) {
            return;
        }
    }
    finish(lost_, http2_errc::connection_lost);
}

void connection::offer_ticket() {
    if (auto ticket = tls_->ticket()) {
        ticket_offered_ = true;
        owner_->on_ticket(std::move(ticket));
    }
}

void connection::set_receive_mark(int bytes) noexcept {
    if (receive_mark_ != bytes) {
        receive_mark_ = bytes;
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
    }
}

}  // namespace tocsin::http2
