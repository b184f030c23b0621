#pragma once

#include "engine/runtime/alarm.hpp"
#include "providers/http2/client_round.hpp"
#include "providers/http2/connection.hpp"
#include "providers/http2/dial_schedule.hpp"
#include "providers/http2/pool.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::http2 {

/// A pool behind its handle: connections, clients and the timer hold it for as long as they need it.
class pool::implementation final : public std::enable_shared_from_this<implementation>,
                                   private connection_owner,
                                   private turn_taker {
public:
    implementation(connection_context context, std::uint64_t random_seed);

    void attach(client& who) { round_.attach(who); }
    void detach(client& who);
    void wake(client& who) {
        round_.wake(who);
        dispatch_soon();
    }

    void prepare() { dispatch_soon(); }
    void close();
    [[nodiscard]] pool_statistics statistics() const;

private:
    /// From the loop and not from the caller: wake() may come from inside a client's callback, and
    /// many wakes make one dispatch.
    void dispatch_soon();

    /// Moves requests from clients to connections until either side has no more, then writes.
    void dispatch();

    /// A turn of the thread: reads, fills and writes the connections that gather, one after the other. What
    /// was answered on one is not kept waiting for the others, and all that it takes is in the processor's
    /// cache.
    [[nodiscard]] bool take_turn() noexcept override;
    void fill_up(connection& where);

    void fill_up();
    void forget_closed();
    [[nodiscard]] connection* most_room(const client& who) const;

    /// A run of one client's requests on one connection: what repeats from request to request repeats most
    /// within a client. False if it could neither place a request nor learn that the client has none.
    bool fill(connection& where, client& who, time_point now);

    /// What there is to send over.
    struct supply {
        std::size_t connecting = 0;
        std::size_t draining = 0;
        std::size_t unproven = 0;  ///< Of all these: whether the peer works with us is not known yet.
        std::size_t usable = 0;
        std::size_t streams = 0;  ///< Of the usable ones that may carry more than one.
        std::size_t opened_up = 0;
        bool all_saturated = true;
        bool all_on_trial = true;
        std::size_t doubts = 0;          ///< Silent for so long that they may be gone.
        connection* doubtful = nullptr;  ///< One of them that is not asked yet.
        bool probing = false;
    };
    [[nodiscard]] supply what_there_is(time_point now) const noexcept;
    /// How many may be usable: those that drain are connections, too, and may be that for long. Should all
    /// of them drain, there may be one more.
    [[nodiscard]] std::size_t most_usable(const supply& have) const noexcept;
    /// What forgot one connection has forgotten those that are silent for as long.
    void close_doubtful(time_point now);

    /// How many more to open before one of those that there are has shown that the peer works with us.
    [[nodiscard]] std::size_t worth_trying(const supply& have) const noexcept;

    /// Opens connections, now or later, if what there is does not suffice.
    void plan(time_point now);

    /// For what is known to be waiting: all at once. True if there is as much as that can use.
    bool grow_for(std::size_t known, const supply& have, time_point now);

    /// One after another, for as long as what there is does not suffice: each time for so long.
    void grow_by_shortage(const supply& have, duration patience, time_point now);
    [[nodiscard]] duration round_trip() const noexcept;

    [[nodiscard]] time_point next_dial() const noexcept;
    void dial_when_due(time_point due, time_point now);
    void dispatch_at(time_point due, time_point now);

    /// False if the thread is dialling too many already: then this is told when it may.
    bool dial(time_point now);

    void on_ready(connection&) noexcept override { last_dial_error_.clear(); }
    void on_room(connection&) noexcept override { dispatch(); }
    void on_proof(connection&) noexcept override { schedule_.proven(); }
    [[nodiscard]] bool on_too_narrow(connection&) noexcept override;
    void on_sent_away(connection& which) noexcept override {
        schedule_.failed(context_.time.now(), which.dialled_at());
    }
    void on_peer_word(const peer_word& said) noexcept override { round_.tell(said); }
    void on_ticket(ticket_handle ticket) noexcept override {
        context_.where.its_ticket->keep(std::move(ticket));
    }

    void on_ended(connection& which, const connection_end& end) noexcept override;
    void note_failed_dial(const connection_end& end, time_point now);

    connection_context context_;
    std::mt19937_64 random_;
    client_round round_;
    dial_schedule schedule_;
    alarm timer_;
    time_point timer_due_{};
    std::vector<std::shared_ptr<connection>> connections_;
    std::vector<connection*> touched_;
    /// The connection that is first in a turn: each of them once, for where there is little to send.
    std::size_t turn_begins_at_ = 0;
    request scratch_;

    std::size_t narrow_ = 0;  ///< Connections that were lately replaced for what they do not take.
    time_point narrow_at_{};
    std::optional<time_point> short_since_;
    time_point short_seen_{};
    std::uint64_t dials_ = 0;
    std::uint64_t dials_failed_ = 0;
    std::string last_dial_error_;
    bool posted_ = false;
    bool dispatching_ = false;
    bool closed_ = false;
    bool waits_at_gate_ = false;
    bool forgotten_ = false;  ///< A connection did not answer its probe; the others are not looked at yet.
};

}  // namespace tocsin::http2
