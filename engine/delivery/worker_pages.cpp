#include "engine/delivery/lane_runner.hpp"
#include "engine/delivery/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

// The way of a page through a worker: read, put into its lane, settled, early if it has to be.

namespace tocsin {
namespace {

namespace asio = boost::asio;

// An engine that is a little slow is not taken for dead.
constexpr std::chrono::milliseconds late_margin{5'000};

}  // namespace

asio::awaitable<void> worker::feed(std::shared_ptr<lane_runner> runner) {
    const busy_scope here(*this);
    while (!stopping_ && !runner->retired) {
        // An alert finds room of its own, however much of other things is on its way.
        const bool room = has_room(*runner, false);
        const bool critical_room = has_room(*runner, true);
        const shard_queue::choice chosen = runner->shards.take(time_.wall_now(), [&](priority urgency) {
            return urgency == priority::critical ? critical_room : room && runner->line.hungry(urgency);
        });
        const std::shared_ptr<active_shard>& next = chosen.shard;
        if (next == nullptr) {
            time_point until = time_point::max();
            if (chosen.due != wall_time::max()) {
                until = time_.now() + (chosen.due - time_.wall_now());
            }
            co_await runner->changed.wait_until(until);
            continue;
        }
        const bool read = co_await open_page(*runner, next);
        if (!read) {
            next->abandoned = next->abandoned || stopping_;
        }
        if (!next->exhausted()) {
            runner->shards.push(next);
        }
    }
    runner->retired = true;
}

/// Whether one more page may be opened. Pages that only wait for late answers make room.
bool worker::has_room(lane_runner& runner, bool critical) {
    lane_runner::load& load = runner.loads[critical ? 1 : 0];
    if (load.in_doubt() >= how_.pages_in_flight && !runner.shards.empty()) {
        std::vector<page*> nearly_done;
        for (const auto& [key, open] : open_) {
            if (open->from()->which == runner.line.which() && open->nearly_done() &&
                &runner.load_of(open->event()) == &load) {
                nearly_done.push_back(open.get());
            }
        }
        for (page* const one : nearly_done) {
            if (load.late_pages < 2 * how_.pages_in_flight) {
                settle_early(runner, *one);
            }
        }
    }
    return load.in_doubt() < how_.pages_in_flight;
}

asio::awaitable<bool> worker::open_page(lane_runner& runner, std::shared_ptr<active_shard> from) {
    const busy_scope here(*this);
    auto what = std::make_unique<page>(from, from->next, time_.now());
    const std::size_t guessed = devices_guessed(from->work, from->next);
    runner.line.begin_reading(*what, time_.now());
    const auto got = co_await desk_.read(*what);
    runner.line.end_reading(time_.now());
    if (got.has_error()) {
        co_await desk_.pause_after_error("page.read_failed", got.error());
        co_return false;
    }
    count_read(runner, *from, from->next == from->pages ? from->unread : guessed);
    runner.line.count_found(guessed, what->pushes().size());
    for (const std::string& token : got->gone) {
        runner.line.forget(token, time_.now());
    }
    if (!got->settled) {
        start_page(runner, std::move(what));
    }
    if (got->shard_done) {
        shard_finished(*from);
    }
    if (got->drained) {
        events_.event_drained(from->event->id);
    }
    co_return true;
}

void worker::count_read(lane_runner& runner, active_shard& from, std::size_t devices) noexcept {
    const std::size_t fewer = std::min(from.unread, devices);
    from.unread -= fewer;
    runner.line.count_unread(0, fewer);
}

void worker::start_page(lane_runner& runner, std::unique_ptr<page> what) {
    page& open = *what;
    active_event& event = open.event();
    ++runner.load_of(event).pages;
    metrics_.counter(metric::pages_total, {runner.line.which().app, to_string(runner.line.which().on)})
        .add(1);
    open_.emplace(&open, std::move(what));
    if (open.pushes().empty()) {
        page_done(open);
        return;
    }
    if (event.content.skips_provider(runner.line.which().on)) {
        const auto latency = time_.wall_now() - event.accepted_at;
        for (push& item : open.pushes()) {
            open.accept(item, latency);
        }
        count_ended(runner.line.which(), outcome::accepted, open.pushes().size());
        page_done(open);
        return;
    }
    if (open.pushes().front().content == nullptr) {
        for (push& item : open.pushes()) {
            open.finish(item, outcome::failed);
        }
        count_ended(runner.line.which(), outcome::failed, open.pushes().size());
        open.count_reason("NoProvider");
        page_done(open);
        return;
    }
    if (const auto spaced = event.when.span_of(open.number())) {
        const auto at = [this](wall_time when) { return time_.now() + (when - time_.wall_now()); };
        runner.line.add_spread(open, at(spaced->from), at(spaced->until));
    } else {
        runner.line.add(open, event.content.priority);
    }
    runner.wake();
    runner.look.wake_all();
}

void worker::count_ended(const target& which, outcome how, std::size_t amount) {
    metrics_.counter(metric::pushes_total, {which.app, to_string(which.on), to_string(how)}).add(amount);
}

void worker::page_done(page& what) {
    if (what.late() && !what.written()) {
        return;  // write_early() comes back to it.
    }
    // Called from the depths of a connection: leave it before anything else happens.
    const auto found = open_.find(&what);
    std::unique_ptr<page> owned = std::move(found->second);
    open_.erase(found);
    lane_runner& runner = *lanes_.at(what.from()->which);
    runner.line.close_account(what, time_.now());
    ++*busy_;
    asio::post(executor_, [this, page_to_settle = std::move(owned)]() mutable {
        make_room_for_another(*page_to_settle);
        asio::co_spawn(executor_, settle(std::move(page_to_settle)), asio::detached);
    });
}

// No sooner than the page is settled: the one that takes its place is opened behind its settlement, on the
// same connection. So Redis has never more pages open than the bound says, however late it reads, and whoever
// dies meanwhile.
void worker::make_room_for_another(const page& what) {
    lane_runner& runner = *lanes_.at(what.from()->which);
    lane_runner::load& load = runner.load_of(what.event());
    if (what.late()) {
        --load.late_pages;
        load.late_devices -= what.named();
    } else {
        --load.pages;
    }
    runner.changed.wake_all();
}

asio::awaitable<void> worker::settle(std::unique_ptr<page> what) {
    const std::shared_ptr<active_shard> from = what->from();
    page_ending ended;
    if (what->late()) {
        page_settlement amendment = what->amendment();
        what.reset();
        ended = co_await desk_.amend(from, std::move(amendment));
    } else {
        ended = co_await desk_.settle(std::move(what));
    }
    tell_ending(*from, ended);
    --*busy_;
}

void worker::settle_early(lane_runner& runner, page& what) {
    lane_runner::load& load = runner.load_of(what.event());
    runner.line.close_account(what, time_.now());
    const std::shared_ptr<active_shard>& from = what.from();
    ++from->settled;
    page_settlement settlement =
        what.settle_early(from->settled == from->pages, time_.wall_now() + late_lease());
    --load.pages;
    ++load.late_pages;
    load.late_devices += what.named();
    ++*busy_;
    asio::co_spawn(executor_, write_early(what, std::move(settlement)), asio::detached);
}

/// From one renewal to the next, and a while.
std::chrono::milliseconds worker::late_lease() const {
    return how_.lease / 3 + late_margin;
}

asio::awaitable<void> worker::write_early(page& what, page_settlement settlement) {
    const std::shared_ptr<active_shard> from = what.from();
    const page_ending ended = co_await desk_.settle_early(from, std::move(settlement));
    what.note_written();
    tell_ending(*from, ended);
    if (what.done()) {
        page_done(what);
    }
    --*busy_;
}

void worker::tell_ending(const active_shard& from, const page_ending& ended) {
    if (ended.shard_done) {
        shard_finished(from);
    }
    if (ended.drained) {
        events_.event_drained(from.event->id);
    }
}

}  // namespace tocsin
