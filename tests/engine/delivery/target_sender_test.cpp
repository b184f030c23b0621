#include "tests/engine/delivery/target_sender_fixture.hpp"

#include <algorithm>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mishap;
using testing::TargetSenderTest;

TEST_F(TargetSenderTest, APageIsReadSentAndSettled) {
    make();
    auto flood = claim("flood", 1, 3);
    assign(flood);
    EXPECT_EQ(take_all().size(), 3U);
    EXPECT_TRUE(left.empty());
    accept(3);
    EXPECT_EQ(ended("flood", outcome::accepted), 3);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().event, "flood");
    EXPECT_EQ(drained, std::vector<std::string>{"flood"});
}

TEST_F(TargetSenderTest, NoMorePagesAreOpenThanMayBeAndOneThatIsSettledMakesRoom) {
    make();
    auto news = claim("news", 4, 10);
    assign(news);
    EXPECT_EQ(take_all().size(), 20U);
    accept(10);
    EXPECT_EQ(take_all().size(), 10U);
    accept(5);
    EXPECT_TRUE(take_all().empty());
}

TEST_F(TargetSenderTest, ThePageThatTakesThePlaceOfAnotherIsOpenedBehindItsSettlement) {
    how.pages_in_flight = 1;
    make();
    auto news = claim("news", 2, 1);
    assign(news);
    ASSERT_EQ(take_all().size(), 1U);
    channels.back()->answer(0, accepted, time.now());
    turn();
    ASSERT_TRUE(link.ready(false));
    link.perform(mishap::none, later);
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 1);
    EXPECT_FALSE(opened("news", 1));
    turn();
    run();
    EXPECT_TRUE(opened("news", 1));
}

TEST_F(TargetSenderTest, AnAlertFindsRoomHoweverManyPagesAreOpen) {
    make();
    auto news = claim("news", 4, 10);
    assign(news);
    take_all();
    auto flood = claim("flood", 3, 10, priority::critical);
    assign(flood);
    const auto taken = take_all();
    EXPECT_EQ(taken.size(), 20U);
    EXPECT_TRUE(
        std::ranges::all_of(taken, [](const push* one) { return one->owner->event().id == "flood"; }));
}

TEST_F(TargetSenderTest, TheLastPlaceIsForAnEventThatHasNone) {
    how.pages_in_flight = 4;
    make();
    auto town = claim("town", 10, 2);
    assign(town);
    EXPECT_EQ(take_all().size(), 6U);
    auto village = claim("village", 3, 2);
    assign(village);
    const auto taken = take_all();
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken.front()->owner->event().id, "village");
    auto hamlet = claim("hamlet", 1, 2);
    assign(hamlet);
    EXPECT_TRUE(take_all().empty()) << "all places are taken";
    accept(2);  // The first page of the town.
    const auto next = take_all();
    ASSERT_EQ(next.size(), 2U);
    EXPECT_EQ(next.front()->owner->event().id, "hamlet");
}

TEST_F(TargetSenderTest, APageThatCannotBeReadIsReadAgain) {
    make();
    auto news = claim("news", 1, 3);
    sender->assign(news.event, std::move(news.shards.front()));
    turn();
    link.perform(mishap::lost, later);
    run();
    EXPECT_TRUE(take_all().empty());
    pass(200ms);
    EXPECT_EQ(take_all().size(), 3U);
}

TEST_F(TargetSenderTest, ABucketThatIsSomethingElseIsPassedOverAndTheResultSaysSo) {
    make();
    auto news = claim_empty("news", 1);
    for (std::uint32_t bucket = 0; bucket < 2; ++bucket) {
        server.cli(
            {"SET", keys.roster_bucket("mairies", platform::fcm, "21231", 1, bucket), "of another program"});
    }
    assign(news);
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 1);
    EXPECT_EQ(sum("news", ledger_names::damaged_rosters), 2);
    EXPECT_EQ(drained, std::vector<std::string>{"news"});
}

TEST_F(TargetSenderTest, ASettlementThatDoesNotArriveIsWrittenAgainAndCountedOnce) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    take_all();
    channels.back()->answer(0, accepted, time.now());
    channels.back()->answer(0, accepted, time.now());
    channels.back()->answer(0, accepted, time.now());
    turn();
    link.perform(mishap::reply_lost, later);
    run();
    EXPECT_TRUE(left.empty());
    pass(200ms);
    EXPECT_EQ(left.size(), 1U);
    EXPECT_EQ(ended("news", outcome::accepted), 3);
}

TEST_F(TargetSenderTest, APageWhoseSettlementComesLateIsCountedThoughItsShardSeemedToBeOver) {
    make();
    auto news = claim_empty("news", 2);
    sender->assign(news.event, std::move(news.shards.front()));
    turn();
    link.perform(mishap::none, later);  // The first page is read, and over at once.
    turn();
    link.perform(mishap::refused, later);  // Its settlement is refused; that of the second is not.
    run();
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 1);
    EXPECT_TRUE(left.empty()) << "the shard leaves with its last settlement";
    EXPECT_TRUE(drained.empty());
    pass(200ms);
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 2);
    EXPECT_EQ(left.size(), 1U);
    EXPECT_EQ(drained, std::vector<std::string>{"news"});
}

TEST_F(TargetSenderTest, AShardOfWhichRedisHasLostASettlementIsGivenBack) {
    make();
    auto news = claim_empty("news", 2);
    sender->assign(news.event, std::move(news.shards.front()));
    turn();
    link.perform(mishap::none, later);
    turn();
    link.perform(mishap::none, later);
    // A failover, to a replica that does not know the settlement of the first page.
    server.cli({"SETBIT", keys.settled("news"), "0", "0"});
    run();
    EXPECT_EQ(left.size(), 1U);
    EXPECT_TRUE(drained.empty());
    ASSERT_EQ(left_of("news", "b").size(), 1U) << "for any engine to take, at once";
}

TEST_F(TargetSenderTest, WhatAPageCannotReadOfTheStoreIsSaidAndHoldsUpNothing) {
    make();
    auto news = claim_empty("news", 2);
    server.cli({"SET", keys.roster_bucket("mairies", platform::fcm, "21231", 1, 0), "no bucket"});
    // Of an all-clear: whom the alert reached is looked up again.
    event_plan plan = plan_for("clear", 1, mairies);
    auto& whom = plan.targets.front().shards.emplace_back();
    whom.hashed = {{21'231, hash_token("here")}, {21'231, hash_token("there")}};
    auto clear = claim_all(plan, priority::normal, mairies);
    server.cli({"HSET", keys.rosters("mairies"), "index", "1:1"});
    server.cli({"SET", keys.index_bucket("mairies", platform::fcm, 0), "no index"});
    // Devices that wait for a retry: whether they have left cannot be known.
    auto retry = claim("retry", 1, 3);
    assign(news);
    assign(clear);
    assign(retry);
    EXPECT_EQ(take_all().size(), 3U);
    accept(3);
    EXPECT_EQ(sum("news", ledger_names::damaged_rosters), 1);
    EXPECT_EQ(sum("clear", ledger_names::damaged_rosters), 2);
    EXPECT_EQ(ended("retry", outcome::accepted), 3);
    EXPECT_EQ(drained.size(), 3U);
}

TEST_F(TargetSenderTest, APageThatAnotherEngineHasSettledIsNotSent) {
    make();
    auto news = claim("news", 1, 3);
    page_settlement theirs;
    theirs.event = "news";
    theirs.which = mairies;
    theirs.shard_entry = news.shards.front().entry;
    ASSERT_TRUE(ask(book.settle(theirs)).has_value());
    assign(news);
    EXPECT_TRUE(take_all().empty());
    EXPECT_EQ(left.size(), 1U);
    EXPECT_EQ(drained.size(), 1U);
    EXPECT_EQ(numbers.exposition().find("tocsin_pages_total{"), std::string::npos);
}

TEST_F(TargetSenderTest, ADeviceThatHasUnregisteredWhileItWaitedIsNotSentTo) {
    make();
    auto news = claim("news", 1, 3);
    device once;
    once.registered_at = 5;
    news.shards[0].work.devices[1].entry = encode_roster_entry(once);
    assign(news);
    EXPECT_EQ(take_all().size(), 2U);
    accept(2);
    EXPECT_EQ(ended("news", outcome::cancelled), 1);
}

TEST_F(TargetSenderTest, ARetryGoesOutWhenItIsDue) {
    make();
    auto news = claim("news", 1, 1);
    assign(news);
    take_all();
    pass(100ms);  // From here on the lane, which has nothing to do, is looked at once a second.
    verdict later_please;
    later_please.status = 429;
    later_please.action = reaction::retry_here;
    later_please.retry_after = 300ms;
    later_please.told = true;
    answer(*channels.back(), 1, later_please);
    EXPECT_TRUE(take_all().empty());
    pass(330ms);
    EXPECT_EQ(take_all().size(), 1U);
}

TEST_F(TargetSenderTest, WhatIsOnlyTriedOutIsAcceptedWithoutItsProvider) {
    make();
    auto trial = claim("trial", 1, 3);
    trial.event->content.mode = delivery_mode::dry_run;
    assign(trial);
    EXPECT_TRUE(take_all().empty());
    EXPECT_EQ(ended("trial", outcome::accepted), 3);
    EXPECT_EQ(left.size(), 1U);
}

TEST_F(TargetSenderTest, ALaneThatCannotOpenASingleStreamIsNotCalledBoundByTheEngine) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    struct state {
        const char* what;
        channel_statistics connections;
        lane_bound wanted;
    };
    for (const state& one : std::vector<state>{
             {"there is none", {}, lane_bound::streams},
             {"one is dialled", {.connections_connecting = 1}, lane_bound::streams},
             {"all drain", {.connections_draining = 3}, lane_bound::streams},
             {"none grants a stream", {.connections_ready = 2, .saturated = true}, lane_bound::streams},
             {"one has streams", {.connections_ready = 1}, lane_bound::engine}}) {
        channels.back()->connections = one.connections;
        pass(1s);
        EXPECT_EQ(sender->status().bound, one.wanted) << one.what;
    }
}

}  // namespace
}  // namespace tocsin
