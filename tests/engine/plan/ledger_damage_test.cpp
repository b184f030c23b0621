#include "engine/audience/roster_codec.hpp"
#include "engine/plan/dead_device.hpp"
#include "engine/plan/report.hpp"
#include "engine/redis/error.hpp"
#include "tests/engine/plan/ledger_fixture.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mairies;
using testing::one_page;

class LedgerDamageTest : public testing::ledger_fixture {
protected:
    /// Four pages: the last has a moment of its own.
    void start_in_waves() {
        event_plan plan = plan_of(4);
        plan.when.add({.first_page = 3, .pages = 1, .starts = time.wall_now() + 9h});
        ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    }
    page_settlement with_a_retry(const claimed_shard& of) {
        page_settlement out = settlement_of(of, 5);
        out.increments.back().second = 6;
        const listed_device later{
            .commune = 21'231, .token = of.entry, .entry = encode_roster_entry(device{}), .counted = true};
        out.parked = {{9'000'000'000'000, encode_listed(later)}};
        return out;
    }
    void settle_next(bool retry) {
        const auto got = claim(book, 1).shards;
        ASSERT_EQ(got.size(), 1U);
        static_cast<void>(open(got[0].work.first_page));
        auto all = retry ? with_a_retry(got[0]) : settlement_of(got[0], 5);
        all.dead = {{"dead of " + got[0].entry, "UNREGISTERED"}};
        ASSERT_TRUE(run(book.settle(std::move(all))).has_value());
    }
    std::string dump(const std::string& key) {
        const auto kept = run(redis.execute(redis::request("DUMP", key))).value();
        return std::string(kept.front().text());
    }
    /// Works on the event as engines do, once all moments have come. False: it never ends.
    ::testing::AssertionResult comes_to_an_end() {
        for (int round = 0; round < 20; ++round) {
            claim_terms how;
            how.limit = 10;
            how.most_takeovers = 100;
            const auto seen = run(other.claim("crue", mairies, how, time.wall_now() + 3'000'000h)).value();
            if (!seen.damaged.empty()) {
                EXPECT_TRUE(run(other.give_up("crue", seen.damaged, {mairies})).has_value());
            }
            for (const claimed_shard& one : seen.shards) {
                if (open(one.work.first_page) == page_state::opened) {
                    page_settlement all = settlement_of(one, 5);
                    if (one.work.runs.empty()) {  // Retries, which were counted before.
                        all.increments = {
                            {ledger_names::outcome_field(mairies, outcome::accepted),
                             one.work.devices.size()}};
                    }
                    EXPECT_TRUE(run(other.settle(std::move(all))).has_value());
                } else {
                    EXPECT_TRUE(
                        run(other.leave("crue", mairies, one.entry, one.work.first_page, 1)).has_value());
                }
            }
            EXPECT_TRUE(run(other.audit("crue", {mairies})).has_value());
            if (finish(other, field("revision")) == finish_outcome::published) {
                return ::testing::AssertionSuccess();
            }
        }
        return ::testing::AssertionFailure() << server.cli({"HGETALL", keys.ledger("crue")});
    }
};

TEST_F(LedgerDamageTest, AnEventEndsWhicheverOfItsKeysIsGoneOrBroughtBackFromEarlier) {
    struct key {
        std::string name;
        bool counted;  ///< In the ledger: then it shows.
    };
    const std::vector<key> parts{
        {keys.ledger("crue"), true},
        {keys.shards("crue", "mairies/fcm"), true},
        {keys.parked("crue", "mairies/fcm"), true},
        {keys.waiting("crue", "mairies/fcm"), true},
        {keys.settled("crue"), true},
        {keys.opened("crue"), false},
        {keys.dead("crue"), false},
    };
    for (const auto& [part, counted] : parts) {
        for (const bool gone : {false, true}) {
            if (gone && part == keys.ledger("crue")) {
                continue;  // Then there is no event: the coordinator's tests have that.
            }
            SCOPED_TRACE(part + (gone ? " is gone" : " is an older one"));
            server.cli({"FLUSHALL"});
            start_in_waves();
            settle_next(true);
            const std::string earlier = dump(part);
            settle_next(true);
            settle_next(false);
            if (part == keys.waiting("crue", "mairies/fcm") && !gone) {
                claim_terms how;
                how.limit = 10;
                how.ahead = 10h;
                ASSERT_EQ(run(book.claim("crue", mairies, how, time.wall_now())).value().shards.size(), 1U);
            }
            server.cli({"DEL", part});
            if (!gone) {
                redis::request bring_back("RESTORE", part, 0, earlier);
                ASSERT_EQ(run(redis.execute(std::move(bring_back))).value().front().text(), "OK");
            }
            EXPECT_TRUE(comes_to_an_end());
            const event_report report = read_report("crue", run(book.read("crue")).value());
            EXPECT_EQ(report.reasons.contains("engine:DamagedEvent"), counted);
            EXPECT_EQ(report.ended(), report.targeted);
        }
    }
}

TEST_F(LedgerDamageTest, PagesThatAnOlderLedgerHasNotCountedShowAtTheEndThoughItsShardsAreRight) {
    event_plan plan = plan_of(0);
    plan.targets.back().shards.push_back(one_page(0));
    plan.targets.back().shards.back().runs.front().count = 2 * buckets_per_page;
    plan.pages = 2;
    ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    const auto held = claim(book).shards;
    ASSERT_EQ(held.size(), 1U);
    page_settlement one = settlement_of(held[0], 5);
    one.shard_pages = 2;
    const std::string earlier = dump(keys.ledger("crue"));
    ASSERT_FALSE(run(book.settle(one)).value().drained);
    server.cli({"DEL", keys.ledger("crue")});
    redis::request bring_back("RESTORE", keys.ledger("crue"), 0, earlier);
    ASSERT_EQ(run(redis.execute(std::move(bring_back))).value().front().text(), "OK");
    one.page = 1;
    ASSERT_TRUE(run(book.settle(one)).value().drained);
    EXPECT_EQ(finish(other, field("revision")), finish_outcome::unfinished);
    EXPECT_THAT(claim(other).damaged, ::testing::HasSubstr("pages_settled"));
}

TEST_F(LedgerDamageTest, ANumberOfPagesThatCannotBeIsDamageAndNoWorkForRedis) {
    for (const char* pages : {"x", "-1", "0.5", "1e15", "18446744073709551616"}) {
        SCOPED_TRACE(pages);
        server.cli({"FLUSHALL"});
        start(2);
        settle_next(false);
        server.cli({"HSET", keys.ledger("crue"), "pages", pages});
        ASSERT_TRUE(run(book.audit("crue", {mairies})).has_value());
        EXPECT_NE(claim(other).damaged, "");
    }
}

TEST_F(LedgerDamageTest, AnEngineThatDoesNotKnowAllTargetsFindsNoDamage) {
    event_plan plan = plan_of(1);
    plan.fields.insert_or_assign("targets", "mairies/fcm;mairies/yet-unknown");
    ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    server.cli({"HINCRBY", keys.ledger("crue"), "open", "1"});  // The other one's.
    ASSERT_TRUE(run(book.audit("crue", {mairies})).has_value());
    EXPECT_EQ(claim(book).damaged, "");
}

TEST_F(LedgerDamageTest, OfManyPagesEachIsCounted) {
    ASSERT_EQ(run(book.plan(plan_of(1), event_state::running)).value(), plan_outcome::created);
    const std::string pages = std::to_string(3 * 4096 + 33);
    server.cli({"HSET", keys.ledger("crue"), "pages", pages, "pages_settled", "6"});
    for (const int page : {0, 31, 4095, 4096, 3 * 4096, 3 * 4096 + 32}) {
        server.cli({"SETBIT", keys.settled("crue"), std::to_string(page), "1"});
    }
    ASSERT_TRUE(run(book.audit("crue", {mairies})).has_value());
    EXPECT_EQ(claim(book).damaged, "");
    server.cli({"SETBIT", keys.settled("crue"), "8191", "1"});
    ASSERT_TRUE(run(book.audit("crue", {mairies})).has_value());
    EXPECT_NE(claim(book).damaged, "");
}

TEST_F(LedgerDamageTest, NothingIsDamagedWhileItsCountsAgree) {
    start_in_waves();
    const auto look = [this] {
        ASSERT_TRUE(run(book.audit("crue", {mairies})).has_value());
        EXPECT_EQ(server.cli({"HEXISTS", keys.ledger("crue"), "damaged"}), "0");
    };
    look();
    settle_next(true);
    look();
    const auto held = claim(book, 1).shards;
    look();
    ASSERT_TRUE(run(book.release("crue", mairies, held.at(0).entry)).has_value());
    look();
    ASSERT_TRUE(run(book.put_aside("crue", mairies, claim(book, 1).shards.at(0).entry)).has_value());
    look();
    settle_next(false);
    look();
    EXPECT_TRUE(comes_to_an_end());
    EXPECT_FALSE(read_report("crue", run(book.read("crue")).value()).reasons.contains("engine:DamagedEvent"));
}

TEST_F(LedgerDamageTest, WhateverIsDamagedEndsItsEventAndTheSumsAgree) {
    struct damage {
        const char* what;
        std::vector<std::string> command;
    };
    const std::string shards = keys.shards("crue", "mairies/fcm");
    const std::string parked = keys.parked("crue", "mairies/fcm");
    const std::vector<damage> kinds{
        {"shards of another type", {"SET", shards, "x"}},
        {"shards gone", {"DEL", shards}},
        {"group gone", {"XGROUP", "DESTROY", shards, "tocsin"}},
        {"parked of another type", {"SET", parked, "x"}},
        {"opened of another type", {"HSET", keys.opened("crue"), "x", "y"}},
        {"settled of another type", {"HSET", keys.settled("crue"), "x", "y"}},
        {"dead of another type", {"SET", keys.dead("crue"), "x"}},
        {"a sum that is no number", {"HSET", keys.ledger("crue"), "targeted", "many"}},
        {"no number of open shards", {"HSET", keys.ledger("crue"), "open", "x"}},
    };
    for (const damage& kind : kinds) {
        SCOPED_TRACE(kind.what);
        server.cli({"FLUSHALL"});
        start(3);
        const auto held = claim(book, 2).shards;
        page_settlement first = settlement_of(held[0], 5);
        const listed_device later{
            .commune = 21'231, .token = "t", .entry = encode_roster_entry(device{}), .counted = true};
        first.increments.back().second = 6;
        first.parked = {{9'000'000'000'000, encode_listed(later)}};
        ASSERT_TRUE(run(book.settle(first)).has_value());
        if (kind.command.front() != "DEL" && kind.command.front() != "XGROUP" &&
            kind.command[1] != keys.ledger("crue")) {
            server.cli({"DEL", kind.command[1]});
        }
        server.cli(kind.command);
        static_cast<void>(open(held[1].work.first_page));
        ASSERT_TRUE(run(book.settle(settlement_of(held[1], 7))).has_value()) << "it holds up nobody";
        const claim_answer seen = claim(other);
        EXPECT_NE(seen.damaged, "");
        ASSERT_EQ(run(other.give_up("crue", seen.damaged, {mairies})).value(), ledger::given_up::noted);
        const event_report report = read_report("crue", run(book.read("crue")).value());
        EXPECT_EQ(report.ended(), report.targeted);
        EXPECT_TRUE(report.reasons.contains("engine:DamagedEvent"));
        EXPECT_EQ(final_state(report), event_state::failed);
        EXPECT_EQ(finish(other, field("revision")), finish_outcome::published);
        EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
    }
}

TEST_F(LedgerDamageTest, AnEventThatIsCancelledBeforeItWasPlannedIsNotDamaged) {
    event_plan waiting = plan_of(0);
    waiting.targets.clear();
    ASSERT_EQ(run(book.plan(waiting, event_state::scheduled)).value(), plan_outcome::created);
    server.cli({"HSET", keys.ledger("crue"), "state", "cancelling"});
    const claim_answer seen = claim(book);
    EXPECT_EQ(seen.damaged, "");
    EXPECT_TRUE(seen.shards.empty());
    EXPECT_EQ(seen.open + seen.parked, 0U);
    EXPECT_EQ(server.cli({"HEXISTS", keys.ledger("crue"), "damaged"}), "0");
}

TEST_F(LedgerDamageTest, ALedgerThatIsSomethingElseIsLeftAlone) {
    server.cli({"SET", keys.ledger("crue"), "x"});
    EXPECT_EQ(run(book.plan(plan_of(1), event_state::running)).value(), plan_outcome::damaged);
    EXPECT_NE(claim(book).damaged, "");
    EXPECT_EQ(run(book.read("crue")).error(), redis::redis_errc::damaged);
    EXPECT_EQ(run(book.give_up("crue", "x", {mairies})).value(), ledger::given_up::nowhere);
    EXPECT_EQ(server.cli({"GET", keys.ledger("crue")}), "x");
}

TEST_F(LedgerDamageTest, AShardThatIsNoneIsPutAsideAndNeverHandedOut) {
    start(1);
    const std::string shards = keys.shards("crue", "mairies/fcm");
    server.cli({"XADD", shards, "*", "page", "4294967295", "runs", encode_runs(one_page(0).runs)});
    server.cli({"XADD", shards, "*", "page", "0", "runs", "garbage"});
    server.cli({"XADD", shards, "*", "x", "y"});
    const claim_answer seen = claim(book);
    EXPECT_EQ(seen.shards.size(), 1U);
    EXPECT_EQ(seen.unreadable.size(), 3U);
}

}  // namespace
}  // namespace tocsin
