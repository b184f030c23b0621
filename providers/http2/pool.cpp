#include "providers/http2/pool.hpp"

#include "providers/http2/connection.hpp"
#include "providers/http2/dial_schedule.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace tocsin::http2 {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// Requests put on one connection before the next turn looks again for the one with most room:
// few enough to spread one event, enough to make a write worth while.
constexpr std::size_t quantum = 32;
// A moment between two writes in which streams are free does not end a shortage.
constexpr milliseconds shortage_memory(10);

/// Streams that one client may use of a pool that it shares: a quarter of all that there can ever be is left
/// to the others, should its answers not come.
std::size_t most_of_one(const pool_policy& policy) noexcept {
    return std::max<std::size_t>(1, policy.max_connections * policy.stream_cap / 4 * 3);
}

}  // namespace

class pool::implementation final : public std::enable_shared_from_this<implementation>,
                                   private connection_owner {
public:
    implementation(connection_context context, std::uint64_t random_seed)
        : context_(std::move(context)),
          random_(random_seed),
          most_of_one_client_(most_of_one(context_.policy)),
          schedule_(random_()),
          timer_(context_.executor) {}

    void attach(client& who) { clients_.push_back({&who, false, false}); }

    void detach(client& who) {
        std::erase_if(clients_, [&](const attached& entry) { return entry.who == &who; });
        const auto open = connections_;  // Whoever fails meanwhile removes itself.
        for (const auto& each : open) {
            each->forget(who);
        }
    }

    void wake(client& who) {
        for (attached& entry : clients_) {
            entry.woken = entry.woken || entry.who == &who;
        }
        dispatch_soon();
    }

    void close() {
        if (std::exchange(closed_, true)) {
            return;
        }
        timer_.cancel();
        const auto closing = connections_;  // on_ended() removes them one by one.
        for (const auto& each : closing) {
            each->close();
        }
    }

    [[nodiscard]] pool_statistics statistics() const {
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
        out.client_limit = client_limit();
        out.dials_failed = dials_failed_;
        out.last_dial_error = last_dial_error_;
        return out;
    }

private:
    struct attached {
        client* who;
        bool ready;  ///< It has not said "nothing" since it was last woken.
        bool woken;  ///< Becomes ready with the next dispatch: one that wakes itself while it is
                     ///< asked must neither be forgotten nor keep the loop busy.
    };

    /// From the loop and not from the caller: wake() may come from inside a client's callback, and
    /// many wakes make one dispatch.
    void dispatch_soon() {
        if (closed_ || std::exchange(posted_, true)) {
            return;
        }
        asio::post(context_.executor, [self = shared_from_this()] {
            self->posted_ = false;
            self->dispatch();
        });
    }

    /// Moves requests from clients to connections until either side has no more, then writes.
    void dispatch() {
        if (closed_ || std::exchange(dispatching_, true)) {
            return;  // The one that is under way goes on until nothing is left.
        }
        const time_point now = context_.time.now();
        for (attached& entry : clients_) {
            entry.ready = entry.ready || std::exchange(entry.woken, false);
        }
        if (std::exchange(forgotten_, false)) {
            close_doubtful(now);
        }
        touched_.clear();
        while (attached* next = next_client()) {
            connection* best = most_room(next->who->urgent());
            if (best == nullptr || !fill(*best, *next, now)) {
                break;
            }
        }
        for (connection* each : touched_) {
            each->flush(now);
        }
        dispatching_ = false;
        std::erase_if(
            connections_, [](const auto& each) { return each->state() == connection::phase::closed; });
        plan(now);
    }

    /// Whose turn it is: somebody urgent, or the next one in the round; null if nobody is ready.
    [[nodiscard]] attached* next_client() {
        attached* first = nullptr;
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            attached& entry = clients_[(turn_ + i) % clients_.size()];
            if (!may_send(entry)) {
                continue;
            }
            if (entry.who->urgent()) {
                return &entry;
            }
            first = first == nullptr ? &entry : first;
        }
        return first;
    }

    /// Ready, and not in possession of what others need.
    [[nodiscard]] bool may_send(const attached& entry) const noexcept {
        return entry.ready && entry.who->open_requests() < client_limit();
    }
    [[nodiscard]] std::size_t client_limit() const noexcept {
        return clients_.size() == 1 ? std::numeric_limits<std::size_t>::max() : most_of_one_client_;
    }

    [[nodiscard]] connection* most_room(bool urgent) const {
        connection* best = nullptr;
        std::size_t most = 0;
        for (const auto& each : connections_) {
            const std::size_t room = each->room(urgent);
            if (room > most) {
                most = room;
                best = each.get();
            }
        }
        return best;
    }

    /// A run of one client's requests on one connection: what repeats from request to request repeats most
    /// within a client. False if it could neither place a request nor learn that the client has none.
    bool fill(connection& where, const attached& whose, time_point now) {
        client& who = *whose.who;
        turn_ = static_cast<std::size_t>(&whose - clients_.data()) + 1;
        bool progress = false;
        for (std::size_t taken = 0; taken < quantum; ++taken) {
            if (where.room(who.urgent()) == 0 || who.open_requests() >= client_limit()) {
                break;
            }
            progress = true;
            scratch_.clear();
            if (!who.next_request(where.id(), now, scratch_)) {
                mark_done(who);
                break;
            }
            where.submit(who, scratch_, now);
        }
        if (progress && std::ranges::find(touched_, &where) == touched_.end()) {
            touched_.push_back(&where);
        }
        return progress;
    }

    void mark_done(const client& who) {
        for (attached& entry : clients_) {  // Its place may have moved: clients come and go.
            entry.ready = entry.ready && entry.who != &who;
        }
    }

    [[nodiscard]] bool anybody_ready() const {
        return std::ranges::any_of(clients_, [this](const attached& entry) { return may_send(entry); });
    }

    /// Opens a connection, now or later, if what there is does not suffice.
    void plan(time_point now) {
        if (closed_ || !anybody_ready()) {
            short_since_.reset();
            return;
        }
        std::size_t usable = 0;
        bool all_saturated = true;
        connection* doubtful = nullptr;
        for (const auto& each : connections_) {
            switch (each->state()) {
                case connection::phase::dialling:
                case connection::phase::greeting: return;  // One at a time.
                case connection::phase::ready:
                    if (each->probing()) {
                        return;  // Its answer decides, or its end.
                    }
                    if (each->doubtful(now)) {
                        doubtful = each.get();
                        break;
                    }
                    ++usable;
                    all_saturated = all_saturated && each->saturated();
                    break;
                case connection::phase::draining:
                case connection::phase::closed: break;
            }
        }
        if (doubtful != nullptr && (usable == 0 || all_saturated)) {
            doubtful->probe(now);
            return;
        }
        time_point due = schedule_.earliest();
        if (usable != 0) {
            if (usable >= context_.policy.max_connections) {
                return;
            }
            if (all_saturated) {
                short_since_ = short_since_.value_or(now);
                short_seen_ = now;
            } else if (now - short_seen_ > shortage_memory) {
                short_since_.reset();
            }
            if (!short_since_) {
                return;
            }
            due = std::max(due, *short_since_ + dial_schedule::growth_delay(usable));
        }
        if (now < due) {
            dispatch_at(due, now);
        } else if (usable == 0 || all_saturated) {
            dial(now);
        }
    }

    /// What forgot one connection has forgotten those that are silent for as long.
    void close_doubtful(time_point now) {
        const auto open = connections_;
        for (const auto& each : open) {
            if (each->doubtful(now)) {
                each->close();
            }
        }
    }

    void dispatch_at(time_point due, time_point now) {
        if (timer_due_ <= due && timer_due_ > now) {
            return;
        }
        timer_due_ = due;
        timer_.expires_after(due - now);
        timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
            if (!cancelled) {
                self->timer_due_ = {};
                self->dispatch();
            }
        });
    }

    void dial(time_point now) {
        short_since_.reset();
        schedule_.dialled(now);
        connection_owner& owner = *this;
        connections_.push_back(
            std::make_shared<connection>(context_, connection::next_id(), owner, random_()));
        connections_.back()->start(ticket_.get());
    }

    void on_ready(connection&) noexcept override { last_dial_error_.clear(); }
    void on_room(connection&) noexcept override { dispatch(); }
    void on_first_answer(connection&) noexcept override { schedule_.answered(); }
    void on_peer_word(const peer_word& said) noexcept override {
        for (const attached& entry : clients_) {
            entry.who->on_peer_word(said);
        }
    }
    void on_ticket(ticket_handle ticket) noexcept override { ticket_ = std::move(ticket); }

    void on_ended(connection& which, const connection_end& end) noexcept override {
        const time_point now = context_.time.now();
        if (closed_) {
            // Our own doing: says nothing about the peer.
        } else if (end.was_ready) {
            schedule_.ended(now, end.lived, end.answered);
        } else {
            note_failed_dial(end.problem, now);
            for (const attached& entry : clients_) {
                entry.who->on_dial_failed(end.detail);
            }
        }
        forgotten_ = forgotten_ || end.forgotten;
        if (end.calm) {
            schedule_.calm_down(now);
        }
        if (!dispatching_) {
            std::erase_if(connections_, [&](const auto& each) { return each.get() == &which; });
        }
        dispatch_soon();
    }

    void note_failed_dial(const std::string& problem, time_point now) {
        schedule_.failed(now);
        ++dials_failed_;
        ticket_.reset();                    // Should it be the cause, the next dial does without.
        if (problem != last_dial_error_) {  // Once per change, not once per attempt.
            last_dial_error_ = problem;
            context_.log.warning(
                "http2.dial_failed",
                {{"host", context_.where.host}, {"port", context_.where.port}, {"problem", problem}});
        }
    }

    connection_context context_;
    std::mt19937_64 random_;
    std::size_t most_of_one_client_;
    dial_schedule schedule_;
    asio::steady_timer timer_;
    time_point timer_due_{};
    std::vector<attached> clients_;
    std::size_t turn_ = 0;
    std::vector<std::shared_ptr<connection>> connections_;
    std::vector<connection*> touched_;
    request scratch_;
    ticket_handle ticket_;

    std::optional<time_point> short_since_;
    time_point short_seen_{};
    std::uint64_t dials_failed_ = 0;
    std::string last_dial_error_;
    bool posted_ = false;
    bool forgotten_ = false;  ///< A connection did not answer its probe; the others are not looked at yet.
    bool dispatching_ = false;
    bool closed_ = false;
};

pool::pool(
    boost::asio::any_io_executor executor, endpoint where, std::shared_ptr<net::tls_context> tls,
    const pool_policy& policy, const time_source& time, logger& log, std::uint64_t random_seed) {
    connection_context context{std::move(executor), std::move(where), std::move(tls), policy, time, log};
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

void pool::close() {
    implementation_->close();
}

pool_statistics pool::statistics() const {
    return implementation_->statistics();
}

}  // namespace tocsin::http2
