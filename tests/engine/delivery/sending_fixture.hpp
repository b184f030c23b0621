#pragma once

#include "engine/audience/roster_codec.hpp"
#include "engine/delivery/target_sender.hpp"
#include "engine/plan/active_event.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_names.hpp"
#include "tests/engine/simulation/blocking_redis.hpp"
#include "tests/engine/simulation/faulty_redis.hpp"
#include "tests/engine/simulation/imagined_provider.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::testing {

using namespace std::chrono_literals;

/// A thread that sends. Its clock, its connection to Redis and its provider do what the test says; the Redis
/// behind the connection is real, and so is the ledger in it.
class SendingTest : public ::testing::Test, public sending_listener {
protected:
    SendingTest() {
        how.instance = "a";
        how.threads = 1;
        how.pages_in_flight = 2;
        how.lease = 30s;
    }

    /// An event of so many shards, all claimed: a page each, of named devices.
    /// Of one target, without shards.
    static event_plan plan_for(const std::string& id, std::uint32_t pages, const target& which) {
        event_plan plan;
        plan.event = id;
        plan.entry = "1-0";
        plan.fields = {{"event", "{}"}};
        plan.pages = pages;
        plan.targets.emplace_back().which = which;
        return plan;
    }

    struct claimed_event {
        std::shared_ptr<active_event> event;
        std::vector<claimed_shard> shards;
    };
    claimed_event claim(
        const std::string& id, std::uint32_t pages, std::size_t devices, priority urgency = priority::normal,
        target which = {"mairies", platform::fcm}) {
        event_plan plan = plan_for(id, pages, which);
        auto& made = plan.targets.front();
        for (std::uint32_t page = 0; page < pages; ++page) {
            shard& one = made.shards.emplace_back();
            one.first_page = page;
            for (std::size_t i = 0; i < devices; ++i) {
                const std::string token = id + "-" + std::to_string(page) + "-" + std::to_string(i);
                one.devices.push_back({0, token, encode_roster_entry(device{}), 0, false, false});
            }
        }
        return claim_all(plan, urgency, which);
    }
    /// The same of one shard of so many pages, of rosters in which no device is.
    claimed_event claim_empty(const std::string& id, std::uint32_t pages) {
        event_plan plan = plan_for(id, pages, mairies);
        auto& made = plan.targets.front();
        made.shards.emplace_back().runs.push_back(
            {{*parse_commune_id("21231"), {}}, 1, 0, pages * buckets_per_page});
        return claim_all(plan, priority::normal, mairies);
    }
    claimed_event claim_all(const event_plan& plan, priority urgency, const target& which) {
        const std::string& id = plan.event;
        EXPECT_EQ(ask(book.plan(plan, event_state::running)).value(), plan_outcome::created);
        EXPECT_TRUE(ask(book.activate(id, "1-0", urgency, time.wall_now())).has_value());
        claimed_event out;
        out.event = std::make_shared<active_event>();
        out.event->id = id;
        out.event->content.id = id;
        out.event->content.priority = urgency;
        out.event->content.expires_at = time.wall_now() + 1h;
        out.event->accepted_at = time.wall_now();
        out.event->expires = time.now() + 1h;
        out.event->targets = {which};
        out.event->messages.emplace(which, service->render(out.event->content).value());
        out.event->reception.try_emplace(which);
        out.shards = left_of(id, "a", which);
        EXPECT_EQ(out.shards.size(), plan.targets.front().shards.size());
        return out;
    }
    /// The shards that an engine of this name may have at once.
    std::vector<claimed_shard> left_of(
        const std::string& id, const std::string& engine, target which = {"mairies", platform::fcm}) {
        ledger mine(direct, keys, engine);
        claim_terms terms;
        terms.limit = 100;
        terms.lease = how.lease;
        return std::move(ask(mine.claim(id, which, terms, time.wall_now())).value().shards);
    }
    std::int64_t sum(const std::string& id, std::string_view field) {
        const auto fields = ask(book.read(id)).value();
        const auto found = fields.find(field);
        return found == fields.end() ? 0 : std::stoll(found->second);
    }
    std::int64_t ended(const std::string& id, outcome how_it_ended) {
        return sum(id, ledger_names::outcome_field(mairies, how_it_ended));
    }
    /// How many pushes have ended so, as the metrics have it.
    int counted(std::string_view how_it_ended) {
        const std::string series = R"(tocsin_pushes_total{app="mairies",platform="fcm",outcome=")" +
                                   std::string(how_it_ended) + "\"} ";
        const std::string all = numbers.exposition();
        const std::size_t at = all.find(series);
        return at == std::string::npos ? 0 : std::stoi(all.substr(at + series.size()));
    }
    template <class T>
    T ask(boost::asio::awaitable<T> work) {
        return run_to_end(aside, std::move(work));
    }

    /// Everything that can be done without another answer of Redis.
    void turn() {
        loop.restart();
        while (loop.poll() != 0) {
        }
    }
    /// Everything that can be done without an answer of the provider, and at this time.
    void run() {
        for (turn(); link.ready(true); turn()) {
            link.perform(mishap::none, later);
        }
    }
    void pass(duration by) {
        time.advance(by);
        run();
    }
    /// The channel in use takes whatever it is woken for.
    std::vector<push*> take_all() {
        std::vector<push*> out;
        while (!channels.empty() && channels.back()->may_take()) {
            if (push* const item = channels.back()->take(time.now())) {
                out.push_back(item);
            }
        }
        return out;
    }
    /// Answers the oldest `count` of what a channel has in flight, of all pages or of one.
    void answer(
        imagined_channel& on, std::size_t count, const verdict& what,
        std::optional<std::uint32_t> page = std::nullopt) {
        for (std::size_t i = 0; count != 0 && i < on.in_flight();) {
            if (page && on.at(i).owner->number() != *page) {
                ++i;
            } else {
                on.answer(i, what, time.now());
                --count;
            }
        }
        EXPECT_EQ(count, 0U);
        run();
    }
    void accept(std::size_t count, std::optional<std::uint32_t> page = std::nullopt) {
        answer(*channels.back(), count, accepted, page);
    }
    void stop(boost::asio::awaitable<void> stopping) {
        boost::asio::co_spawn(
            loop,
            [](boost::asio::awaitable<void> work, bool& done) -> boost::asio::awaitable<void> {
                co_await std::move(work);
                done = true;
            }(std::move(stopping), stopped),
            boost::asio::detached);
        run();
    }

    void shard_left(shard_ticket which) override { left.push_back(std::move(which)); }
    void event_drained(std::string event) override { drained.push_back(std::move(event)); }
    void quota_used_up(std::string quota, wall_time until) override {
        used_up.emplace_back(std::move(quota), until);
    }

    static inline const verdict accepted = [] {
        verdict out;
        out.action = reaction::accept;
        out.status = 200;
        return out;
    }();
    const target mairies{"mairies", platform::fcm};
    redis_server server;
    blocking_redis redis{server.socket_path()};
    direct_redis direct{redis};
    manual_time time;
    null_logger log;
    metrics numbers;
    metrics_shard& shard_of_numbers = numbers.add_shard();
    keyspace keys{"tocsin"};
    engine_settings how;
    std::vector<imagined_channel*> channels;  // Outlives the sender, whose channels stand in it.
    std::shared_ptr<provider> service = std::make_shared<imagined_provider>(platform::fcm, channels);
    boost::asio::io_context aside{1};
    boost::asio::io_context loop{1};
    faulty_redis link{loop.get_executor(), time, redis};
    late_requests later;
    ledger book{direct, keys, "a"};
    std::vector<shard_ticket> left;
    std::vector<std::string> drained;
    std::vector<std::pair<std::string, wall_time>> used_up;
    bool stopped = false;
};

}  // namespace tocsin::testing
