#include "engine/plan/ledger.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/plan/report.hpp"
#include "engine/redis/error.hpp"
#include "tests/support/redis_fixture.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const target mairies{"mairies", platform::fcm};

shard one_page(std::uint32_t number) {
    shard out;
    out.first_page = number;
    out.runs.push_back({{*parse_commune_id("21231"), {}}, 1, number * buckets_per_page, buckets_per_page});
    return out;
}

class LedgerTest : public testing::redis_fixture {
protected:
    event_plan plan_of(std::uint32_t shards, std::string entry = "1-0") {
        event_plan out;
        out.event = "crue";
        out.entry = std::move(entry);
        out.fields = {{"event", "{}"}};
        out.targets.push_back({mairies, {}});
        for (std::uint32_t i = 0; i < shards; ++i) {
            out.targets.back().shards.push_back(one_page(i));
        }
        out.pages = shards;
        return out;
    }
    void start(std::uint32_t shards) {
        ASSERT_EQ(run(book.plan(plan_of(shards), "running")).value(), plan_outcome::created);
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
        out.shard_done = true;
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

TEST_F(LedgerTest, AReplayOfAnEntryIsNotASecondEvent) {
    EXPECT_EQ(run(book.plan(plan_of(2), "running")).value(), plan_outcome::created);
    EXPECT_EQ(run(other.plan(plan_of(2), "running")).value(), plan_outcome::exists);
    EXPECT_EQ(run(other.plan(plan_of(2, "2-0"), "running")).value(), plan_outcome::duplicate);
    EXPECT_EQ(claim(book).shards.size(), 2U);
    EXPECT_EQ(claim(other).shards.size(), 0U);
}

TEST_F(LedgerTest, TheEntryIsAcknowledgedTogetherWithTheEventBecomingVisible) {
    server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0", "MKSTREAM"});
    server.cli({"XADD", keys.events(), "1-0", "event", "{}"});
    server.cli({"XREADGROUP", "GROUP", "tocsin", "a", "STREAMS", keys.events(), ">"});
    ASSERT_TRUE(run(book.plan(plan_of(1), "running")).has_value());
    EXPECT_TRUE(run(book.running(10)).value().empty());
    EXPECT_EQ(server.cli({"XPENDING", keys.events(), "tocsin"}).substr(0, 1), "1");
    ASSERT_TRUE(run(book.activate("crue", "1-0", priority::normal, time.wall_now())).has_value());
    EXPECT_EQ(run(book.running(10)).value(), std::vector<std::string>{"crue"});
    EXPECT_EQ(server.cli({"XPENDING", keys.events(), "tocsin"}).substr(0, 1), "0");
}

TEST_F(LedgerTest, TheMostUrgentEventComesFirst) {
    const auto at = time.wall_now();
    ASSERT_TRUE(run(book.activate("newsletter", "", priority::low, at)).has_value());
    ASSERT_TRUE(run(book.activate("late-alert", "", priority::critical, at + 5s)).has_value());
    ASSERT_TRUE(run(book.activate("notice", "", priority::normal, at - 5s)).has_value());
    EXPECT_EQ(
        run(book.running(10)).value(), (std::vector<std::string>{"late-alert", "notice", "newsletter"}));
}

TEST_F(LedgerTest, APageThatIsSettledTwiceCountsOnce) {
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

TEST_F(LedgerTest, WhoeverComesAfterTheEndAddsNothingAndLeavesNothingBehind) {
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
    unfinished.shard_done = false;
    const auto answer = run(other.settle(unfinished)).value();
    EXPECT_TRUE(answer.repeated);
    EXPECT_EQ(answer.state, "finished");
    EXPECT_TRUE(run(other.renew("crue", mairies, {late[0].entry})).has_value());
    EXPECT_EQ(field("targeted"), "10");
    EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
}

TEST_F(LedgerTest, NewShardsAreTakenInPiecesThatLeaveSomeForEachEngine) {
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

TEST_F(LedgerTest, AShardWithAMomentOfItsOwnIsOpenAndTakenWhenThatHasCome) {
    event_plan plan = plan_of(3);
    const wall_time evening = time.wall_now();
    const wall_time morning = evening + 9h;
    plan.when.add({.first_page = 1, .pages = 2, .starts = morning, .over = 20s});
    ASSERT_EQ(run(book.plan(plan, "running")).value(), plan_outcome::created);
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

TEST_F(LedgerTest, OfACancelledEventWhatWaitsForItsMomentIsTakenAtOnce) {
    event_plan plan = plan_of(3);
    plan.when.add({.first_page = 0, .pages = 3, .starts = time.wall_now() + 9h});
    ASSERT_EQ(run(book.plan(plan, "running")).value(), plan_outcome::created);
    EXPECT_TRUE(claim(book).shards.empty());
    server.cli({"HSET", "tocsin:{e:crue}:ledger", "state", "cancelling"});
    EXPECT_EQ(claim(book).shards.size(), 3U);
}

TEST_F(LedgerTest, WhatWaitsIsGoneWithTheEvent) {
    event_plan plan = plan_of(2);
    plan.when.add({.first_page = 0, .pages = 2, .starts = time.wall_now() + 9h});
    ASSERT_EQ(run(book.plan(plan, "running")).value(), plan_outcome::created);
    ASSERT_TRUE(run(book.give_up("crue", "why", {mairies})).has_value());
    EXPECT_EQ(server.cli({"EXISTS", "tocsin:{e:crue}:waiting:mairies/fcm"}), "0");
}

TEST_F(LedgerTest, WhomAnEventReachedIsRememberedByPageAndReadBack) {
    const auto device = [](const std::string& token) {
        return hashed_device{commune_id(*parse_commune_id("21231")).value(), hash_token(token)};
    };
    start(2);
    const auto shards = claim(book).shards;
    const auto remembered = [&](const claimed_shard& from, const std::string& sent,
                                const std::string& not_sent) {
        page_settlement out = settlement_of(from, 1);
        out.devices = 2;
        out.reached = encode_hashed({device(sent)});
        out.others = encode_hashed({device(not_sent)});
        out.remember_for = 1h;
        return out;
    };
    open(shards[0].work.first_page);
    ASSERT_TRUE(run(book.settle(remembered(shards[0], "sent", "cancelled"))).has_value());
    EXPECT_EQ(run(book.reached("crue", mairies)).value(), std::vector{device("sent")});
    // Two engines opened the other page: nobody knows whom the first has sent to.
    open(shards[1].work.first_page);
    open(shards[1].work.first_page);
    ASSERT_TRUE(run(book.settle(remembered(shards[1], "also sent", "perhaps"))).has_value());
    // Settled again, it adds nothing.
    ASSERT_TRUE(run(other.settle(remembered(shards[1], "a third", "a fourth"))).has_value());
    auto all = run(book.reached("crue", mairies)).value();
    EXPECT_THAT(all, ::testing::UnorderedElementsAre(device("sent"), device("also sent"), device("perhaps")));
    // It outlives the event.
    ASSERT_EQ(
        run(book.finish(
                "crue", R"({"state":"cancelled"})", field("revision"), 1'000, time.wall_now(), 24h,
                {mairies}))
            .value(),
        finish_outcome::published);
    EXPECT_EQ(run(book.reached("crue", mairies)).value().size(), 3U);
    EXPECT_NE(server.cli({"PTTL", "tocsin:{e:crue}:reached:mairies/fcm"}), "-1");
}

TEST_F(LedgerTest, KnowsWhetherAnEventIsUnderWayOverOrUnknown) {
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::none);
    start(1);
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::under_way);
    server.cli({"HSET", "tocsin:{e:crue}:ledger", "state", "finished"});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::ended);
    server.cli({"DEL", "tocsin:{e:crue}:ledger"});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::none);
    server.cli({"HSET", "tocsin:{e:crue}:reached:mairies/fcm", "0", ""});
    EXPECT_EQ(run(book.known("crue", {mairies})).value(), ledger::knowledge::ended);
}

TEST_F(LedgerTest, AShardOfASilentEngineIsTakenOverAndOfALivingOneIsNot) {
    start(3);
    const auto held = claim(book, 3).shards;
    ASSERT_EQ(held.size(), 3U);
    EXPECT_TRUE(claim(other).shards.empty());
    EXPECT_EQ(claim(other, 10, 0ms).shards.size(), 3U);
}

TEST_F(LedgerTest, ARestartedEngineFindsItsOwnShards) {
    start(3);
    ASSERT_EQ(claim(book, 2).shards.size(), 2U);
    ledger reborn(redis, keys, "a");
    EXPECT_EQ(claim(reborn, 10, 1h, true).shards.size(), 3U);
}

TEST_F(LedgerTest, AReleasedShardIsAtOnceAnybodysToTake) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_EQ(held.size(), 1U);
    ASSERT_TRUE(run(book.release("crue", mairies, held[0].entry)).has_value());
    const auto taken = claim(other).shards;
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].work, held[0].work);
    EXPECT_EQ(field("open"), "1");
}

TEST_F(LedgerTest, ParkedPushesComeBackAsAShardWhenTheyAreDueAndKeepTheEventOpen) {
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

/// A page of 10 devices that was settled with two of them late, and what becomes of these.
class LateDevicesTest : public LedgerTest {
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

TEST_F(LedgerTest, TheResultIsPublishedOnceHoweverManyFinishIt) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    const auto finish = [this](ledger& by) {
        const std::string document = R"({"state":"finished"})";
        return run(by.finish("crue", document, field("revision"), 1'000, time.wall_now(), 24h, {mairies}))
            .value();
    };
    EXPECT_EQ(finish(book), finish_outcome::published);
    EXPECT_EQ(finish(other), finish_outcome::had_ended);
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "1");
    EXPECT_TRUE(run(book.running(10)).value().empty());
    // The id is still known, and nothing else of the event is left.
    EXPECT_EQ(run(book.plan(plan_of(1, "9-0"), "running")).value(), plan_outcome::duplicate);
    EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
}

TEST_F(LedgerTest, AnEngineThatDiesWhilePublishingLeavesOneResult) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    // The first one got as far as the stream, and no further.
    server.cli({"HSET", keys.ledger("crue"), "result", R"({"state":"finished","by":"a"})"});
    server.cli({"ZADD", keys.published(), "1", "crue"});
    server.cli({"XADD", keys.results(), "*", "result", R"({"state":"finished","by":"a"})"});
    const std::string document = R"({"state":"failed","by":"b"})";
    EXPECT_EQ(
        run(other.finish("crue", document, field("revision"), 1'000, time.wall_now(), 24h, {mairies}))
            .value(),
        finish_outcome::published);
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "1");
    EXPECT_EQ(field("state"), "finished");
}

TEST_F(LedgerTest, AShardThatIsTakenUpAgainAndAgainWithoutProgressIsPutAside) {
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

TEST_F(LedgerTest, ProgressForgivesTakeovers) {
    start(1);
    auto held = claim(book, 1).shards;
    for (int i = 0; i < 6; ++i) {
        ASSERT_EQ(held.size(), 1U) << i;
        page_settlement settlement = settlement_of(held[0], 1);
        settlement.page = static_cast<std::uint32_t>(i);
        settlement.shard_done = false;
        ASSERT_TRUE(run(book.settle(settlement)).has_value());
        held = claim(i % 2 == 0 ? other : book, 1, 0ms).shards;
    }
    EXPECT_EQ(field("open"), "1");
}

TEST_F(LedgerTest, DeadDevicesWaitInTheLedgerUntilTheyAreRemoved) {
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

TEST_F(LedgerTest, NothingEndsBeforeEverythingIsDoneAndCountedHoweverLongTheWordWasOnItsWay) {
    start(2);
    EXPECT_EQ(finish(other, ""), finish_outcome::unfinished) << "whoever thinks that it is for nobody";
    const auto shards = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(shards[0], 5))).has_value());
    const std::string early = field("revision");
    EXPECT_EQ(finish(other, early), finish_outcome::unfinished) << "a shard is open";
    page_settlement last = settlement_of(shards[1], 5);
    const listed_device later{
        .commune = 21'231, .token = "t", .entry = encode_roster_entry(device{}), .counted = true};
    last.increments.back().second = 6;
    last.parked = {{0, encode_listed(later)}};
    EXPECT_FALSE(run(book.settle(last)).value().drained);
    EXPECT_EQ(finish(other, field("revision")), finish_outcome::unfinished) << "a push is parked";
    const auto retry = claim(book).shards;
    ASSERT_EQ(retry.size(), 1U);
    page_settlement again = settlement_of(retry[0], 1);
    again.increments.pop_back();
    EXPECT_TRUE(run(book.settle(again)).value().drained);
    EXPECT_EQ(finish(other, early), finish_outcome::unfinished) << "made of sums that are no more";
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "0");
    EXPECT_EQ(finish(other, field("revision")), finish_outcome::published);
    EXPECT_EQ(field("targeted"), "11");
}

TEST_F(LedgerTest, NothingIsAddedOnceTheDocumentIsMade) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    server.cli({"HSET", keys.ledger("crue"), "result", R"({"state":"finished"})"});
    page_settlement late = settlement_of(held[0], 7);
    late.page = 5;
    EXPECT_TRUE(run(other.settle(late)).value().repeated);
    EXPECT_EQ(field("targeted"), "5");
}

TEST_F(LedgerTest, WhatIsLeftOfAForgottenEventMakesWayForTheNewOne) {
    start(2);
    const auto before = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(before[0], 5))).has_value());
    server.cli({"DEL", keys.ledger("crue")});
    EXPECT_EQ(run(book.plan(plan_of(2, "9-0"), "running")).value(), plan_outcome::created);
    EXPECT_EQ(claim(other).shards.size(), 2U);
    EXPECT_EQ(open(0), page_state::opened) << "nothing of it is settled";
}

TEST_F(LedgerTest, WhateverIsDamagedEndsItsEventAndTheSumsAgree) {
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
        EXPECT_EQ(final_state(report), "failed");
        EXPECT_EQ(finish(other, field("revision")), finish_outcome::published);
        EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
    }
}

TEST_F(LedgerTest, ALedgerThatIsSomethingElseIsLeftAlone) {
    server.cli({"SET", keys.ledger("crue"), "x"});
    EXPECT_EQ(run(book.plan(plan_of(1), "running")).value(), plan_outcome::damaged);
    EXPECT_NE(claim(book).damaged, "");
    EXPECT_EQ(run(book.read("crue")).error(), redis::redis_errc::damaged);
    EXPECT_EQ(run(book.give_up("crue", "x", {mairies})).value(), ledger::given_up::nowhere);
    EXPECT_EQ(server.cli({"GET", keys.ledger("crue")}), "x");
}

TEST_F(LedgerTest, AShardThatIsNoneIsPutAsideAndNeverHandedOut) {
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
