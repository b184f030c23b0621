#include "tools/simulator/h2_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <utility>

namespace tocsin::sim {
namespace {

namespace asio = boost::asio;

// A client that does not read its answers is not read from either.
constexpr std::size_t most_unsent = std::size_t{1024} * 1024;
constexpr int reads_in_a_row = 4;
constexpr auto goodbye_limit = std::chrono::seconds(2);
bool is_rejection(const request& asked) noexcept {
    // 410 is not held against the client (Apple, "Handling notification responses from APNs").
    return asked.status[0] == '4' && asked.status != std::array<char, 3>{'4', '1', '0'};
}

}  // namespace

h2_connection::h2_connection(
    asio::ip::tcp::socket socket, endpoint& host, std::uint64_t seed, closed_handler on_closed)
    : socket_(std::move(socket)),
      host_(host),
      closed_handler_(std::move(on_closed)),
      end_timer_(socket_.get_executor()),
      tls_(host.shared.tls.get()),
      chance_(seed) {}

void h2_connection::start() {
    error_code ec;
    socket_.set_option(asio::ip::tcp::no_delay(true), ec);
    socket_.non_blocking(true, ec);
    const faults& transport = rules().transport;
    if (chance_.hit(transport.slow_tls_share)) {
        host_.counters.add(tally::slow_handshakes);
        later(std::chrono::milliseconds(transport.slow_tls_ms), &h2_connection::wait_readable);
    } else {
        wait_readable();
    }
}

// ---- Input

void h2_connection::wait_readable() {
    if (reading_ || frozen_ || phase_ == phase::closed) {
        return;
    }
    reading_ = true;
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](const error_code& ec) {
        self->reading_ = false;
        if (!ec && self->phase_ != phase::closed) {
            self->on_readable();
        }
    });
}

void h2_connection::on_readable() {
    if (frozen_) {
        return;
    }
    auto& room = host_.scratch->ciphertext;
    for (int i = 0; i < reads_in_a_row && unsent() < most_unsent; ++i) {
        error_code ec;
        const std::size_t count = socket_.read_some(asio::buffer(room), ec);
        if (ec == asio::error::would_block) {
            break;
        }
        if (ec) {
            close_socket();
            return;
        }
        host_.counters.add(tally::bytes_in, count);
        if (phase_ == phase::finishing) {
            continue;
        }
        read_clock();
        const bool open = receive({room.data(), count});
        if (cut_wanted_) {
            host_.counters.add(tally::cuts);
            cut();
            return;
        }
        flush();
        if (!open || finish_wanted_) {
            finish();
        }
        if (phase_ == phase::closed) {
            return;
        }
        if (count < room.size()) {
            break;
        }
    }
    await_answers();
    if (unsent() < most_unsent) {
        wait_readable();
    }
}

bool h2_connection::receive(std::string_view ciphertext) {
    auto& room = host_.scratch->plaintext;
    tls_.lend(ciphertext);
    while (const std::size_t count = tls_.read(room.data(), room.size())) {
        if (!session_ && !begin_session()) {
            return false;
        }
        if (!session_->feed({room.data(), count})) {
            return false;
        }
    }
    if (tls_.now() != tls_pipe::state::open) {
        if (!session_) {
            host_.counters.add(tally::handshakes_failed);
        }
        return false;
    }
    return session_ || !tls_.established() || begin_session();
}

bool h2_connection::begin_session() {
    if (!tls_.speaks_http2()) {
        host_.counters.add(tally::handshakes_failed);
        return false;
    }
    host_.counters.add(tally::connections);
    talk_ = host_.converse(tls_);
    const session_settings settings = host_.settings(*talk_);
    limit_is_full_ = settings.streams == host_.full_stream_limit();
    session_.emplace(settings, *host_.pool, static_cast<session_events&>(*this));
    session_->stall_windows(rules().transport.stall_windows);
    return true;
}

void h2_connection::read_clock() noexcept {
    now_.steady = clock::now();
    now_.wall_ms = host_.shared.time.wall_now().time_since_epoch().count();
}

// ---- Requests

void h2_connection::on_header(request& asked, std::string_view name, std::string_view value) noexcept {
    if (host_.current->record) {
        asked.headers.emplace_back(name, value);
    }
    talk_->on_header(asked, name, value);
}

void h2_connection::on_request(request& asked) noexcept {
    if (cut_wanted_) {
        return;
    }
    idle_pings_ = 0;
    ++requests_;
    const sentence ruling = host_.decides.decide(*talk_, asked, chance_, *host_.current, now_);
    asked.decided = ruling.what != fate::refuse;
    switch (ruling.what) {
        case fate::answer:
            if (ruling.delay <= duration::zero()) {
                answer(asked);
            } else {
                delays_.push(now_.steady + ruling.delay, asked.stream);
            }
            break;
        case fate::refuse:
            host_.counters.add(tally::refused_streams);
            session_->reset(asked, NGHTTP2_REFUSED_STREAM);
            break;
        case fate::reset:
            host_.counters.add(tally::reset_streams);
            session_->reset(asked, ruling.reset_code);
            break;
        case fate::silence:
            host_.counters.add(tally::silenced);
            asked.ignored = true;
            break;
        case fate::close: cut_wanted_ = true; break;
    }
    const faults& transport = rules().transport;
    if (transport.close_after != 0 && requests_ >= transport.close_after) {
        cut_wanted_ = true;
    } else if (requests_ == transport.goaway_after && phase_ == phase::serving) {
        go_away(session_->last_processed(), NGHTTP2_NO_ERROR, host_.restart_words());
    }
}

void h2_connection::answer(request& asked) {
    session_->respond(asked);
    if (limit_is_full_) {
        if (rules().limit_drops_on_rejection && is_rejection(asked)) {
            limit_is_full_ = false;
            session_->announce_streams(1);
        }
    } else if (talk_->authenticated() && !(rules().limit_drops_on_rejection && is_rejection(asked))) {
        limit_is_full_ = true;
        session_->announce_streams(host_.full_stream_limit());
    }
}

void h2_connection::on_closed(request& asked) noexcept {
    if (asked.decided && !asked.answered && !asked.ignored) {
        host_.counters.add(tally::answers_lost);
    }
}

void h2_connection::on_limit_violated() noexcept {
    host_.counters.add(tally::stream_limit_violations);
    if (!finish_wanted_) {
        host_.counters.add(tally::goaways);
        session_->go_away(session_->last_processed(), host_.violation_code(), host_.violation_words());
        finish_wanted_ = true;
    }
}

void h2_connection::on_refused() noexcept {
    host_.counters.add(tally::refused_streams);
}

void h2_connection::on_protocol_error(std::uint32_t, bool) noexcept {
    host_.counters.add(tally::protocol_errors);
}

void h2_connection::on_idle_ping() noexcept {
    const std::uint32_t most = host_.shared.options.idle_pings;
    if (host_.which == provider::fcm && most != 0 && ++idle_pings_ > most && !finish_wanted_) {
        host_.counters.add(tally::goaways);
        session_->go_away(session_->last_processed(), NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
        finish_wanted_ = true;
    }
}

// ---- Answers that wait

void h2_connection::await_answers() {
    const auto due = delays_.next_due();
    if (!due || phase_ >= phase::finishing) {
        return;
    }
    if (!std::exchange(listed_, true)) {
        host_.beat->list(std::shared_ptr<answer_clock::listener>(shared_from_this(), this));
    }
    host_.beat->expect(*due);
}

std::optional<time_point> h2_connection::on_tick() {
    if (frozen_) {
        listed_ = false;
        return std::nullopt;
    }
    if (phase_ < phase::finishing) {
        read_clock();
        while (const auto stream = delays_.pop_due(now_.steady)) {
            request* asked = session_->find(*stream);
            if (asked != nullptr && !asked->ignored) {
                answer(*asked);
            }
        }
        flush();
    }
    const auto next = phase_ < phase::finishing ? delays_.next_due() : std::nullopt;
    listed_ = next.has_value();
    return next;
}

// ---- Output

void h2_connection::flush() {
    if (frozen_) {
        return;
    }
    if (session_ && phase_ < phase::finishing) {
        encrypt_frames();
    }
    write_some();
    if (phase_ == phase::closed || !session_) {
        return;
    }
    const bool drained = phase_ == phase::draining && !serves_something();
    if (phase_ < phase::finishing && (drained || !session_->alive())) {
        finish();
    }
}

void h2_connection::encrypt_frames() {
    const answer_pattern pattern = host_.shared.options.pattern;
    while (unsent() < most_unsent && phase_ != phase::closed) {
        const auto frames = session_->take_output(pattern != answer_pattern::batched);
        if (frames.empty()) {
            return;
        }
        tls_.write(frames);
        if (pattern == answer_pattern::one_write_per_answer) {
            write_some();
        }
    }
}

void h2_connection::write_some() {
    std::string& out = tls_.output();
    while (unsent() > 0 && phase_ != phase::closed) {
        error_code ec;
        const std::size_t count =
            socket_.write_some(asio::buffer(out.data() + sent_, out.size() - sent_), ec);
        if (ec == asio::error::would_block) {
            wait_writable();
            return;
        }
        if (ec) {
            close_socket();
            return;
        }
        sent_ += count;
        host_.counters.add(tally::bytes_out, count);
    }
    out.clear();
    sent_ = 0;
    if (phase_ == phase::finishing) {
        error_code ec;
        socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
    }
}

void h2_connection::wait_writable() {
    if (waiting_to_write_) {
        return;
    }
    waiting_to_write_ = true;
    socket_.async_wait(asio::socket_base::wait_write, [self = shared_from_this()](const error_code& ec) {
        self->waiting_to_write_ = false;
        if (!ec && self->phase_ != phase::closed) {
            self->flush();
            self->wait_readable();  // It may have been put off while too much was unsent.
        }
    });
}

// ---- The end

bool h2_connection::serves_something() {
    bool busy = unsent() > 0;
    session_->for_each_open([&busy](const request& asked) { busy = busy || !asked.ignored; });
    return busy;
}

void h2_connection::finish() {
    if (phase_ >= phase::finishing) {
        return;
    }
    phase_ = phase::finishing;
    tls_.close();
    write_some();
    if (phase_ == phase::closed) {
        return;
    }
    // Closing with input unread would reset the connection, and the last answers with it. So only our
    // side is closed, and what the peer still sends is read until it closes its own.
    end_timer_.expires_after(goodbye_limit);
    end_timer_.async_wait([self = shared_from_this()](const error_code& waited) {
        if (!waited) {
            self->close_socket();
        }
    });
    wait_readable();
}

void h2_connection::cut() {
    error_code ec;
    socket_.set_option(asio::socket_base::linger(true, 0), ec);
    close_socket();
}

void h2_connection::close_socket() {
    if (phase_ == phase::closed) {
        return;
    }
    phase_ = phase::closed;
    error_code ec;
    socket_.close(ec);
    end_timer_.cancel();
    for (auto& timer : pending_) {
        timer.cancel();
    }
    session_.reset();
    closed_handler_(*this);
}

}  // namespace tocsin::sim
