#include "engine/plan/ledger.hpp"

#include "engine/plan/ledger_names.hpp"
#include "tests/support/redis_fixture.hpp"

#include <string>
#include <vector>

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
        run(book.finish("crue", document, 1'000, time.wall_now(), 24h, {mairies})).value(),
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

TEST_F(LedgerTest, TheResultIsPublishedOnceHoweverManyFinishIt) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    const auto finish = [this](ledger& by) {
        const std::string document = R"({"state":"finished"})";
        return run(by.finish("crue", document, 1'000, time.wall_now(), 24h, {mairies})).value();
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
        run(other.finish("crue", document, 1'000, time.wall_now(), 24h, {mairies})).value(),
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

}  // namespace
}  // namespace tocsin
