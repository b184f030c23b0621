#include "tests/engine/plan/ledger_fixture.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mairies;

class LedgerShardsTest : public testing::ledger_fixture {};

TEST_F(LedgerShardsTest, NewShardsAreTakenInPiecesThatLeaveSomeForEachEngine) {
    start(9);
    const auto take = [this](ledger& by, std::size_t engines) {
        claim_terms how;
        how.limit = 100;
        how.lease = 1h;
        how.engines = engines;
        return run(by.claim("crue", mairies, how, time.wall_now())).value();
    };
    const auto first = take(book, 3);
    EXPECT_EQ(first.shards.size(), 3U);
    EXPECT_EQ(first.left_to_others, 6U);
    EXPECT_EQ(take(other, 3).shards.size(), 2U);
    EXPECT_TRUE(take(book, 0).shards.empty());
    // What is done does not count as what is left.
    ASSERT_TRUE(run(book.settle(settlement_of(first.shards[0], 5))).has_value());
    EXPECT_EQ(take(book, 2).shards.size(), 2U);
    const auto rest = take(book, 1);
    EXPECT_EQ(rest.shards.size(), 2U);
    EXPECT_EQ(rest.left_to_others, 0U);
}

TEST_F(LedgerShardsTest, AShardWithAMomentOfItsOwnIsOpenAndTakenWhenThatHasCome) {
    event_plan plan = plan_of(3);
    const wall_time evening = time.wall_now();
    const wall_time morning = evening + 9h;
    plan.when.add({.first_page = 1, .pages = 2, .starts = morning, .over = 20s});
    ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    EXPECT_EQ(field("open"), "3");
    const auto claim_at = [this](ledger& by, wall_time when, std::chrono::milliseconds ahead) {
        claim_terms how;
        how.limit = 10;
        how.lease = 1h;
        how.ahead = ahead;
        return run(by.claim("crue", mairies, how, when)).value();
    };
    const auto at_once = claim_at(book, evening, 0s);
    ASSERT_EQ(at_once.shards.size(), 1U);
    EXPECT_EQ(at_once.shards[0].work.first_page, 0U);
    EXPECT_EQ(at_once.rests_until, std::nullopt);  // Its shard is under way.
    EXPECT_FALSE(run(book.settle(settlement_of(at_once.shards[0], 5))).value().drained);
    EXPECT_EQ(claim_at(other, evening, 0s).rests_until, morning);
    EXPECT_TRUE(claim_at(other, morning - 1ms, 0s).shards.empty());
    EXPECT_TRUE(claim_at(other, morning - 1001ms, 1s).shards.empty());
    const auto first = claim_at(other, morning - 1s, 1s).shards;
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].work, plan.targets[0].shards[1]);
    EXPECT_TRUE(claim_at(book, morning + 9s, 0s).shards.empty());
    const auto second = claim_at(book, morning + 10s, 0s).shards;
    ASSERT_EQ(second.size(), 1U);
    EXPECT_FALSE(run(book.settle(settlement_of(first[0], 5))).value().drained);
    EXPECT_TRUE(run(book.settle(settlement_of(second[0], 5))).value().drained);
}

TEST_F(LedgerShardsTest, OfACancelledEventWhatWaitsForItsMomentIsTakenAtOnce) {
    event_plan plan = plan_of(3);
    plan.when.add({.first_page = 0, .pages = 3, .starts = time.wall_now() + 9h});
    ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    EXPECT_TRUE(claim(book).shards.empty());
    server.cli({"HSET", "tocsin:{e:crue}:ledger", "state", "cancelling"});
    EXPECT_EQ(claim(book).shards.size(), 3U);
}

TEST_F(LedgerShardsTest, AShardOfASilentEngineIsTakenOverAndOfALivingOneIsNot) {
    start(3);
    const auto held = claim(book, 3).shards;
    ASSERT_EQ(held.size(), 3U);
    EXPECT_TRUE(claim(other).shards.empty());
    EXPECT_EQ(claim(other, 10, 0ms).shards.size(), 3U);
}

TEST_F(LedgerShardsTest, ARestartedEngineFindsItsOwnShards) {
    start(3);
    ASSERT_EQ(claim(book, 2).shards.size(), 2U);
    ledger reborn(redis, keys, "a");
    EXPECT_EQ(claim(reborn, 10, 1h, true).shards.size(), 3U);
}

TEST_F(LedgerShardsTest, AShardThatAnotherEngineHasTakenOverIsNotGivenBack) {
    start(1);
    const auto lapsed = claim(book).shards;
    const auto held = claim(other, 10, 0ms).shards;
    ASSERT_EQ(held.size(), 1U);
    ASSERT_TRUE(run(book.release("crue", mairies, lapsed[0].entry)).has_value());
    ASSERT_TRUE(run(book.leave("crue", mairies, lapsed[0].entry, 0, 1)).has_value());
    EXPECT_TRUE(claim(book).shards.empty());
    EXPECT_TRUE(run(other.settle(settlement_of(held[0], 5))).value().drained);
    EXPECT_EQ(field("targeted"), "5");
}

TEST_F(LedgerShardsTest, AReleasedShardIsAtOnceAnybodysToTake) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_EQ(held.size(), 1U);
    ASSERT_TRUE(run(book.release("crue", mairies, held[0].entry)).has_value());
    const auto taken = claim(other).shards;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].work, held[0].work);
    EXPECT_EQ(field("open"), "1");
}

TEST_F(LedgerShardsTest, ParkedPushesComeBackAsAShardWhenTheyAreDueAndKeepTheEventOpen) {
    start(1);
    const auto held = claim(book).shards;
    page_settlement settlement = settlement_of(held[0], 5);
    const listed_device later{0, "later", "entry", 1, false, true};
    const listed_device now{0, "now", "entry", 1, false, true};
    const std::int64_t instant = time.wall_now().time_since_epoch().count();
    settlement.parked = {{instant - 1, encode_listed(now)}, {instant + 3'600'000, encode_listed(later)}};
    EXPECT_FALSE(run(book.settle(settlement)).value().drained);
    const claim_answer answer = claim(other);
    ASSERT_EQ(answer.shards.size(), 1U);
    EXPECT_EQ(answer.parked, 1U);
    EXPECT_EQ(answer.shards[0].work.devices, std::vector{now});
    EXPECT_EQ(answer.shards[0].work.first_page, 1U);
}

TEST_F(LedgerShardsTest, AShardThatIsTakenUpAgainAndAgainWithoutProgressIsPutAside) {
    start(2);
    const auto first = claim(book, 1).shards;
    ASSERT_EQ(first.size(), 1U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(claim(i % 2 == 0 ? other : book, 1, 0ms).shards.size(), 1U);
    }
    const claim_answer fourth = claim(other, 1, 0ms);
    EXPECT_EQ(fourth.poison, std::vector{first[0].entry});
    EXPECT_EQ(field("open"), "1");
    EXPECT_EQ(field("poison"), "1");
}

TEST_F(LedgerShardsTest, ProgressForgivesTakeovers) {
    start(1);
    auto held = claim(book, 1).shards;
    for (int i = 0; i < 6; ++i) {
        ASSERT_EQ(held.size(), 1U) << i;
        page_settlement settlement = settlement_of(held[0], 1);
        settlement.page = static_cast<std::uint32_t>(i);
        settlement.shard_pages = 16;
        ASSERT_TRUE(run(book.settle(settlement)).has_value());
        held = claim(i % 2 == 0 ? other : book, 1, 0ms).shards;
    }
    EXPECT_EQ(field("open"), "1");
}

}  // namespace
}  // namespace tocsin
