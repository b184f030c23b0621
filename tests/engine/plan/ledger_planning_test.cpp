#include "tests/engine/plan/ledger_fixture.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class LedgerPlanningTest : public testing::ledger_fixture {};

TEST_F(LedgerPlanningTest, AReplayOfAnEntryIsNotASecondEvent) {
    EXPECT_EQ(run(book.plan(plan_of(2), event_state::running)).value(), plan_outcome::created);
    EXPECT_EQ(run(other.plan(plan_of(2), event_state::running)).value(), plan_outcome::exists);
    EXPECT_EQ(run(other.plan(plan_of(2, "2-0"), event_state::running)).value(), plan_outcome::duplicate);
    EXPECT_EQ(claim(book).shards.size(), 2U);
    EXPECT_EQ(claim(other).shards.size(), 0U);
}

TEST_F(LedgerPlanningTest, TheEntryIsAcknowledgedTogetherWithTheEventBecomingVisible) {
    server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0", "MKSTREAM"});
    server.cli({"XADD", keys.events(), "1-0", "event", "{}"});
    server.cli({"XREADGROUP", "GROUP", "tocsin", "a", "STREAMS", keys.events(), ">"});
    ASSERT_TRUE(run(book.plan(plan_of(1), event_state::running)).has_value());
    EXPECT_TRUE(run(book.running(10)).value().empty());
    EXPECT_EQ(server.cli({"XPENDING", keys.events(), "tocsin"}).substr(0, 1), "1");
    ASSERT_TRUE(run(book.activate("crue", "1-0", priority::normal, time.wall_now())).has_value());
    EXPECT_EQ(run(book.running(10)).value(), std::vector<std::string>{"crue"});
    EXPECT_EQ(server.cli({"XPENDING", keys.events(), "tocsin"}).substr(0, 1), "0");
}

TEST_F(LedgerPlanningTest, TheMostUrgentEventComesFirst) {
    const auto at = time.wall_now();
    ASSERT_TRUE(run(book.activate("newsletter", "", priority::low, at)).has_value());
    ASSERT_TRUE(run(book.activate("late-alert", "", priority::critical, at + 5s)).has_value());
    ASSERT_TRUE(run(book.activate("notice", "", priority::normal, at - 5s)).has_value());
    EXPECT_EQ(
        run(book.running(10)).value(), (std::vector<std::string>{"late-alert", "notice", "newsletter"}));
}

TEST_F(LedgerPlanningTest, WhatIsLeftOfAForgottenEventMakesWayForTheNewOne) {
    start(2);
    const auto before = claim(book).shards;
    ASSERT_TRUE(run(book.settle(settlement_of(before[0], 5))).has_value());
    server.cli({"DEL", keys.ledger("crue")});
    EXPECT_EQ(run(book.plan(plan_of(2, "9-0"), event_state::running)).value(), plan_outcome::created);
    EXPECT_EQ(claim(other).shards.size(), 2U);
    EXPECT_EQ(open(0), page_state::opened) << "nothing of it is settled";
}

}  // namespace
}  // namespace tocsin
