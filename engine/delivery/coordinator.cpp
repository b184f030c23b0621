#include "engine/delivery/coordinator.hpp"

#include "engine/delivery/event_end.hpp"
#include "engine/redis/check.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// How often the list of running events is read, and an event that had nothing to claim is asked again:
// other engines' events, parked retries and lapsed leases are found within this time.
constexpr auto refresh_period = 1s;
constexpr auto error_pause = 250ms;
// What waits for its moment is asked after this often all the same: a clock may have been set meanwhile.
constexpr auto longest_rest = 60s;
// Between two looks at whether what is left of an event is really there.
constexpr auto audit_period = 5s;
constexpr std::size_t most_running = 10'000;
constexpr std::size_t most_claimed_at_once = 64;

refusal poison(const std::string& event, const target& which) {
    return {
        "poison_shard", "a shard of event \"" + event + "\" for " + to_string(which) +
                            " was taken up engine.max_takeovers times and none of its pages was settled: "
                            "its devices were not sent to."};
}

}  // namespace

coordinator::coordinator(
    asio::any_io_executor executor, redis::client& redis, device_store& store, dead_letters& letters,
    const event_preparer& preparer, const engine_settings& how, const time_source& time, logger& log,
    metrics_shard& metrics, shard_taker& taker)
    : executor_(executor),
      ledger_(redis, store.keys(), how.instance),
      pruner_(store, ledger_, preparer.platforms(), time, log, removal_terms_of(how)),
      letters_(letters),
      preparer_(preparer),
      how_(how),
      time_(time),
      log_(log),
      metrics_(metrics),
      taker_(taker),
      board_(redis, store.keys()),
      roll_(redis, store.keys(), how.instance),
      room_(how.threads, how.pages_in_flight),
      changed_(executor, time) {}

void coordinator::announce(std::shared_ptr<active_event> event) {
    tracked entry;
    entry.event = event;
    alarm_ = alarm_ || event->content.priority == priority::critical;
    events_.insert_or_assign(event->id, std::move(entry));
    enroll(event->id);
    news_ = true;
    changed_.wake_all();
}

void coordinator::enroll(const std::string& id) {
    const active_event& event = *events_.at(id).event;
    for (const target& which : event.targets) {
        agenda_.ask({id, which, event.content.priority}, time_.now());
    }
    if (event.targets.empty()) {
        drained(id);  // Nobody follows what it is about.
    }
}

void coordinator::shard_left(const shard_ticket& which) {
    if (!room_.left(which)) {
        return;
    }
    if (const auto found = events_.find(which.event); found != events_.end()) {
        target_state& state = found->second.targets[which.which];
        if (state.enough && !content(which.event, which.which, state)) {
            agenda_.ask({which.event, which.which, found->second.event->content.priority}, time_.now());
        }
    }
    news_ = true;
    changed_.wake_all();
}

void coordinator::hand_out(std::shared_ptr<active_event> event, const target& which, claimed_shard work) {
    // While Redis was away the lease of what we have may have lapsed: then it comes to us as somebody else's.
    const auto thread =
        room_.hand_out({event->id, which, work.entry}, event->content.priority, page_count(work.work));
    if (thread) {
        taker_.assign(*thread, std::move(event), which, std::move(work));
    }
}

void coordinator::drained(const std::string& event) {
    const auto found = events_.find(event);
    if (found == events_.end() || found->second.finishing) {
        return;
    }
    found->second.finishing = true;
    ++finishing_;
    asio::co_spawn(executor_, finish(event), asio::detached);
}

void coordinator::stop() {
    stopping_ = true;
    changed_.wake_all();
}

void coordinator::set_cancelling(const std::set<std::string, std::less<>>& events) {
    for (auto& [id, entry] : events_) {
        if (entry.event != nullptr && events.contains(id) && !entry.event->cancelled.exchange(true)) {
            log_.info("event.cancelling", {{"event_id", id}});
            enroll(id);
        }
    }
    news_ = true;
    next_refresh_ = {};  // One that was cancelled before its time is running now.
    changed_.wake_all();
}

// Thousands of notices may wait for the morning: those are not asked after every second.
duration coordinator::rest_after(const claim_answer& answer) const {
    if (!answer.rests_until) {
        return refresh_period;
    }
    const auto left = *answer.rests_until - refresh_period - time_.wall_now();
    return std::clamp<duration>(left, refresh_period, longest_rest);
}

bool coordinator::goes_on(const result<>& of_one, result<>& first) {
    if (of_one.has_error() && first.has_value()) {
        first = of_one;
    }
    return of_one.has_value() || redis::may_be_the_keys(of_one.error());
}

asio::awaitable<result<>> coordinator::refresh() {
    const auto engines = co_await roll_.answer(time_.wall_now());
    if (engines.has_value()) {
        engines_ = *engines;
    }  // Else the number of before is good enough.
    const auto running = co_await ledger_.running(most_running);
    if (running.has_error()) {
        co_return running.error();
    }
    result<> first;
    for (const std::string& id : *running) {
        const auto known = events_.find(id);
        // After a reload its messages are made anew: a corrected topic or key is for it too.
        const bool current =
            known != events_.end() &&
            (known->second.finishing || known->second.event->generation == preparer_.generation());
        if (!current) {
            const auto taken_up = co_await track(id);
            if (!goes_on(taken_up, first)) {
                co_return first;
            }
        }
    }
    const auto removed = co_await remove_overdue();
    if (goes_on(removed, first)) {
        const auto looked = co_await look_for_missing(*running);
        static_cast<void>(goes_on(looked, first));
    }
    co_return first;
}

claim_agenda::room coordinator::room_for(const claim_agenda::place& who) const {
    const shard_room::kind of(who.which, who.urgency);
    if (room_.is_full(of)) {
        return claim_agenda::room::none;
    }
    return room_.pages_to_claim(who.event, of) == 0 ? claim_agenda::room::none_for_it
                                                    : claim_agenda::room::some;
}

claim_terms coordinator::terms_for(const active_event& event, std::uint32_t pages) const {
    claim_terms out;
    out.limit = std::clamp<std::size_t>(
        pages / shard_size(event.pages_planned / static_cast<std::uint32_t>(event.targets.size())), 1,
        most_claimed_at_once);
    out.lease = how_.lease;
    out.most_takeovers = how_.max_takeovers;
    out.ahead = refresh_period;
    return out;
}

/// Shards that nobody can work on, for what is in them or for what comes of it.
asio::awaitable<result<>> coordinator::put_aside(
    const std::string& id, const target& which, const claim_answer& found) {
    for (const std::string& entry : found.poison) {
        log_.error("shard.poison", {{"event_id", id}, {"target", to_string(which)}, {"entry", entry}});
        refusal why = poison(id, which);
        std::string stream = ledger_.keys().shards(id, to_string(which));
        const auto posted = co_await letters_.post(std::move(stream), entry, std::move(why), std::string());
        if (posted.has_error()) {
            log_.warning("letter.not_posted", {{"error", posted.error().message()}});
        }
    }
    for (const std::string& entry : found.unreadable) {
        log_.error("shard.unreadable", {{"event_id", id}, {"target", to_string(which)}, {"entry", entry}});
        const auto completed = co_await ledger_.put_aside(id, which, entry);
        if (completed.has_error()) {
            co_return completed.error();
        }
    }
    co_return result<>();
}

asio::awaitable<result<coordinator::claim_outcome>> coordinator::claim_for(claim_agenda::place who) {
    const auto& [id, which, urgency] = who;
    auto found = events_.find(id);
    if (found == events_.end() || found->second.finishing || found->second.missing_since) {
        co_return claim_outcome::nothing;
    }
    target_state& state = found->second.targets[which];
    const std::shared_ptr<active_event> event = found->second.event;
    const served_app* const app = preparer_.app(which.app);
    if (app == nullptr || !app->platforms.contains(which.on) || !event->messages.contains(which)) {
        co_return claim_outcome::nothing;  // Another engine's, until the configuration is another one.
    }
    agenda_.ask(who, time_.now());
    claim_terms how = terms_for(*event, room_.pages_to_claim(id, {which, urgency}));
    how.own = !state.met;
    how.engines = content(id, which, state) ? 0 : engines_;
    auto answer = co_await ledger_.claim(id, which, how, time_.wall_now());
    if (answer.has_error()) {
        co_return answer.error();
    }
    found = events_.find(id);
    if (found == events_.end()) {
        co_return claim_outcome::nothing;  // Cannot be: whoever erases it has seen that it is over.
    }
    target_state& after = found->second.targets[which];
    after.met = true;
    const bool hungry_meanwhile = how.engines == 0 && !content(id, which, after);
    if (answer->shards.size() < how.limit && !hungry_meanwhile) {
        agenda_.ask(who, time_.now() + rest_after(*answer));
    }
    if (!answer->damaged.empty() || answer->state == event_state::scheduled) {
        std::string why = answer->damaged.empty() ? std::string(not_begun) : std::move(answer->damaged);
        const auto ended = co_await give_up(id, std::move(why));
        co_return ended.has_error() ? result<claim_outcome>(ended.error()) : claim_outcome::nothing;
    }
    if (answer->state == event_state::none) {
        found->second.missing_since = time_.now();
        co_return claim_outcome::nothing;
    }
    if (answer->state == event_state::cancelling) {
        event->cancelled.store(true, std::memory_order_relaxed);
    }
    for (claimed_shard& one : answer->shards) {
        hand_out(event, which, std::move(one));
    }
    if (how.engines != 0) {
        // More of them when half of these are done, if nobody else has come for them by then.
        after.enough = answer->left_to_others == 0 ? std::nullopt : std::optional(room_.held(id, which) / 2);
    }
    // Last: what was claimed with these is in hand by now, whatever becomes of them.
    const auto told = co_await put_aside(id, which, *answer);
    if (told.has_error()) {
        co_return told.error();
    }
    if (!answer->shards.empty()) {
        co_return claim_outcome::some;
    }
    const auto looked = co_await look_for_the_rest(event, *answer);
    co_return looked.has_error() ? result<claim_outcome>(looked.error()) : claim_outcome::nothing;
}

asio::awaitable<result<>> coordinator::look_for_the_rest(
    std::shared_ptr<active_event> event, const claim_answer& claimed) {
    if (claimed.open == 0 && claimed.parked == 0) {
        drained(event->id);
        co_return result<>();
    }
    const auto found = events_.find(event->id);
    if (found == events_.end() || time_.now() < found->second.next_audit) {
        co_return result<>();
    }
    found->second.next_audit = time_.now() + audit_period;
    co_return co_await ledger_.audit(event->id, event->targets);
}

asio::awaitable<result<coordinator::claim_outcome>> coordinator::claim_in_turn() {
    const claim_agenda::room_for look = [this](const claim_agenda::place& who) { return room_for(who); };
    claim_outcome out = claim_outcome::nothing;
    news_ = false;
    alarm_ = false;
    agenda_.begin_turn(time_.now());
    // An alert that has just come does not wait until all others have been asked after.
    while (!stopping_ && !alarm_) {
        auto next = agenda_.next(look);
        if (!next) {
            break;
        }
        claim_agenda::place who = *next;
        const auto got = co_await claim_for(std::move(*next));
        if (got.has_error() && !redis::may_be_the_keys(got.error())) {
            co_return got.error();
        }
        if (got.has_error()) {
            log_.warning("event.not_claimed", {{"event_id", who.event}, {"error", got.error().message()}});
            agenda_.ask(std::move(who), time_.now() + refresh_period);
        }
        if (got.has_value() && *got == claim_outcome::some) {
            out = claim_outcome::some;
        }
    }
    co_return out;
}

asio::awaitable<void> coordinator::run() {
    timer pause(executor_, time_);
    while (!stopping_) {
        result<claim_outcome> claimed = claim_outcome::nothing;
        if (time_.now() >= next_refresh_) {
            const auto refreshed = co_await refresh();
            if (refreshed.has_error() && !redis::may_be_the_keys(refreshed.error())) {
                claimed = refreshed.error();
            } else {
                next_refresh_ = time_.now() + refresh_period;
                if (refreshed.has_error()) {
                    log_.warning("coordinator.interrupted", {{"error", refreshed.error().message()}});
                }
            }
        }
        if (claimed.has_value()) {
            claimed = co_await claim_in_turn();
        }
        if (stopping_) {
            break;
        }
        if (claimed.has_error()) {
            log_.warning("coordinator.interrupted", {{"error", claimed.error().message()}});
            co_await pause.wait_for(error_pause);
            continue;
        }
        if (*claimed == claim_outcome::nothing && !news_) {
            co_await changed_.wait_until(std::min(next_refresh_, time_.now() + refresh_period));
        }
    }
    while (finishing_ != 0) {
        co_await changed_.wait_until(time_.now() + 100ms);
    }
    // If this fails, it is forgotten a little later.
    co_await roll_.leave();
}

}  // namespace tocsin
