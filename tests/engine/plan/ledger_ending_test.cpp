#include "engine/audience/roster_codec.hpp"
#include "tests/engine/plan/ledger_fixture.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mairies;

class LedgerEndingTest : public testing::ledger_fixture {};

TEST_F(LedgerEndingTest, WhatWaitsIsGoneWithTheEvent) {
    event_plan plan = plan_of(2);
    plan.when.add({.first_page = 0, .pages = 2, .starts = time.wall_now() + 9h});
    ASSERT_EQ(run(book.plan(plan, event_state::running)).value(), plan_outcome::created);
    ASSERT_TRUE(run(book.give_up("crue", "why", {mairies})).has_value());
    EXPECT_EQ(server.cli({"EXISTS", "tocsin:{e:crue}:waiting:mairies/fcm"}), "0");
}

TEST_F(LedgerEndingTest, TheResultIsPublishedOnceHoweverManyFinishIt) {
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
    EXPECT_EQ(run(book.plan(plan_of(1, "9-0"), event_state::running)).value(), plan_outcome::duplicate);
    EXPECT_EQ(server.cli({"KEYS", "tocsin:{e:crue}:*"}), "tocsin:{e:crue}:ledger");
}

TEST_F(LedgerEndingTest, AResultThatCannotBePublishedForNowIsPublishedOnceItCanBe) {
    start(1);
    const auto held = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(held[0], 5))).value().drained);
    const auto finish = [this](ledger& by) {
        const std::string document = R"({"state":"finished"})";
        return run(by.finish("crue", document, field("revision"), 1'000, time.wall_now(), 24h, {mairies}));
    };
    for (const std::string& one : {keys.results(), keys.published()}) {
        server.cli({"SET", one, "of another program"});
        EXPECT_TRUE(finish(book).has_error()) << one;
        EXPECT_TRUE(finish(other).has_error()) << one;
        EXPECT_EQ(field("state"), "running") << one;
        server.cli({"DEL", one});
    }
    EXPECT_EQ(finish(other).value(), finish_outcome::published);
    EXPECT_EQ(finish(book).value(), finish_outcome::had_ended);
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "1");
}

TEST_F(LedgerEndingTest, AnEngineThatDiesWhilePublishingLeavesOneResult) {
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

TEST_F(LedgerEndingTest, NothingEndsBeforeEverythingIsDoneAndCountedHoweverLongTheWordWasOnItsWay) {
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

}  // namespace
}  // namespace tocsin
