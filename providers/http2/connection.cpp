#include "providers/http2/connection.hpp"

#include "providers/http2/scope_flag.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <exception>
#include <utility>

// What goes out, and what the session has to say. What comes in is in connection_input.cpp.

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// One write: four full TLS records. More does not go faster, and delays what is urgent.
constexpr std::size_t write_size = std::size_t{64} * 1024;
// For the last words on a connection that cannot be written to any more.
constexpr std::chrono::seconds patience_with_the_lost(1);
// A clock seldom changes; answers come all the time.
constexpr std::chrono::minutes between_clock_looks(1);

// One in so many streams is only for what is urgent: when nobody is answered, an alert would otherwise wait
// for the first of those that others wait for. More would cost the others as much of their rate.
constexpr std::size_t urgent_part = 100;
constexpr std::size_t worth_a_part = 20;  // Streams.
// A limit of one stream that lasts longer is what the peer means: then other connections are worth their
// price.
constexpr std::chrono::milliseconds moment_of_one_stream(200);

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
      tick_(context.executor, context.time),
      opened_up_(!context.policy.probe_first) {}

std::size_t connection::room(const client& who) const noexcept {
    if (phase_ != phase::ready || writing_ || in_session_ || !lost_.empty()) {
        return 0;
    }
    const bool urgent = who.urgent();
    if (gathers_ && !urgent && !who.paces_itself() && !filled_up_ && !context_.rounds->under_way()) {
        return 0;
    }
    if (session_->output().size() >= write_size) {
        return 0;
    }
    if (session_->in_flight() == 0 && (probing_ || doubtful(context_.time.now()))) {
        return 0;
    }
    const std::size_t free = free_streams(urgent);
    return opened_up_ || free == 0 ? free : std::size_t{session_->in_flight() == 0 ? 1U : 0U};
}

bool connection::limited_for_a_moment(time_point now) const noexcept {
    return context_.policy.probe_first && session_->stream_limit() <= 1 &&
           now < std::max(opened_up_at_, session_->limit_changed_at()) + moment_of_one_stream;
}

std::size_t connection::free_streams(bool urgent) const noexcept {
    const std::size_t credit = session_->credit();
    const std::size_t all = credit + session_->in_flight();
    const std::size_t reserved =
        urgent || all < worth_a_part ? 0 : std::max<std::size_t>(1, all / urgent_part);
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
    } else if (std::exchange(too_narrow_, false) && owner_->on_too_narrow(*this)) {
        drain("it takes no header as large as a request's");
        static_cast<void>(finish_if_over());
    }
}

void connection::flush(time_point now) noexcept {
    if (phase_ == phase::closed || !session_ || writing_ || !lost_.empty() || session_->output().empty()) {
        return;
    }
    filled_up_ = session_->output().size() >= write_size;
    session_->mark_written(now);
    wires_before_ += std::exchange(wire_taken_, 0);
    wire_.clear();
    writes_.note(session_->produced(), wires_before_);
    std::string& wire = context_.buffers->wire;
    const bool encrypted = tls_->write(session_->output(), wire);
    session_->clear_output();
    if (!encrypted) {
        finish("TLS failed: " + tls_->problem(), http2_errc::connection_lost);
        return;
    }
    count_open();
    // Most writes fit into the socket's buffer, and need no handler afterwards.
    error_code failed;
    const std::size_t taken = socket_.write_some(asio::buffer(wire), failed);
    const bool full = failed == asio::error::would_block;
    const bool whole = !failed && taken == wire.size();
    if (whole) {
        wires_before_ += taken;
        if (!filled_up_) {
            return;
        }
    } else {
        wire_.swap(wire);
        wire_taken_ = taken;
    }
    writing_ = true;
    if (whole || (failed && !full)) {
        asio::post(context_.executor, [self = shared_from_this(), failed] { self->on_written(failed); });
        return;
    }
    write_when_possible();
}

/// The rest of what is being written. At each moment it is known how much of it the socket has taken.
void connection::write_when_possible() {
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code& lost) {
        if (lost || self->phase_ == phase::closed) {
            self->on_written(lost);
            return;
        }
        error_code failed;
        self->wire_taken_ += self->socket_.write_some(asio::buffer(self->wire_) + self->wire_taken_, failed);
        const bool more = !failed && self->wire_taken_ != self->wire_.size();
        if (more || failed == asio::error::would_block) {
            self->write_when_possible();
        } else {
            self->on_written(failed);
        }
    });
}

/// So that the thread knows how much is under way.
void connection::count_open() noexcept {
    const std::size_t open = in_flight();
    context_.rounds->pace().count(counted_, open);
    counted_ = open;
}

void connection::forget(client& who) noexcept {
    if (session_) {
        assert(!in_session_ && "a client detached somebody while it was being told something");
        session_->forget(who);
        count_open();
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
        handshake_.reset();
        settle();
    }
}

void connection::become_ready(time_point now) {
    phase_ = phase::ready;
    offer_ticket();
    pass_.reset();  // Whoever is let through now can resume with the ticket.
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
    if (phase_ != phase::closed) {
        flush(context_.time.now());
    }
}

void connection::on_answer(client& who, const response& answer) noexcept {
    const connection_advice advice = who.on_response(answer);
    context_.rounds->pace().answered(answer.answered_at - answer.written_at);
    answered_ = true;
    if (answer.answered_at >= compare_clocks_at_) [[unlikely]] {
        compare_clocks(answer);
    }
    if (advice == connection_advice::keep) {
        if (!std::exchange(opened_up_, true)) {
            opened_up_at_ = answer.answered_at;
        }
        if (!std::exchange(proven_, true)) {
            owner_->on_proof(*this);
        }
    } else if (advice == connection_advice::drain) {
        drain("its client advised so after an answer");
    }
}

void connection::compare_clocks(const response& answer) noexcept {
    compare_clocks_at_ = answer.answered_at + between_clock_looks;
    try {
        const duration round_trip = answer.answered_at - answer.written_at;
        context_.where.its_clock->compare(
            clock_ahead(answer.date, round_trip, context_.time.wall_now()), context_.where.host,
            context_.log);
    } catch (const std::exception&) {
        // Out of memory for a line of the log.
    }
}

void connection::on_failure(client& who, const failed_request& failed) noexcept {
    too_narrow_ = too_narrow_ || failed.detail == http2_errc::header_too_large;
    who.on_failure(failed);
}

}  // namespace tocsin::http2
