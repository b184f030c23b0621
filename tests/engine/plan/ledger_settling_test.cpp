#include "engine/plan/dead_device.hpp"
#include "tests/engine/plan/ledger_fixture.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mairies;

class LedgerSettlingTest : public testing::ledger_fixture {};

TEST_F(LedgerSettlingTest, APageThatIsSettledTwiceCountsOnce) {
    start(2);
    const auto shards = claim(book).shards;
    EXPECT_EQ(open(shards[0].work.first_page), page_state::opened);
    EXPECT_EQ(open(shards[0].work.first_page), page_state::opened);
    const auto first = run(book.settle(settlement_of(shards[0], 900))).value();
    EXPECT_FALSE(first.repeated);
    EXPECT_FALSE(first.drained);
    const auto again = run(other.settle(settlement_of(shards[0], 900))).value();
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(field("o:mairies/fcm:accepted"), "900");
    EXPECT_EQ(field("targeted"), "900");
    EXPECT_EQ(field("possible_duplicates"), "900");
    const auto last = run(book.settle(settlement_of(shards[1], 10))).value();
    EXPECT_TRUE(last.drained);
    EXPECT_EQ(field("o:mairies/fcm:accepted"), "910");
    EXPECT_EQ(open(shards[0].work.first_page), page_state::settled);
}

TEST_F(LedgerSettlingTest, APageOfAShardThatRedisHasForgottenToHandOutIsSettledByWhoGetsItAgain) {
    start(1);
    const claimed_shard before = claim(book).shards.front();
    // Redis comes back as it was before the claim, and hands the same page out under another entry.
    server.cli({"XDEL", keys.shards("crue", "mairies/fcm"), before.entry});
    server.cli({"XACK", keys.shards("crue", "mairies/fcm"), std::string(keys.group), before.entry});
    EXPECT_TRUE(run(book.settle(settlement_of(before, 900))).value().repeated);
    EXPECT_EQ(field("targeted"), "");
    EXPECT_EQ(open(before.work.first_page), page_state::opened);
}

TEST_F(LedgerSettlingTest, APageOfAShardThatRedisHasButHasForgottenToHandOutIsCounted) {
    start(1);
    const claimed_shard before = claim(book).shards.front();
    // Redis comes back without the claim: the entry is there for the next one.
    server.cli({"XACK", keys.shards("crue", "mairies/fcm"), std::string(keys.group), before.entry});
    server.cli({"XGROUP", "SETID", keys.shards("crue", "mairies/fcm"), std::string(keys.group), "0"});
    EXPECT_FALSE(run(book.settle(settlement_of(before, 900))).value().repeated);
    EXPECT_EQ(field("targeted"), "900");
    const auto again = claim(other).shards;
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(open(again[0].work.first_page), page_state::settled);
    EXPECT_EQ(
        run(other.leave("crue", mairies, again[0].entry, again[0].work.first_page, 1)).value(),
        remaining_work::none);
}

TEST_F(LedgerSettlingTest, AShardIsDoneWhenEachOfItsPagesIsSettledInWhateverOrder) {
    start(1);
    const claimed_shard held = claim(book).shards.front();
    page_settlement first = settlement_of(held, 5);
    first.shard_pages = 16;
    for (std::uint32_t page = 15; page != 0; --page) {
        page_settlement one = first;
        one.page = page;
        EXPECT_FALSE(run(book.settle(one)).value().shard_done) << page;
    }
    EXPECT_EQ(field("open"), "1");
    const auto last = run(book.settle(first)).value();
    EXPECT_TRUE(last.shard_done);
    EXPECT_TRUE(last.drained);
    EXPECT_EQ(field("targeted"), "80");
    EXPECT_TRUE(run(book.settle(first)).value().drained) << "whose answer was lost, say";
}

TEST_F(LedgerSettlingTest, WhoeverComesAfterTheEndAddsNothingAndLeavesNothingBehind) {
    start(2);
    const auto shards = claim(book).shards;
    const auto late = claim(other, 10, 0ms).shards;
    ASSERT_EQ(late.size(), 2U);
    EXPECT_EQ(open(shards[0].work.first_page), page_state::opened);
    for (const claimed_shard& one : shards) {
        ASSERT_TRUE(run(book.settle(settlement_of(one, 5))).has_value());
    }
    const std::string document = R"({"state":"finished"})";
    ASSERT_EQ(
        run(book.finish("crue", document, field("revision"), 1'000, time.wall_now(), 24h, {mairies})).value(),
        finish_outcome::published);
    EXPECT_EQ(open(late[1].work.first_page), page_state::settled);
    page_settlement unfinished = settlement_of(late[0], 5);
    unfinished.shard_pages = 2;
    const auto answer = run(other.settle(unfinished)).value();
    EXPECT_TRUE(answer.repeated);
    EXPECT_EQ(answer.state, event_state::finished);
    EXPECT_TRUE(run(other.renew("crue", mairies, {late[0].entry})).has_value());
    EXPECT_EQ(field("targeted"), "10");
    EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
}

TEST_F(LedgerSettlingTest, DeadDevicesWaitInTheLedgerUntilTheyAreRemoved) {
    start(1);
    const auto held = claim(book).shards;
    page_settlement settlement = settlement_of(held[0], 5);
    settlement.dead = {{encode_dead(mairies, "gone", "entry"), "UNREGISTERED"}};
    ASSERT_TRUE(run(book.settle(settlement)).has_value());
    const auto dead = run(book.dead("crue")).value();
    ASSERT_EQ(dead.size(), 1U);
    const auto which = decode_dead(dead[0].first);
    ASSERT_TRUE(which.has_value());
    EXPECT_EQ(which->which, mairies);
    EXPECT_EQ(which->token, "gone");
    EXPECT_EQ(which->entry, "entry");
}

TEST_F(LedgerSettlingTest, NothingIsAddedOnceTheDocumentIsMade) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    server.cli({"HSET", keys.ledger("crue"), "result", R"({"state":"finished"})"});
    page_settlement late = settlement_of(held[0], 7);
    late.page = 5;
    late.first_page = 5;
    EXPECT_TRUE(run(other.settle(late)).value().repeated);
    EXPECT_EQ(field("targeted"), "5");
}

/// A page of 10 devices that was settled with two of them late, and what becomes of these.
class LateDevicesTest : public testing::ledger_fixture {
protected:
    void settle_early(wall_time due) {
        start(1);
        const auto held = claim(book).shards;
        page_settlement settlement = settlement_of(held[0], 8);
        settlement.parked = {{late_score(due), name}};
        EXPECT_FALSE(run(book.settle(settlement)).value().drained) << "it must not end without them";
    }
    page_settlement rest() {
        page_settlement out;
        out.event = "crue";
        out.which = mairies;
        out.late = name;
        out.increments = {{ledger_names::outcome_field(mairies, outcome::accepted), 2}};
        return out;
    }
    const std::vector<listed_device> late{
        {0, "slow", "entry", 0, true, true}, {0, "slower", "entry", 0, true, true}};
    const std::string name = encode_listed(late[0]) + encode_listed(late[1]);
};

TEST_F(LateDevicesTest, EndTheEventWithTheirAnswers) {
    settle_early(time.wall_now() + 15s);
    EXPECT_TRUE(claim(other).shards.empty()) << "their answers are on the way";
    const auto amended = run(book.amend(rest())).value();
    EXPECT_FALSE(amended.repeated);
    EXPECT_TRUE(amended.drained);
    EXPECT_EQ(field("o:mairies/fcm:accepted"), "10");
    EXPECT_EQ(field("parked"), "0");
    const auto again = run(book.amend(rest())).value();
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(field("o:mairies/fcm:accepted"), "10");
    EXPECT_EQ(field("parked"), "0");
}

TEST_F(LateDevicesTest, OfAnEngineThatDiedAreTakenByOthersWhoCountThem) {
    settle_early(time.wall_now() - 1s);
    const auto taken = claim(other).shards;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].work.devices, late);
    EXPECT_EQ(taken[0].work.first_page, 1U);
    const auto amended = run(book.amend(rest())).value();
    EXPECT_TRUE(amended.repeated) << "it was not dead, but they are counted elsewhere now";
    EXPECT_FALSE(amended.drained);
    EXPECT_EQ(field("o:mairies/fcm:accepted"), "8");
}

TEST_F(LateDevicesTest, OfALivingEngineStayItsOwn) {
    settle_early(time.wall_now() - 1s);
    ASSERT_TRUE(run(book.renew_late("crue", mairies, {name}, time.wall_now() + 15s)).has_value());
    EXPECT_TRUE(claim(other).shards.empty());
    ASSERT_TRUE(run(book.renew_late("crue", mairies, {"never heard of"}, time.wall_now())).has_value());
    EXPECT_EQ(server.cli({"ZCARD", keys.parked("crue", "mairies/fcm")}), "1");
}

TEST_F(LateDevicesTest, OfACancelledEventAreLeftToTheirAnswersAndRetriesAreNot) {
    settle_early(time.wall_now() + 15s);
    const std::int64_t in_an_hour = (time.wall_now() + 1h).time_since_epoch().count();
    const listed_device retry{0, "retry", "entry", 1, false, true};
    server.cli(
        {"ZADD", keys.parked("crue", "mairies/fcm"), std::to_string(in_an_hour), encode_listed(retry)});
    server.cli({"HINCRBY", keys.ledger("crue"), "parked", "1"});
    server.cli({"HSET", keys.ledger("crue"), "state", "cancelling"});
    const auto taken = claim(other).shards;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].work.devices, std::vector{retry});
    EXPECT_FALSE(run(book.amend(rest())).value().repeated);
}

TEST_F(LateDevicesTest, WhatIsTriedAgainLaterIsParkedLikeAnyOther) {
    settle_early(time.wall_now() + 15s);
    page_settlement amendment = rest();
    const std::int64_t due = time.wall_now().time_since_epoch().count() - 1;
    amendment.increments[0].second = 1;
    amendment.parked = {{due, encode_listed(late[1])}};
    EXPECT_FALSE(run(book.amend(amendment)).value().drained);
    EXPECT_EQ(field("parked"), "1");
    const auto taken = claim(other).shards;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].work.devices, std::vector{late[1]});
}

}  // namespace
}  // namespace tocsin
