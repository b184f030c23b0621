#include "engine/delivery/target_sender.hpp"

#include <algorithm>
#include <utility>

// The way of a page: read, put into the lane, settled, early if it has to be.

namespace tocsin {
namespace {

namespace asio = boost::asio;

// An engine that is a little slow is not taken for dead.
constexpr std::chrono::milliseconds late_margin{5'000};

/// Places that the pages of a single event may have. Of a few, all.
constexpr std::size_t places_of_one(std::size_t all) noexcept {
    return all < 4 ? all : all - 1;
}

/// What a late page counts for, in devices: a small one is some memory and work, too.
std::size_t size_of_late(const page& what) noexcept {
    constexpr std::size_t least = devices_per_page / 8;
    return std::clamp(what.size(), least, devices_per_page);
}

}  // namespace

asio::awaitable<void> target_sender::feed() {
    while (!stopping_) {
        // An alert finds room of its own, however much of other things is on its way.
        const bool room = has_room(loads_[0]);
        const bool critical_room = has_room(loads_[1]);
        const auto priority_has_room = [&](priority urgency) {
            return urgency == priority::critical ? critical_room : room && line_.hungry(urgency);
        };
        const shard_queue::choice chosen = shards_.take(
            here_.time.wall_now(), priority_has_room,
            [this](const active_shard& from) { return may_open_page_of(*from.event); });
        if (chosen.shard == nullptr) {
            time_point until = time_point::max();
            if (chosen.due != wall_time::max()) {
                until = here_.time.now() + (chosen.due - here_.time.wall_now());
            }
            co_await more_.wait_until(until);
            continue;
        }
        co_await read_page(chosen.shard);
        if (!chosen.shard->exhausted()) {
            shards_.push(chosen.shard);
        }
    }
}

/// Whether one more page may be opened. Pages that only wait for late answers are asked to make room.
bool target_sender::has_room(load& of) {
    const bool room = of.in_doubt() < here_.how.pages_in_flight;
    if (of.in_doubt() >= places_of_one(here_.how.pages_in_flight) && !shards_.empty()) {
        for (const auto& [key, open] : open_) {
            if (&load_of(open->what.event()) == &of && open->what.nearly_done()) {
                open->in_the_way = true;
                open->news.notify_all();
            }
        }
    }
    return room;
}

/// The last place is for an event that has none: should the tokens of one town pause the lane, a probe of
/// another event can end that.
bool target_sender::may_open_page_of(const active_event& event) noexcept {
    if (load_of(event).in_doubt() < places_of_one(here_.how.pages_in_flight)) {
        return true;
    }
    return std::ranges::none_of(
        open_, [&event](const auto& named) { return &named.second->what.event() == &event; });
}

asio::awaitable<void> target_sender::read_page(std::shared_ptr<active_shard> from) {
    auto opened = std::make_unique<open_page>(from, here_);
    page& what = opened->what;
    const std::size_t guessed = devices_guessed(from->work, from->next);
    line_.begin_reading(what, here_.time.now());
    auto got = co_await here_.pages.read(*from);
    if (got.has_value()) {
        fill(what, *got);
    }
    line_.end_reading(here_.time.now());
    if (got.has_error()) {
        co_await here_.pages.pause_after_error("page.read_failed", got.error());
        co_return;
    }
    ++from->next;
    const std::size_t read = std::min(from->unread, from->exhausted() ? from->unread : guessed);
    from->unread -= read;
    line_.count_unread(0, read);
    line_.count_found(guessed, what.size());
    for (const std::string& token : got->gone) {
        forget(token);
    }
    if (got->state == page_state::settled) {
        co_await page_over(from, {});
    } else {
        start(std::move(opened));
    }
}

void target_sender::fill(page& what, page_reading& got) {
    active_shard& from = *what.from();
    if (got.state == page_state::settled) {
        return;
    }
    if (!from.work.names_devices()) {
        what.fill(
            std::move(got.devices), page_reading::first_bucket, got.runs,
            here_.platforms[which_.on].beginnings(), from.content.get());
    } else {
        if (!from.work.hashed.empty()) {
            from.work.devices = std::move(got.known);
        }
        what.note_damaged(got.damaged);
        what.fill_listed(from.content.get());
    }
    if (what.damaged() != 0) {
        here_.log.error(
            "roster.damaged",
            {{"event_id", from.event->id}, {"target", to_string(which_)}, {"unreadable", what.damaged()}});
    }
    if (what.unread_entries() != 0) {
        here_.log.error(
            "roster.malformed_entries", {{"event_id", from.event->id},
                                         {"target", to_string(which_)},
                                         {"entries", what.unread_entries()}});
    }
}

void target_sender::start(std::unique_ptr<open_page> opened) {
    open_page& mine = *opened;
    page& what = mine.what;
    const active_event& event = what.event();
    open_.emplace(&what, std::move(opened));
    ++load_of(event).pages;
    here_.metrics.counter(metric::pages_total, {which_.app, to_string(which_.on)}).add(1);
    count(outcome::muted, what.count(outcome::muted));
    if (ends_unsent(what)) {
        page_done(what);
    } else {
        const auto at = [this](wall_time when) { return here_.time.now() + (when - here_.time.wall_now()); };
        if (const auto spaced = event.when.span_of(what.number())) {
            line_.add_spread(what, at(spaced->from), at(spaced->until));
        } else {
            line_.add(what, event.content.priority);
        }
        channels_.wake();
        look_.wake_all();
    }
    tasks_.spawn(see_through(mine));
}

/// Ends the pushes that the provider is not asked about.
bool target_sender::ends_unsent(page& what) {
    const active_event& event = what.event();
    if (what.pushes().empty()) {
        return true;
    }
    if (event.content.skips_provider(which_.on)) {
        const auto latency = here_.time.wall_now() - event.accepted_at;
        for (push& item : what.pushes()) {
            what.accept(item, latency);
        }
        count(outcome::accepted, what.size());
        return true;
    }
    if (what.pushes().front().content == nullptr) {
        what.finish_all(outcome::failed);
        what.count_reason("NoProvider");
        count(outcome::failed, what.size());
        return true;
    }
    return false;
}

/// Until the last answer of a page has come and is written down.
asio::awaitable<void> target_sender::see_through(open_page& mine) {
    page& what = mine.what;
    const std::shared_ptr<active_shard> from = what.from();
    while (!what.done()) {
        const bool makes_room =
            std::exchange(mine.in_the_way, false) && what.nearly_done() && late_fits(what);
        if (makes_room) {
            page_settlement so_far = settle_early(what);
            const page_ending ended = co_await here_.pages.write(*from->event, std::move(so_far));
            co_await page_over(from, ended);
        } else {
            co_await mine.news.wait();
        }
    }
    const bool amends = what.late();
    page_settlement rest = close(what);
    const page_ending ended = co_await here_.pages.write(*from->event, std::move(rest));
    if (!amends) {
        co_await page_over(from, ended);
    } else if (ended.drained) {
        here_.listener.event_drained(from->event->id);
    }
}

/// Memory holds twice as many late pages as may be open, and of small ones more.
bool target_sender::late_fits(const page& what) noexcept {
    return load_of(what.event()).late_size + size_of_late(what) <=
           2 * here_.how.pages_in_flight * devices_per_page;
}

// Room is made no sooner than the page is settled: whoever is woken here opens the page that takes its place
// behind the settlement, on the same connection. So Redis has never more pages open than the bound says,
// however late it reads, and whoever dies meanwhile.

page_settlement target_sender::settle_early(page& what) {
    line_.close_account(what, here_.time.now());
    page_settlement out = what.settle_early(late_until());
    load& of = load_of(what.event());
    --of.pages;
    of.late_size += size_of_late(what);
    of.late_devices += what.named();
    more_.wake_all();
    return out;
}

/// The end of a page, whose memory is free from here on: its sums are in the settlement.
page_settlement target_sender::close(page& what) {
    load& of = load_of(what.event());
    page_settlement out;
    if (what.late()) {
        of.late_size -= size_of_late(what);
        of.late_devices -= what.named();
        out = what.amendment();
    } else {
        --of.pages;
        out = what.settlement();
    }
    more_.wake_all();
    open_.erase(&what);
    return out;
}

wall_time target_sender::late_until() const {
    // From one renewal to the next, and a while.
    return here_.time.wall_now() + here_.how.lease / 3 + late_margin;
}

/// A page is settled, and Redis has said so. The shard leaves with the last of them: what is still on its way
/// to Redis must find it there.
asio::awaitable<void> target_sender::page_over(std::shared_ptr<active_shard> from, page_ending ended) {
    const bool last = ++from->written == from->pages;
    if (last && !ended.shard_done) {
        const page_ending left = co_await here_.pages.leave(*from);
        ended.drained = ended.drained || left.drained;
    }
    if (last) {
        shard_left(*from);
    }
    if (ended.drained) {
        here_.listener.event_drained(from->event->id);
    }
}

void target_sender::shard_left(const active_shard& which) {
    shard_ticket ticket{which.event->id, which_, which.entry};
    std::erase_if(held_, [&which](const auto& held) { return held.get() == &which; });
    here_.listener.shard_left(std::move(ticket));
}

void target_sender::count(outcome how, std::size_t pushes) {
    if (pushes != 0) {
        here_.metrics.counter(metric::pushes_total, {which_.app, to_string(which_.on), to_string(how)})
            .add(pushes);
    }
}

}  // namespace tocsin
