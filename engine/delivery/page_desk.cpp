#include "engine/delivery/page_desk.hpp"

#include "engine/redis/check.hpp"
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

}  // namespace

asio::awaitable<result<page_reading>> page_desk::read(page& what) {
    const std::shared_ptr<active_shard> from = what.from();
    page_reading out;
    const std::string& event = from->event->id;
    if (!from->work.hashed.empty()) {
        const auto known = co_await look_up(*from);
        if (known.has_error()) {
            co_return known.error();
        }
    } else if (!from->work.devices.empty()) {
        auto gone = co_await unregistered(*from);
        if (gone.has_error()) {
            co_return gone.error();
        }
        out.gone = std::move(*gone);
    }
    redis::request ask;
    // In the same pipeline, so that it costs no round trip: from now on this page may have been sent.
    ask_to_open(ask, ledger_.keys(), event, what.number());
    const std::vector<bucket_run> runs = runs_of_page(from->work, from->next);
    ask_for_devices(ask, ledger_.keys(), from->which, runs);
    const std::size_t wanted = ask.count();
    const auto asked = replicas_.ask(ask, ledger_.keys().opened(event), time_.now());
    auto answer = co_await ledger_.connection().execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    if (const auto refused = answer->first_error(wanted)) {
        co_return redis::code_for(*refused);
    }
    const auto known =
        co_await wait_for_replica(*from->event, replicas_.read(asked, *answer, wanted, time_.now()));
    if (known.has_error()) {
        co_return known.error();
    }
    ++from->next;
    if (read_opening(answer->front()) == page_state::settled) {
        out.settled = true;
        ++from->settled;
        out.shard_done = from->settled == from->pages;
        if (out.shard_done) {
            // If this fails, the shard is found again when its lease has lapsed.
            const auto left = co_await ledger_.complete(event, from->which, from->entry);
            out.drained = left.has_value() && *left == remaining_work::none;
        }
        co_return out;
    }
    const message* const rendered = from->content.get();
    if (!from->work.names_devices()) {
        what.fill(std::move(*answer), 1, runs, rendered);
    } else {
        what.fill_listed(rendered);
    }
    if (what.unread_entries() != 0) {
        log_.error(
            "roster.malformed_entries",
            {{"event_id", event}, {"target", to_string(from->which)}, {"entries", what.unread_entries()}});
    }
    co_return out;
}

asio::awaitable<result<>> page_desk::wait_for_replica(
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

asio::awaitable<result<std::vector<std::string>>> page_desk::unregistered(const active_shard& from) {
    // Who was named by a selector and never registered has the entry of nobody, and stays.
    static const std::string nobody = encode_roster_entry(device{});
    std::vector<std::string> tokens;
    for (const listed_device& one : from.work.devices) {
        tokens.push_back(one.token);
    }
    const auto known = co_await store_.registered(from.which.app, from.which.on, std::move(tokens));
    if (known.has_error()) {
        co_return known.error();
    }
    std::vector<std::string> gone;
    for (std::size_t i = 0; i < known->size(); ++i) {
        const listed_device& one = from.work.devices[i];
        if (!(*known)[i] && one.entry != nobody) {
            gone.push_back(one.token);
        }
    }
    co_return gone;
}

asio::awaitable<result<>> page_desk::look_up(active_shard& from) {
    std::vector<token_hash> hashes;
    for (const hashed_device& one : from.work.hashed) {
        hashes.push_back(one.which);
    }
    auto known = co_await store_.find_hashed(from.which.app, from.which.on, std::move(hashes));
    if (known.has_error()) {
        co_return known.error();
    }
    from.work.devices.clear();
    for (std::size_t i = 0; i < known->size(); ++i) {
        if ((*known)[i]) {
            listed_device& one = from.work.devices.emplace_back();
            one.commune = from.work.hashed[i].commune;
            one.token = std::move((*known)[i]->which.token);
            one.entry = std::move((*known)[i]->entry);
        }
    }
    co_return result<>();
}

asio::awaitable<page_ending> page_desk::settle(std::unique_ptr<page> what) {
    std::shared_ptr<active_shard> from = what->from();
    const std::uint64_t muted = what->count(outcome::muted);
    ++from->settled;
    const bool shard_done = from->settled == from->pages;
    page_settlement settlement = what->settlement(shard_done);
    settlement.remember_for =
        std::max(from->event->content.expires_at - time_.wall_now(), std::chrono::milliseconds(0)) +
        retention_;
    what.reset();  // The pushes' memory is free from here on; the sums are in the settlement.
    count_muted(*from, muted);
    page_ending out = co_await write(std::move(from), std::move(settlement));
    out.shard_done = shard_done;
    co_return out;
}

asio::awaitable<page_ending> page_desk::settle_early(
    std::shared_ptr<active_shard> from, page_settlement settlement) {
    const bool shard_done = settlement.shard_done;
    page_ending out = co_await write(std::move(from), std::move(settlement));
    out.shard_done = shard_done;
    co_return out;
}

asio::awaitable<page_ending> page_desk::amend(std::shared_ptr<active_shard> from, page_settlement amendment) {
    co_return co_await write(std::move(from), std::move(amendment));
}

void page_desk::count_muted(const active_shard& from, std::uint64_t muted) {
    if (muted != 0) {
        metrics_
            .counter(
                metric::pushes_total, {from.which.app, to_string(from.which.on), to_string(outcome::muted)})
            .add(muted);
    }
}

asio::awaitable<page_ending> page_desk::write(
    std::shared_ptr<active_shard> from, page_settlement settlement) {
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
        if (answer->state == event_state::cancelling) {
            from->event->cancelled.store(true, std::memory_order_relaxed);
        }
        if (answer->repeated) {
            log_.warning(
                "page.settled_twice", {{"event_id", from->event->id},
                                       {"target", to_string(from->which)},
                                       {"page", settlement.page}});
        } else if (!settlement.dead.empty()) {
            co_await prune(*from->event, std::move(settlement), answer->drained);
        }
        out.drained = answer->drained;
        co_return out;
    }
}

asio::awaitable<void> page_desk::prune(active_event& event, page_settlement what, bool drained) {
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

asio::awaitable<void> page_desk::pause_after_error(std::string_view doing, error_code why) {
    log_.warning(doing, {{"error", why.message()}});
    timer pause(executor_, time_);
    co_await pause.wait_for(error_pause);
}

}  // namespace tocsin
