#include "providers/http2/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#include <sys/socket.h>

// Turns: read what gathered, let the pool fill the freed streams, write it all at once.

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;

constexpr std::size_t read_size = std::size_t{64} * 1024;
constexpr std::size_t record_size = std::size_t{16} * 1024;
// One write: four full TLS records. More does not go faster, and delays what is urgent.
constexpr std::size_t write_size = std::size_t{64} * 1024;
// While gathering, the kernel need not wake us before this much has arrived: the timer does.
constexpr int gathering_mark = 16 * 1024;
// For the last words on a connection that cannot be written to any more.
constexpr std::chrono::seconds patience_with_the_lost(1);

// One in so many streams is only for what is urgent: when answers are slow, an alert would otherwise wait for
// the first of those that others wait for.
constexpr std::size_t urgent_part = 20;

/// True for as long as the session is on the stack: it must then be neither called nor closed.
class scope_flag {
public:
    explicit scope_flag(bool& flag) noexcept : flag_(flag) { flag_ = true; }
    ~scope_flag() { flag_ = false; }
    scope_flag(const scope_flag&) = delete;
    scope_flag& operator=(const scope_flag&) = delete;

private:
    bool& flag_;
};

}  // namespace

std::uint64_t connection::next_id() noexcept {
    static std::atomic<std::uint64_t> last{0};  // Pools on other threads count on it too.
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

connection::connection(
    const connection_context& context, std::uint64_t id, connection_owner& owner, std::uint64_t random_seed)
    : context_(context),
      id_(id),
      owner_(&owner),
      random_(random_seed),
      resolver_(context.executor),
      socket_(context.executor),
      tick_timer_(context.executor),
      hold_timer_(context.executor),
      cipher_(read_size),
      plain_(record_size),
      proven_(!context.policy.probe_first) {}

std::size_t connection::room(bool urgent) const noexcept {
    if (phase_ != phase::ready || writing_ || in_session_ || !lost_.empty()) {
        return 0;
    }
    if (holding_ && !urgent && !filled_up_) {
        return 0;
    }
    if (session_->output().size() >= write_size) {
        return 0;
    }
    if (session_->in_flight() == 0 && (probing_ || doubtful(context_.time.now()))) {
        return 0;
    }
    const std::size_t free = free_streams(urgent);
    return proven_ || free == 0 ? free : std::size_t{session_->in_flight() == 0 ? 1U : 0U};
}

std::size_t connection::free_streams(bool urgent) const noexcept {
    const std::size_t credit = session_->credit();
    const std::size_t reserved = urgent ? 0 : (credit + session_->in_flight()) / urgent_part;
    return credit > reserved ? credit - reserved : 0;
}

void connection::submit(client& who, const request& what, time_point now) noexcept {
    if (session_->in_flight() == 0) {
        active_since_ = now;
        arm(now + std::min(context_.policy.request_timeout, context_.policy.silence_before_ping));
    }
    const error_code refused = [&] {
        const scope_flag inside(in_session_);
        return session_->submit(who, what, now);
    }();
    if (refused) {
        failed_request failed;
        failed.context = what.context;
        failed.why = failure::not_processed;
        failed.detail = refused;
        failed.connection = id_;
        who.on_failure(failed);
    }
    if (close_asked_) {
        finish("closed", http2_errc::closed_here);
    } else if (!session_->accepting()) {
        drain(session_->ending().message());
    }
}

void connection::flush(time_point now) noexcept {
    if (phase_ == phase::closed || !session_ || writing_ || !lost_.empty() || session_->output().empty()) {
        return;
    }
    filled_up_ = session_->output().size() >= write_size;
    session_->mark_written(now);
    const bool encrypted = tls_->write(session_->output());
    session_->clear_output();
    if (!encrypted) {
        finish("TLS failed: " + tls_->problem(), http2_errc::connection_lost);
        return;
    }
    tls_->take_output(wire_);
    writing_ = true;
    asio::async_write(
        socket_, asio::buffer(wire_),
        [self = shared_from_this()](const error_code& failed, std::size_t) { self->on_written(failed); });
    if (busy() && !holding_) {
        hold();
    }
}

void connection::forget(client& who) noexcept {
    if (session_) {
        assert(!in_session_ && "a client detached somebody while it was being told something");
        session_->forget(who);
        flush(context_.time.now());
    }
}

void connection::greet() {
    session_options options;
    options.connection = id_;
    options.stream_cap = context_.policy.stream_cap;
    options.request_timeout = context_.policy.request_timeout;
    session_events& events = *this;
    session_.emplace(options, events);

    const time_point now = context_.time.now();
    phase_ = phase::greeting;
    last_received_ = now;
    phase_deadline_ = now + context_.policy.settings_timeout;
    arm(phase_deadline_);
    flush(now);
    // The peer's SETTINGS may have come with the end of its handshake.
    if (phase_ != phase::closed && take_bytes(0)) {
        settle(true);
    }
}

void connection::start_reading() {
    set_receive_mark(1);
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(cipher_), [self = shared_from_this()](const error_code& failed, std::size_t count) {
            self->reading_ = false;
            if (self->phase_ == phase::closed) {
                return;
            }
            if (failed) {
                self->finish("the connection was lost: " + failed.message(), http2_errc::connection_lost);
                return;
            }
            self->tls_->receive({self->cipher_.data(), count});
            if (!self->take_bytes(count)) {
                return;
            }
            if (self->lost_.empty()) {
                self->settle(true);
            } else {
                self->read_rest();
            }
        });
}

/// The end of a gathering time: read what has arrived without waiting, then write.
void connection::on_turn() {
    bool received = false;
    if (!reading_) {  // Else those bytes come first.
        error_code failed;
        const std::size_t count = socket_.read_some(asio::buffer(cipher_), failed);
        if (failed && failed != asio::error::would_block) {
            finish("the connection was lost: " + failed.message(), http2_errc::connection_lost);
            return;
        }
        if (count != 0) {
            received = true;
            tls_->receive({cipher_.data(), count});
            if (!take_bytes(count)) {
                return;
            }
        }
    }
    settle(received);
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
        for (std::size_t size = tls_->read(plain_); size != 0 && !broken; size = tls_->read(plain_)) {
            broken = session_->feed({plain_.data(), size}, now);
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

/// After input: everything that follows from it, in an order that lets one write carry it all.
void connection::settle(bool received) {
    const time_point now = context_.time.now();
    if (phase_ == phase::greeting && session_->settings_received()) {
        become_ready(now);
    }
    if (!session_->accepting()) {
        drain(session_->ending().message());
    } else if (session_->internal_errors_in_a_row() >= session::internal_errors_to_retire) {
        drain(
            std::to_string(session_->internal_errors_in_a_row()) +
            " requests in a row were reset with INTERNAL_ERROR");
    }
    if (finish_if_over()) {
        return;
    }
    if (answered_ && !ticket_offered_) {
        ticket_offered_ = true;
        offer_ticket();
    }
    note_idle(now);
    owner_->on_room(*this);
    if (phase_ == phase::closed) {
        return;
    }
    if (!holding_) {
        flush(now);
    }
    if (phase_ == phase::closed) {
        return;
    }
    if (received && busy() && !holding_) {
        hold();
    }
    if (reading_) {
        return;
    }
    if (holding_ && received) {
        set_receive_mark(gathering_mark);
    } else {
        start_reading();
    }
}

void connection::hold() {
    holding_ = true;
    hold_timer_.expires_after(context_.policy.gather_time);
    hold_timer_.async_wait([self = shared_from_this()](const error_code&) {
        self->holding_ = false;
        if (self->phase_ != phase::closed) {
            self->on_turn();
        }
    });
}

void connection::become_ready(time_point now) {
    phase_ = phase::ready;
    phase_deadline_ = time_point::max();
    ready_at_ = now;
    idle_since_ = now;
    const auto age = context_.policy.max_age;
    if (age.count() != 0) {
        // Give or take a tenth, so that connections opened together do not all go together.
        retire_at_ = now + age * std::uniform_int_distribution<int>(900, 1100)(random_) / 1000;
    }
    arm(next_due());
    context_.log.info(
        "http2.connected",
        {{"host", context_.where.host}, {"connection", id_}, {"resumed", tls_->resumed() ? "yes" : "no"}});
    owner_->on_ready(*this);
}

void connection::on_written(const error_code& failed) {
    writing_ = false;
    if (phase_ == phase::closed) {
        return;
    }
    if (failed) {
        lost_ = "the connection was lost: " + failed.message();
        if (reading_) {
            // Bytes may be on their way to its handler already, which then comes soon.
            phase_deadline_ = context_.time.now() + patience_with_the_lost;
            arm(phase_deadline_);
        } else {
            read_rest();
        }
        return;
    }
    // Fill again at once: waiting for the next read would leave the line empty.
    owner_->on_room(*this);
    if (phase_ != phase::closed && !holding_) {
        flush(context_.time.now());
    }
}

/// Nothing can be written any more, but what the peer said before is still there to be read: answers, and how
/// much of the rest it has processed.
void connection::read_rest() {
    for (;;) {
        error_code failed;
        const std::size_t count = socket_.read_some(asio::buffer(cipher_), failed);
        if (failed || count == 0) {
            break;
        }
        tls_->receive({cipher_.data(), count});
        if (!take_bytes(count)) {
            return;
        }
    }
    finish(lost_, http2_errc::connection_lost);
}

void connection::offer_ticket() {
    if (auto ticket = tls_->ticket()) {
        owner_->on_ticket(std::move(ticket));
    }
}

void connection::set_receive_mark(int bytes) noexcept {
    if (receive_mark_ != bytes) {
        receive_mark_ = bytes;
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
    }
}

void connection::on_answer(client& who, const response& answer) noexcept {
    const connection_advice advice = who.on_response(answer);
    if (!answered_) {
        answered_ = true;
        owner_->on_first_answer(*this);
    }
    if (advice == connection_advice::drain) {
        drain("its client advised so after an answer");
    } else {
        proven_ = true;
    }
}

void connection::on_failure(client& who, const failed_request& failed) noexcept {
    who.on_failure(failed);
}

}  // namespace tocsin::http2
