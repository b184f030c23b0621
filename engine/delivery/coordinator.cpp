#include "engine/delivery/coordinator.hpp"

#include "engine/redis/error.hpp"

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
constexpr std::size_t most_running = 10'000;
constexpr std::size_t most_claimed_at_once = 64;

}  // namespace

coordinator::coordinator(
    asio::any_io_executor executor, redis::client& redis, device_store& store, const event_preparer& preparer,
    const engine_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
    assign_shard assign)
    : executor_(executor),
      ledger_(redis, store.keys(), how.instance),
      pruner_(store, ledger_, preparer.platforms(), time, log, removal_terms_of(how)),
      preparer_(preparer),
      how_(how),
      time_(time),
      log_(log),
      metrics_(metrics),
      assign_(std::move(assign)),
      board_(redis, store.keys()),
      roll_(redis, store.keys(), how.instance),
      shards_of_thread_(how.threads),
      changed_(executor, time) {}

void coordinator::announce(std::shared_ptr<active_event> event) {
    tracked entry;
    entry.event = event;
    alarm_ = alarm_ || event->content.priority == priority::critical;
    events_.insert_or_assign(event->id, std::move(entry));
    news_ = true;
    changed_.wake_all();
}

void coordinator::shard_left(const shard_ticket& which) {
    const auto of = held_.find({which.event, which.which});
    if (of == held_.end()) {
        return;
    }
    if (const auto one = of->second.find(which.entry); one != of->second.end()) {
        const held_shard& gone = one->second;
        outstanding_[{which.which, gone.urgency}][gone.thread] -= gone.pages;
        --shards_of_thread_[gone.thread];
        of->second.erase(one);
    }
    if (of->second.empty()) {
        held_.erase(of);
    }
    if (const auto found = events_.find(which.event); found != events_.end()) {
        target_state& state = found->second.targets[which.which];
        if (state.enough && !content(which.event, which.which, state)) {
            state.next_try = {};
        }
    }
    news_ = true;
    changed_.wake_all();
}

std::size_t coordinator::held(const std::string& event, const target& which) const {
    const auto found = held_.find({event, which});
    return found == held_.end() ? 0 : found->second.size();
}

std::uint32_t coordinator::pages_held(const std::string& event, const target& which) const {
    const auto found = held_.find({event, which});
    std::uint32_t pages = 0;
    if (found != held_.end()) {
        for (const auto& [entry, shard] : found->second) {
            pages += shard.pages;
        }
    }
    return pages;
}

void coordinator::hand_out(std::shared_ptr<active_event> event, const target& which, claimed_shard work) {
    const priority urgency = event->content.priority;
    const room_key room(which, urgency);
    auto& threads = outstanding_[room];
    threads.resize(how_.threads);
    const held_shard mine{least_busy(room), page_count(work.work), urgency};
    // While Redis was away the lease of what we have may have lapsed: then it comes to us as somebody else's.
    if (held_[{event->id, which}].emplace(work.entry, mine).second) {
        threads[mine.thread] += mine.pages;
        ++shards_of_thread_[mine.thread];
        assign_(mine.thread, std::move(event), which, std::move(work));
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

// Pages that threads lack of what each may have at hand. A thread that has too many makes up for no other:
// pages do not wander.
std::uint32_t coordinator::pages_wanted(const room_key& where, std::size_t pages_of_a_thread) const {
    const auto room = static_cast<std::uint32_t>(pages_of_a_thread);
    const auto found = outstanding_.find(where);
    if (found == outstanding_.end()) {
        return room * static_cast<std::uint32_t>(how_.threads);
    }
    std::uint32_t wanted = 0;
    for (const std::uint32_t pages : found->second) {
        wanted += pages < room ? room - pages : 0;
    }
    return wanted;
}

/// The thread that has least of it; of several, the one that has least of everything: small events of many
/// apps must not all go to the same.
std::size_t coordinator::least_busy(const room_key& where) const {
    const auto found = outstanding_.find(where);
    std::size_t best = 0;
    std::pair<std::uint32_t, std::uint32_t> least(UINT32_MAX, UINT32_MAX);
    for (std::size_t thread = 0; thread < shards_of_thread_.size(); ++thread) {
        const std::uint32_t pages = found == outstanding_.end() ? 0 : found->second[thread];
        const std::pair load(pages, shards_of_thread_[thread]);
        if (load < least) {
            least = load;
            best = thread;
        }
    }
    return best;
}

std::vector<std::string> coordinator::by_urgency() const {
    std::array<std::vector<std::string>, priority_count> ranks;
    for (const auto& [id, entry] : events_) {
        if (!entry.finishing && !entry.missing_since && entry.event != nullptr) {
            ranks[static_cast<std::size_t>(entry.event->content.priority)].push_back(id);
        }
    }
    std::vector<std::string> out;
    for (auto& rank : ranks) {
        if (!rank.empty()) {
            // Another one begins each time, so that all of a rank get their turn.
            std::ranges::rotate(rank, rank.begin() + static_cast<std::ptrdiff_t>(turn_ % rank.size()));
        }
        out.insert(out.end(), rank.begin(), rank.end());
    }
    return out;
}

void coordinator::set_cancelling(const std::set<std::string, std::less<>>& events) {
    for (auto& [id, entry] : events_) {
        if (entry.event != nullptr && events.contains(id) && !entry.event->cancelled.exchange(true)) {
            log_.info("event.cancelling", {{"event_id", id}});
            for (auto& [which, state] : entry.targets) {
                state.next_try = {};
            }
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

asio::awaitable<result<>> coordinator::refresh() {
    const auto engines = co_await roll_.answer(time_.wall_now());
    if (engines.has_value()) {
        engines_ = *engines;
    }  // Else the number of before is good enough.
    const auto running = co_await ledger_.running(most_running);
    if (running.has_error()) {
        co_return running.error();
    }
    for (const std::string& id : *running) {
        const auto known = events_.find(id);
        // After a reload its messages are made anew: a corrected topic or key is for it too.
        const bool current =
            known != events_.end() &&
            (known->second.finishing || known->second.event->generation == preparer_.generation());
        if (!current) {
            const auto taken_up = co_await track(id);
            if (taken_up.has_error()) {
                co_return taken_up.error();
            }
        }
    }
    const auto removed = co_await remove_overdue();
    if (removed.has_error()) {
        co_return removed.error();
    }
    co_return co_await look_for_missing(*running);
}

std::uint32_t coordinator::pages_to_claim(const std::string& id, const room_key& room) const {
    // Twice what may be in flight: the next shard is at hand when the last page of one is opened.
    const std::uint32_t wanted = pages_wanted(room, 2 * how_.pages_in_flight);
    if (wanted != 0) {
        return wanted;
    }
    // Others have all the room. Who has little gets in among them, where pages take turns.
    const auto little = static_cast<std::uint32_t>(how_.pages_in_flight);
    const std::uint32_t has = pages_held(id, room.first);
    return has < little ? std::min(little - has, pages_wanted(room, 4 * how_.pages_in_flight)) : 0;
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
        poison_(id, which, entry);
    }
    for (const std::string& entry : found.unreadable) {
        log_.error("shard.unreadable", {{"event_id", id}, {"target", to_string(which)}, {"entry", entry}});
        const auto completed = co_await ledger_.complete(id, which, entry, ledger::shard_end::aside);
        if (completed.has_error()) {
            co_return completed.error();
        }
    }
    co_return result<>();
}

asio::awaitable<result<coordinator::claim_outcome>> coordinator::claim_for(std::string id, target which) {
    auto found = events_.find(id);
    if (found == events_.end() || found->second.finishing) {
        co_return claim_outcome::nothing;
    }
    target_state& state = found->second.targets[which];
    const std::shared_ptr<active_event> event = found->second.event;
    const room_key room(which, event->content.priority);
    const std::uint32_t wanted = pages_to_claim(id, room);
    const served_app* const app = preparer_.app(which.app);
    const bool ours = app != nullptr && app->platforms.contains(which.on) && event->messages.contains(which);
    if (state.next_try > time_.now() || wanted == 0 || !ours) {
        co_return claim_outcome::nothing;
    }
    claim_terms how = terms_for(*event, wanted);
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
    after.next_try = answer->shards.size() < how.limit && !hungry_meanwhile
                         ? time_.now() + rest_after(*answer)
                         : time_.now();
    if (!answer->damaged.empty()) {
        std::string why = std::move(answer->damaged);
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
    const auto told = co_await put_aside(id, which, *answer);
    if (told.has_error()) {
        co_return told.error();
    }
    for (claimed_shard& one : answer->shards) {
        hand_out(event, which, std::move(one));
    }
    if (how.engines != 0) {
        // More of them when half of these are done, if nobody else has come for them by then.
        after.enough = answer->left_to_others == 0 ? std::nullopt : std::optional(held(id, which) / 2);
    }
    if (answer->shards.empty() && answer->open == 0 && answer->parked == 0) {
        drained(id);
    }
    co_return answer->shards.empty() ? claim_outcome::nothing : claim_outcome::some;
}

asio::awaitable<void> coordinator::run() {
    timer pause(executor_, time_);
    while (!stopping_) {
        error_code failed;
        if (time_.now() >= next_refresh_) {
            const auto refreshed = co_await refresh();
            if (refreshed.has_error()) {
                failed = refreshed.error();
            } else {
                next_refresh_ = time_.now() + refresh_period;
            }
        }
        news_ = false;
        alarm_ = false;
        bool claimed = false;
        ++turn_;
        for (const std::string& id : by_urgency()) {
            // An alert that has just come does not wait until all others have been asked after.
            if (failed || stopping_ || alarm_) {
                break;
            }
            const auto entry = events_.find(id);
            if (entry == events_.end()) {
                continue;
            }
            const std::vector<target> targets = entry->second.event->targets;
            if (targets.empty()) {
                drained(id);  // Nobody follows what it is about.
            }
            for (const target& which : targets) {
                const auto got = co_await claim_for(id, which);
                if (got.has_error() && got.error() != redis::redis_errc::damaged) {
                    failed = got.error();
                    break;
                }
                if (got.has_error()) {
                    break;  // The affair of this event alone, which is looked at again in its turn.
                }
                claimed = claimed || *got == claim_outcome::some;
            }
        }
        if (stopping_) {
            break;
        }
        if (failed) {
            log_.warning("coordinator.interrupted", {{"error", failed.message()}});
            co_await pause.wait_for(error_pause);
            continue;
        }
        if (!claimed && !news_) {
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
