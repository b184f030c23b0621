#include "engine/delivery/page_io.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/runtime/timer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// After Redis has failed: long enough not to hammer it, short enough not to be noticed.
constexpr auto error_pause = 200ms;

/// What is wrong with the reading, but for buckets that hold something else: others are sent to all the same.
std::optional<std::string> first_objection(const redis::replies& read, std::size_t wanted) {
    for (std::size_t i = 0; i < wanted; ++i) {
        if (!read[i].is_error()) {
            continue;
        }
        std::string text(read[i].text());
        if (i < page_reading::first_bucket || redis::code_for(text) != redis::redis_errc::damaged) {
            return text;
        }
    }
    return std::nullopt;
}

}  // namespace

asio::awaitable<result<page_reading>> page_io::read(const active_shard& from) {
    page_reading out;
    result<> known;
    if (!from.work.hashed.empty()) {
        known = co_await find_hashed(from, out);
    } else if (!from.work.devices.empty()) {
        known = co_await find_gone(from, out);
    }
    if (known.has_error()) {
        co_return known.error();
    }
    const std::string& event = from.event->id;
    redis::request ask;
    // In the same pipeline, so that it costs no round trip: from now on this page may have been sent.
    ask_to_open(ask, ledger_.keys(), event, from.work.first_page + from.next);
    out.runs = runs_of_page(from.work, from.next);
    ask_for_devices(ask, ledger_.keys(), from.which, out.runs);
    const std::size_t wanted = ask.count();
    const auto asked = replicas_.ask(ask, ledger_.keys().opened(event), time_.now());
    auto answer = co_await ledger_.connection().execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    if (const auto refused = first_objection(*answer, wanted)) {
        co_return redis::code_for(*refused);
    }
    known = co_await wait_for_replica(*from.event, replicas_.read(asked, *answer, wanted, time_.now()));
    if (known.has_error()) {
        co_return known.error();
    }
    out.state = read_opening(answer->front());
    out.devices = std::move(*answer);
    co_return out;
}

asio::awaitable<page_ending> page_io::leave(const active_shard& from) {
    // If this fails, the shard is found again when its lease has lapsed.
    const auto left =
        co_await ledger_.leave(from.event->id, from.which, from.entry, from.work.first_page, from.pages);
    page_ending out;
    out.drained = left.has_value() && *left == remaining_work::none;
    co_return out;
}

asio::awaitable<result<>> page_io::wait_for_replica(
    const active_event& event, redis::replica_watch::answer so_far) {
    if (so_far == redis::replica_watch::answer::owed) {
        const auto answer =
            co_await ledger_.connection().execute(replicas_.wait_for(ledger_.keys().opened(event.id)));
        if (answer.has_error()) {
            co_return answer.error();
        }
        so_far = replicas_.read_wait(answer->front(), time_.now());
    }
    if (so_far == redis::replica_watch::answer::lost) {
        co_return redis::redis_errc::connection_lost;
    }
    if (so_far == redis::replica_watch::answer::behind && time_.now() >= next_warning_) {
        next_warning_ = time_.now() + 60s;
        log_.warning(
            "redis.replica_behind",
            {{"event_id", event.id}, {"meaning", "a failover now may repeat pushes without counting them"}});
    }
    co_return result<>();
}

asio::awaitable<result<>> page_io::find_gone(const active_shard& from, page_reading& into) {
    // A device that a selector named and that never registered has an empty entry, and stays.
    static const std::string never_registered = encode_roster_entry(device{});
    std::vector<std::string> tokens;
    for (const listed_device& one : from.work.devices) {
        tokens.push_back(one.token);
    }
    const auto known = co_await store_.registered(from.which.app, from.which.on, std::move(tokens));
    if (known.has_error() && known.error() == redis::redis_errc::damaged) {
        co_return result<>();  // Nobody is known to have left.
    }
    if (known.has_error()) {
        co_return known.error();
    }
    for (std::size_t i = 0; i < known->size(); ++i) {
        const listed_device& one = from.work.devices[i];
        if (!(*known)[i] && one.entry != never_registered) {
            into.gone.push_back(one.token);
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> page_io::find_hashed(const active_shard& from, page_reading& into) {
    std::vector<token_hash> hashes;
    for (const hashed_device& one : from.work.hashed) {
        hashes.push_back(one.which);
    }
    auto known = co_await store_.look_up(from.which.app, from.which.on, std::move(hashes));
    if (known.has_error() && known.error() == redis::redis_errc::damaged) {
        into.damaged = from.work.hashed.size();
        co_return result<>();
    }
    if (known.has_error()) {
        co_return known.error();
    }
    into.damaged = known->damaged.size();
    for (std::size_t i = 0; i < known->devices.size(); ++i) {
        if (auto& device = known->devices[i]) {
            listed_device& one = into.known.emplace_back();
            one.commune = from.work.hashed[i].commune;
            one.token = std::move(device->which.token);
            one.entry = std::move(device->entry);
        }
    }
    co_return result<>();
}

asio::awaitable<page_ending> page_io::write(active_event& event, page_settlement settlement) {
    settlement.remember_for =
        std::max(event.content.expires_at - time_.wall_now(), std::chrono::milliseconds(0)) + retention_;
    page_ending out;
    for (;;) {
        page_settlement copy = settlement;
        result<settle_answer> answer;
        if (settlement.late.empty()) {
            answer = co_await ledger_.settle(std::move(copy));
        } else {
            answer = co_await ledger_.amend(std::move(copy));
        }
        if (answer.has_error()) {
            co_await pause_after_error("page.settle_failed", answer.error());
            continue;
        }
        out.drained = answer->drained;
        out.shard_done = answer->shard_done;
        if (answer->state == event_state::cancelling) {
            event.cancelled.store(true, std::memory_order_relaxed);
        }
        if (answer->repeated) {
            log_.warning(
                "page.settled_twice",
                {{"event_id", event.id}, {"target", to_string(settlement.which)}, {"page", settlement.page}});
        } else if (!settlement.dead.empty()) {
            co_await prune(event, std::move(settlement), answer->drained);
        }
        co_return out;
    }
}

asio::awaitable<void> page_io::prune(active_event& event, page_settlement what, bool drained) {
    const answer_counts answers{what.accepted, what.dead.size()};
    const removal_moment when = drained ? removal_moment::end : removal_moment::page;
    ++event.pruning;
    const auto pruned = co_await pruner_.prune(event.id, std::move(what.dead), when, answers);
    --event.pruning;
    if (pruned.has_error()) {
        log_.warning("devices.prune_later", {{"event_id", event.id}, {"error", pruned.error().message()}});
    } else if (*pruned == pruner::prune_outcome::some_wait) {
        duration::rep nobody = 0;
        event.removals_wait_since.compare_exchange_strong(nobody, time_.now().time_since_epoch().count());
    }
}

asio::awaitable<void> page_io::pause_after_error(std::string_view doing, error_code why) {
    log_.warning(doing, {{"error", why.message()}});
    timer pause(executor_, time_);
    co_await pause.wait_for(error_pause);
}

}  // namespace tocsin
