#include "providers/http2/connection.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

// Deadlines and endings. One timer serves them all: it is set to the nearest, and only moved when
// something nearer appears, so a request costs no timer.

namespace tocsin::http2 {

namespace asio = boost::asio;

namespace {

// Until its end needs no explanation: nobody keeps a connection for long that is not used.
constexpr std::chrono::seconds a_short_life(10);

}  // namespace

void connection::arm(time_point due) {
    if (due >= armed_for_) {
        return;
    }
    armed_for_ = due;
    tick_.set(due, [self = shared_from_this()] {
        if (self->phase_ != phase::closed) {
            self->armed_for_ = time_point::max();
            self->on_tick();
        }
    });
}

time_point connection::next_due() const noexcept {
    time_point due = phase_deadline_;
    if (phase_ != phase::ready && phase_ != phase::draining) {
        return due;
    }
    due = std::min(due, session_->next_deadline().value_or(time_point::max()));
    if (probing_) {
        due = std::min(due, ping_sent_ + context_.policy.probe_timeout);
    } else if (session_->in_flight() == 0) {
        due = std::min(due, idle_since_ + context_.policy.idle_timeout);
    } else if (session_->ping_pending()) {
        due = std::min(due, ping_sent_ + context_.policy.ping_timeout);
    } else {
        due = std::min(due, std::max(last_received_, active_since_) + context_.policy.silence_before_ping);
    }
    return phase_ == phase::ready ? std::min({due, retire_at_, stuck_until_}) : due;
}

void connection::on_tick() {
    const time_point now = context_.time.now();
    if (now >= phase_deadline_) {
        if (!lost_.empty()) {
            finish(lost_, http2_errc::connection_lost);
        } else if (phase_ == phase::draining) {
            finish(drain_reason_ + "; drained for as long as allowed", http2_errc::drain_timeout);
        } else {
            finish(overdue_sentence(), http2_errc::connection_lost);
        }
        return;
    }
    if (phase_ == phase::ready || phase_ == phase::draining) {
        in_session_ = true;
        const std::size_t expired = session_->expire(now);
        in_session_ = false;
        if (close_asked_) {
            finish("closed", http2_errc::closed_here);
            return;
        }
        if (expired != 0) {
            context_.log.warning(
                "http2.requests_timed_out",
                {{"host", context_.where.host}, {"connection", id_}, {"count", expired}});
        }
        const auto patience = probing_ ? context_.policy.probe_timeout : context_.policy.ping_timeout;
        if (session_->ping_pending() && now >= ping_sent_ + patience) {
            const error_code silent = http2_errc::connection_silent;
            finish(host_and_port() + ": " + silent.message(), silent);
            return;
        }
        if (session_->in_flight() != 0 && !session_->ping_pending() &&
            now >= std::max(last_received_, active_since_) + context_.policy.silence_before_ping) {
            ping_sent_ = now;
            session_->ping();
        }
        retire_if_due(now);
        if (finish_if_over()) {
            return;
        }
        if (expired != 0) {
            note_idle(now);
            note_stuck(now);
            count_open();
            owner_->on_room(*this);
            if (phase_ == phase::closed) {
                return;
            }
        }
        flush(now);
    }
    if (phase_ != phase::closed) {
        arm(next_due());
    }
}

void connection::probe(time_point now) noexcept {
    if (probing_ || !doubtful(now)) {
        return;
    }
    probing_ = true;
    ping_sent_ = now;
    session_->ping();
    arm(next_due());
    flush(now);
}

void connection::retire_if_due(time_point now) noexcept {
    if (phase_ != phase::ready) {
        return;
    }
    if (now >= stuck_until_) {
        drain("it takes no request");
    } else if (session_->timeouts_in_a_row() >= session::timeouts_to_retire) {
        drain(std::to_string(session_->timeouts_in_a_row()) + " requests in a row had no answer in time");
    } else if (now >= retire_at_) {
        retire("it has reached its age limit");
    } else if (session_->in_flight() == 0 && now >= idle_since_ + context_.policy.idle_timeout) {
        retire("it was idle");
    }
}

void connection::note_idle(time_point now) noexcept {
    if (session_->in_flight() == 0 && phase_ == phase::ready && idle_since_ <= active_since_) {
        idle_since_ = now;
        arm(idle_since_ + context_.policy.idle_timeout);
    }
}

/// A peer that lets nobody open a stream, or takes no body, may be gone without having said so.
void connection::note_stuck(time_point now) noexcept {
    if (phase_ != phase::ready || session_->in_flight() != 0 || session_->credit() != 0) {
        stuck_until_ = time_point::max();
    } else if (stuck_until_ == time_point::max()) {
        stuck_until_ = now + context_.policy.settings_timeout;
        arm(stuck_until_);
    }
}

void connection::drain(std::string_view why) noexcept {
    if (phase_ != phase::ready) {
        return;
    }
    retire(why);
    if (in_vain(context_.time.now())) {
        sent_away_ = true;
        owner_->on_sent_away(*this);
    }
}

/// Whether its end would say that the peer does not work with us.
bool connection::in_vain(time_point now) const noexcept {
    const bool was_used = active_since_ != time_point{};
    return !proven_ && (was_used || now - ready_at_ < a_short_life);
}

void connection::retire(std::string_view why) noexcept {
    phase_ = phase::draining;
    drain_reason_ = "the connection was retired because ";
    drain_reason_ += why;
    phase_deadline_ = context_.time.now() + context_.policy.drain_timeout;
    arm(phase_deadline_);
}

/// Closes if nothing is left to wait for.
bool connection::finish_if_over() noexcept {
    if (phase_ == phase::draining && session_->in_flight() == 0) {
        finish(drain_reason_, http2_errc::closed_here);
    } else if (!session_->alive()) {
        finish(host_and_port() + " ended the connection", http2_errc::connection_lost);
    }
    return phase_ == phase::closed;
}

void connection::close() noexcept {
    if (in_session_) {
        close_asked_ = true;  // Whoever is in there closes on the way out.
        return;
    }
    finish("closed", http2_errc::closed_here);
}

void connection::finish(std::string problem, error_code detail) noexcept {
    if (phase_ == phase::closed) {
        return;
    }
    const auto self = shared_from_this();  // The owner is about to let go of it.
    connection_end end;
    end.was_ready = phase_ == phase::ready || phase_ == phase::draining;
    const bool our_wish = detail == http2_errc::closed_here;
    end.in_vain = end.was_ready && !our_wish && !sent_away_ && in_vain(context_.time.now());
    end.calm = calm_;
    end.forgotten = probing_ && detail == http2_errc::connection_silent;
    end.dialled_at = dialled_at_;
    end.problem = std::move(problem);
    end.detail = dial_error_;

    const bool greeted = phase_ != phase::dialling;
    phase_ = phase::closed;
    gathers_ = false;
    pass_.reset();
    if (greeted) {
        if (answered_) {
            offer_ticket();
        }
        if (!take_back_unsent()) {
            say_goodbye();
        }
    }
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
    tick_.cancel();
    tell_of_alert();
    if (session_) {
        in_session_ = true;
        session_->fail_all(detail);
        in_session_ = false;
        count_open();
    }
    if (end.was_ready) {
        context_.log.info(
            "http2.closed", {{"host", context_.where.host}, {"connection", id_}, {"why", end.problem}});
    }
    std::exchange(owner_, nullptr)->on_ended(*this, end);
}

void connection::on_going_away(h2_code code, std::string_view text) noexcept {
    if (std::exchange(goaway_, code) == code) {
        return;  // Said before, perhaps with another last stream.
    }
    calm_ = calm_ || code == h2_code::enhance_your_calm;
    peer_word said;
    said.what = peer_word::kind::going_away;
    said.code = static_cast<std::uint32_t>(code);
    said.text = text;
    said.connection = id_;
    said.answered = answered_;
    owner_->on_peer_word(said);
    const bool routine = code == h2_code::no_error;
    const std::initializer_list<log_field> fields{
        {"host", context_.where.host},
        {"connection", id_},
        {"code", static_cast<std::uint32_t>(code)},
        {"text", text.substr(0, 200)},
        {"in_flight", session_->in_flight()}};
    if (routine) {
        context_.log.info("http2.goaway", fields);
    } else {
        context_.log.warning("http2.goaway", fields);
    }
}

void connection::tell_of_alert() noexcept {
    if (tls_ == nullptr || !tls_->alert()) {
        return;
    }
    peer_word said;
    said.what = peer_word::kind::tls_alert;
    said.code = *tls_->alert();
    said.text = tls_->problem();
    said.connection = id_;
    said.answered = answered_;
    owner_->on_peer_word(said);
}

/// Requests of which no byte has left this machine cannot have been processed, whatever was done to write
/// them. True if the socket is beyond any goodbye.
bool connection::take_back_unsent() noexcept {
    if (session_->in_flight() == 0) {
        return false;
    }
    const std::size_t unsent = http2::take_back_unsent(socket_.native_handle());
    const bool behind = wire_taken_ != wire_.size();
    if (unsent == 0 && !behind) {
        return false;
    }
    const std::uint64_t taken = wires_before_ + wire_taken_;
    const std::uint64_t sent = taken - std::min<std::uint64_t>(unsent, taken);
    session_->take_back(writes_.plain_behind(sent, session_->produced()));
    return unsent != 0;
}

/// Tells the peer, if that needs no waiting. It must not find out by a request that went nowhere,
/// and neither must we wait for a peer that may be dead.
void connection::say_goodbye() noexcept {
    if (writing_ || !lost_.empty()) {
        return;  // A record is half written: anything after it would be garbage.
    }
    // What was submitted and never flushed must stay unsent: it will be called not processed.
    if (!session_->has_unwritten()) {
        session_->say_goodbye();
        if (!tls_->write(session_->output())) {
            return;
        }
    }
    session_->clear_output();
    tls_->shutdown();
    tls_->take_output(wire_);
    error_code ignored;
    socket_.write_some(asio::buffer(wire_), ignored);
}

}  // namespace tocsin::http2
