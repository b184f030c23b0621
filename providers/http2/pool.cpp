#include "providers/http2/pool_implementation.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

// What is sent over which connection. How many there are is decided in pool_growth.cpp.

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;

// Requests put on one connection before the next turn looks again for the one with most room:
// few enough to spread one event, enough to make a write worth while.
constexpr std::size_t quantum = 32;

/// Streams that one client may use of a pool that it shares: a quarter of all that there can ever be is left
/// to the others, should its answers not come.
std::size_t most_of_one(const pool_policy& policy) noexcept {
    return std::max<std::size_t>(1, policy.max_connections * policy.stream_cap / 4 * 3);
}

}  // namespace

pool::implementation::implementation(connection_context context, std::uint64_t random_seed)
    : context_(std::move(context)),
      random_(random_seed),
      round_(most_of_one(context_.policy)),
      schedule_(random_(), context_.policy.max_connections),
      timer_(context_.executor, context_.time) {
    context_.rounds->join(*this);
}

void pool::implementation::detach(client& who) {
    round_.detach(who);
    const auto open = connections_;  // Whoever fails meanwhile removes itself.
    for (const auto& each : open) {
        each->forget(who);
    }
}

void pool::implementation::close() {
    if (std::exchange(closed_, true)) {
        return;
    }
    timer_.cancel();
    context_.rounds->leave(*this);
    const auto closing = connections_;  // on_ended() removes them one by one.
    for (const auto& each : closing) {
        each->close();
    }
}

pool_statistics pool::implementation::statistics() const {
    pool_statistics out;
    const time_point now = context_.time.now();
    const bool probing = std::ranges::any_of(connections_, &connection::probing);
    for (const auto& each : connections_) {
        switch (each->state()) {
            case connection::phase::dialling:
            case connection::phase::greeting: ++out.connecting; break;
            case connection::phase::ready:
                // One that is probed may turn out to be gone, and with it all that are as silent.
                ++(probing && each->doubtful(now) ? out.connecting : out.ready);
                out.saturated += each->saturated() ? 1 : 0;
                break;
            case connection::phase::draining: ++out.draining; break;
            case connection::phase::closed: break;
        }
        out.in_flight += each->in_flight();
    }
    out.client_limit = round_.limit();
    out.dials = dials_;
    out.dials_failed = dials_failed_;
    out.last_dial_error = last_dial_error_;
    return out;
}

void pool::implementation::dispatch_soon() {
    if (closed_ || std::exchange(posted_, true)) {
        return;
    }
    asio::post(context_.executor, [self = shared_from_this()] {
        self->posted_ = false;
        self->dispatch();
    });
}

void pool::implementation::dispatch() {
    if (closed_ || std::exchange(dispatching_, true)) {
        return;  // The one that is under way goes on until nothing is left.
    }
    fill_up();
    forget_closed();
}

bool pool::implementation::take_turn() noexcept {
    if (closed_ || std::exchange(dispatching_, true)) {
        return false;
    }
    ++turn_begins_at_;
    for (std::size_t i = 0; i < connections_.size() && !closed_; ++i) {
        connection& each = *connections_[(turn_begins_at_ + i) % connections_.size()];
        if (each.gathers()) {
            each.take_in();
            fill_up(each);
        }
    }
    if (!closed_) {
        fill_up();
    }
    bool any = false;
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (connections_[i]->gathers()) {
            connections_[i]->end_turn();
            any = any || connections_[i]->gathers();
        }
    }
    forget_closed();
    return any;
}

void pool::implementation::fill_up() {
    const time_point now = context_.time.now();
    round_.begin();
    if (std::exchange(forgotten_, false)) {
        close_doubtful(now);
    }
    touched_.clear();
    while (client* const next = round_.next()) {
        connection* const best = most_room(*next);
        if (best == nullptr || !fill(*best, *next, now)) {
            break;
        }
    }
    for (connection* each : touched_) {
        each->flush(now);
    }
}

void pool::implementation::fill_up(connection& where) {
    const time_point now = context_.time.now();
    round_.begin();
    while (client* const next = round_.next()) {
        // Asked first: a turn that brings a client nothing must not be its turn.
        if (where.room(*next) == 0 || !fill(where, *next, now)) {
            break;
        }
    }
    touched_.clear();
    where.flush(now);
}

void pool::implementation::forget_closed() {
    dispatching_ = false;
    std::erase_if(connections_, [](const auto& each) { return each->state() == connection::phase::closed; });
    plan(context_.time.now());
}

connection* pool::implementation::most_room(const client& who) const {
    connection* best = nullptr;
    std::size_t most = 0;
    for (const auto& each : connections_) {
        const std::size_t room = each->room(who);
        if (room > most) {
            most = room;
            best = each.get();
        }
    }
    return best;
}

bool pool::implementation::fill(connection& where, client& who, time_point now) {
    round_.had_its_turn(who);
    bool progress = false;
    for (std::size_t taken = 0; taken < quantum; ++taken) {
        if (where.room(who) == 0 || !round_.may_open_more(who)) {
            break;
        }
        progress = true;
        scratch_.clear();
        if (!who.next_request(where.id(), now, scratch_)) {
            round_.done(who);
            break;
        }
        where.submit(who, scratch_, now);
    }
    if (progress && std::ranges::find(touched_, &where) == touched_.end()) {
        touched_.push_back(&where);
    }
    return progress;
}

pool::pool(
    boost::asio::any_io_executor executor, endpoint where, std::shared_ptr<net::tls_context> tls,
    const pool_policy& policy, thread_commons shared, const time_source& time, logger& log,
    std::uint64_t random_seed) {
    connection_context context{
        std::move(executor),      std::move(where),        std::move(tls),           policy, time, log,
        std::move(shared.rounds), std::move(shared.dials), std::move(shared.buffers)};
    implementation_ = std::make_shared<implementation>(std::move(context), random_seed);
}

pool::~pool() {
    close();
}

void pool::attach(client& who) {
    implementation_->attach(who);
}

void pool::detach(client& who) {
    implementation_->detach(who);
}

void pool::wake(client& who) {
    implementation_->wake(who);
}

void pool::prepare() {
    implementation_->prepare();
}

void pool::close() {
    implementation_->close();
}

pool_statistics pool::statistics() const {
    return implementation_->statistics();
}

}  // namespace tocsin::http2
