#include "providers/http2/growth.hpp"
#include "providers/http2/pool_implementation.hpp"

#include <algorithm>
#include <chrono>

// How many connections there are: when one is opened, and what follows from its end.

namespace tocsin::http2 {
namespace {

using std::chrono::milliseconds;

// Of work that is known, the rest of a small event is sent by then.
constexpr int rounds_of_shortage = 2;
constexpr milliseconds assumed_round_trip(50);
// A moment between two writes in which streams are free does not end a shortage.
constexpr milliseconds shortage_memory(10);
// The one request that decides may be answered late, or never: another connection may lead to who answers.
constexpr milliseconds patience_with_a_trial(5'000);
// Connections that are opened together before one of them has shown that the peer works with us: in an
// outage, all of them are for nothing.
constexpr std::size_t most_unproven = 16;
// Connections there may be in all, those that drain included, in multiples of what may be in use.
constexpr std::size_t drained_times_most = 2;
// What one server says that it takes, another need not say. If several do, it is the request.
constexpr std::size_t most_narrow = 2;
constexpr std::chrono::minutes until_tried_again(1);

}  // namespace

pool::implementation::supply pool::implementation::what_there_is(time_point now) const noexcept {
    supply out;
    for (const auto& each : connections_) {
        switch (each->state()) {
            case connection::phase::dialling:
            case connection::phase::greeting: ++out.connecting; break;
            case connection::phase::ready: {
                if (each->probing() || each->doubtful(now)) {
                    ++out.doubts;
                    out.probing = out.probing || each->probing();
                    out.doubtful = each->probing() ? out.doubtful : each.get();
                    break;
                }
                ++out.usable;
                out.all_saturated = out.all_saturated && each->saturated();
                out.all_on_trial = out.all_on_trial && each->on_trial(now);
                const std::size_t streams = each->streams(now);
                out.streams += streams;
                out.opened_up += streams == 0 ? 0 : 1;
                break;
            }
            case connection::phase::draining: ++out.draining; break;
            case connection::phase::closed: continue;
        }
        out.unproven += each->proven() ? 0 : 1;
    }
    return out;
}

std::size_t pool::implementation::worth_trying(const supply& have) const noexcept {
    const std::size_t more = most_unproven - std::min(most_unproven, have.unproven);
    return have.usable + have.connecting + have.doubts == 0 ? std::max<std::size_t>(1, more) : more;
}

std::size_t pool::implementation::most_usable(const supply& have) const noexcept {
    const std::size_t all = context_.policy.max_connections;
    if (all > have.draining) {
        return all - have.draining;
    }
    // What drains takes nothing new. One more at a time is no crowd; but there is an end to that, too.
    return have.draining < drained_times_most * all ? 1 : 0;
}

void pool::implementation::plan(time_point now) {
    if (closed_) {
        return;
    }
    const std::size_t known = round_.backlog(work_horizon);
    if (known == 0 && !round_.anybody_ready()) {
        short_since_.reset();
        return;
    }
    const supply have = what_there_is(now);
    if (have.doubtful != nullptr && !have.probing && (have.usable == 0 || have.all_saturated)) {
        have.doubtful->probe(now);
    }
    duration patience = dial_schedule::growth_delay(have.usable);
    if (have.all_on_trial && have.usable != 0) {
        patience = patience_with_a_trial;
    }
    const bool enough = known == 0 || grow_for(known, have, now);
    if (!enough) {
        short_since_.reset();
    } else if (have.doubts != 0) {
        // The answer of the one that is probed decides, or its end.
    } else if (known == 0) {
        grow_by_shortage(have, patience, now);
    } else {
        // What comes and comes in small pieces shows only in streams that are never free.
        grow_by_shortage(have, std::max<duration>(patience, rounds_of_shortage * round_trip()), now);
    }
}

void pool::implementation::close_doubtful(time_point now) {
    const auto open = connections_;
    for (const auto& each : open) {
        if (each->doubtful(now)) {
            each->close();
        }
    }
}

duration pool::implementation::round_trip() const noexcept {
    const duration measured = context_.rounds->pace().round_trip();
    return measured == duration{} ? assumed_round_trip : measured;
}

bool pool::implementation::grow_for(std::size_t known, const supply& have, time_point now) {
    demand what;
    what.known = known;
    what.urgent = round_.anybody_urgent();
    what.streams_of_one = have.opened_up == 0 ? context_.policy.stream_cap : have.streams / have.opened_up;
    what.round_trip = context_.rounds->pace().round_trip();
    // One that is asked whether it is still there mostly is.
    const std::size_t before = have.usable + have.connecting + have.doubts;
    const std::size_t wanted =
        std::min({connections_for(what), most_usable(have), before + worth_trying(have)});
    std::size_t there = before;
    while (there < wanted && schedule_.may_open_many(now)) {
        if (!dial(now)) {
            return false;
        }
        ++there;
    }
    if (there != before || have.connecting != 0) {
        return false;
    }
    if (there < wanted) {
        dial_when_due(next_dial(), now);
    }
    return there >= wanted;
}

void pool::implementation::grow_by_shortage(const supply& have, duration patience, time_point now) {
    if (have.connecting != 0 || have.usable >= most_usable(have) || worth_trying(have) == 0) {
        return;
    }
    time_point due = next_dial();
    if (have.usable != 0) {
        if (have.all_saturated) {
            short_since_ = short_since_.value_or(now);
            short_seen_ = now;
        } else if (now - short_seen_ > shortage_memory) {
            short_since_.reset();
        }
        if (!short_since_) {
            return;
        }
        due = std::max(due, *short_since_ + patience);
    }
    if (now < due || have.usable == 0 || have.all_saturated) {
        dial_when_due(due, now);
    }
}

time_point pool::implementation::next_dial() const noexcept {
    return round_.anybody_urgent() ? schedule_.earliest_urgent() : schedule_.earliest();
}

void pool::implementation::dial_when_due(time_point due, time_point now) {
    if (now < due) {
        dispatch_at(due, now);
    } else {
        static_cast<void>(dial(now));
    }
}

void pool::implementation::dispatch_at(time_point due, time_point now) {
    if (timer_due_ <= due && timer_due_ > now) {
        return;
    }
    timer_due_ = due;
    timer_.set(due, [self = shared_from_this()] {
        self->timer_due_ = {};
        self->dispatch();
    });
}

bool pool::implementation::dial(time_point now) {
    if (waits_at_gate_) {
        return false;
    }
    auto pass = context_.dials->enter(context_.where.host, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->waits_at_gate_ = false;
            self->dispatch_soon();
        }
    });
    if (pass == nullptr) {
        waits_at_gate_ = true;
        return false;
    }
    short_since_.reset();
    schedule_.dialled(now);
    ++dials_;
    connection_owner& owner = *this;
    connections_.push_back(std::make_shared<connection>(context_, connection::next_id(), owner, random_()));
    // Should the ticket be why the last one failed, this one does without: others may have renewed it.
    SSL_SESSION* const ticket = last_dial_error_.empty() ? context_.where.its_ticket->get() : nullptr;
    connections_.back()->start(ticket, std::move(pass));
    return true;
}

bool pool::implementation::on_too_narrow(connection&) noexcept {
    const time_point now = context_.time.now();
    if (narrow_ != 0 && now - narrow_at_ >= until_tried_again) {
        narrow_ = 0;
    }
    if (narrow_ == most_narrow) {
        return false;
    }
    ++narrow_;
    narrow_at_ = now;
    return true;
}

void pool::implementation::on_ended(connection& which, const connection_end& end) noexcept {
    const time_point now = context_.time.now();
    if (closed_) {
        // Our own doing: says nothing about the peer.
    } else if (end.was_ready) {
        if (end.in_vain) {
            schedule_.failed(now, end.dialled_at);
        }
    } else {
        note_failed_dial(end, now);
        round_.tell_dial_failed(end.detail);
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

void pool::implementation::note_failed_dial(const connection_end& end, time_point now) {
    const std::string& problem = end.problem;
    schedule_.failed(now, end.dialled_at);
    ++dials_failed_;
    context_.where.its_ticket->drop();
    if (problem != last_dial_error_) {  // Once per change, not once per attempt.
        last_dial_error_ = problem;
        context_.log.warning(
            "http2.dial_failed",
            {{"host", context_.where.host}, {"port", context_.where.port}, {"problem", problem}});
    }
}

}  // namespace tocsin::http2
