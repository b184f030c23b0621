#pragma once

#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_names.hpp"
#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::testing {

using namespace std::chrono_literals;

inline const target mairies{"mairies", platform::fcm};

inline shard one_page(std::uint32_t number) {
    shard out;
    out.first_page = number;
    out.runs.push_back({{*parse_commune_id("21231"), {}}, 1, number * buckets_per_page, buckets_per_page});
    return out;
}

/// One event, and two engines that work on it.
class ledger_fixture : public redis_fixture {
protected:
    event_plan plan_of(std::uint32_t shards, std::string entry = "1-0") {
        event_plan out;
        out.event = "crue";
        out.entry = std::move(entry);
        out.fields = {{"event", "{}"}, {"targets", to_string(mairies)}};
        out.targets.push_back({mairies, {}});
        for (std::uint32_t i = 0; i < shards; ++i) {
            out.targets.back().shards.push_back(one_page(i));
        }
        out.pages = shards;
        return out;
    }
    void start(std::uint32_t shards) {
        ASSERT_EQ(run(book.plan(plan_of(shards), event_state::running)).value(), plan_outcome::created);
        ASSERT_TRUE(run(book.activate("crue", "1-0", priority::high, time.wall_now())).has_value());
    }
    claim_answer claim(
        ledger& by, std::size_t limit = 10, std::chrono::milliseconds lease = 1h, bool own = false) {
        claim_terms how;
        how.limit = limit;
        how.lease = lease;
        how.own = own;
        how.most_takeovers = 3;
        return run(by.claim("crue", mairies, how, time.wall_now())).value();
    }
    page_settlement settlement_of(const claimed_shard& which, std::uint64_t accepted) {
        page_settlement out;
        out.event = "crue";
        out.which = mairies;
        out.shard_entry = which.entry;
        out.page = which.work.first_page;
        out.first_page = which.work.first_page;
        out.increments = {
            {ledger_names::outcome_field(mairies, outcome::accepted), accepted}, {"targeted", accepted}};
        out.devices = accepted;
        return out;
    }
    page_state open(std::uint32_t page) {
        redis::request ask;
        ask_to_open(ask, keys, "crue", page);
        return read_opening(run(redis.execute(std::move(ask))).value().front());
    }
    std::string field(const std::string& name) { return server.cli({"HGET", keys.ledger("crue"), name}); }

    finish_outcome finish(ledger& by, std::string revision) {
        const std::string document = R"({"state":"finished"})";
        return run(by.finish("crue", document, std::move(revision), 1'000, time.wall_now(), 24h, {mairies}))
            .value();
    }

    ledger book{redis, keys, "a"};
    ledger other{redis, keys, "b"};
};

}  // namespace tocsin::testing
