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

class LedgerDamageTest : public testing::ledger_fixture {};

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
