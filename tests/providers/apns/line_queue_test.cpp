#include "tests/providers/apns/line_fixture.hpp"

namespace tocsin::apns {
namespace {

using namespace std::chrono_literals;
using enum reaction;

TEST_F(ApnsLineTest, EachEnvironmentGetsItsOwnPushes) {
    line::pair(production, sandbox);
    push& a = add(false);
    push& b = add(true);
    push& c = add(true);
    push& d = add(false);
    next(production);
    EXPECT_EQ(request.context, &a);
    next(production);
    EXPECT_EQ(request.context, &d);
    EXPECT_GE(sandbox_wakes, 1);
    EXPECT_EQ(next(sandbox).at(":authority"), "api.sandbox.push.apple.com");
    EXPECT_EQ(request.context, &b);
    next(sandbox);
    EXPECT_EQ(request.context, &c);
    EXPECT_TRUE(next(sandbox).empty());
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, WithoutAPartnerALineSendsBothEnvironments) {
    add(true);
    EXPECT_FALSE(next(production).empty());
}

TEST_F(ApnsLineTest, LooksForWorkWithoutWakingAPoolInVain) {
    line::pair(production, sandbox);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.wake_if_filled();
    EXPECT_EQ(sandbox_wakes, 1);
    add(false);
    add(false);
    EXPECT_TRUE(production.look_for_work(time.now()));
    EXPECT_EQ(source.waiting.size(), 1U);  // One is enough to know.
    EXPECT_EQ(production.in_flight(), 1U);
}

TEST_F(ApnsLineTest, ProductionNeverWaitsForTheSandbox) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::sandbox_queue_limit + 10; ++i) {
        add(true);
    }
    push& urgent = add(false);
    next(production);
    EXPECT_EQ(request.context, &urgent);
    ASSERT_EQ(source.verdicts.size(), 10U);
    EXPECT_EQ(source.verdicts[0].action, retry_elsewhere);
    EXPECT_EQ(source.verdicts[0].reason, "SandboxBusy");
    EXPECT_EQ(source.verdicts[0].retry_after, 5s);
    EXPECT_EQ(sandbox.in_flight(), line::sandbox_queue_limit);
}

TEST_F(ApnsLineTest, TheSandboxStopsDrawingWhenProductionHasEnough) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::production_queue_limit + 10; ++i) {
        add(false);
    }
    EXPECT_TRUE(next(sandbox).empty());
    EXPECT_EQ(source.waiting.size(), 10U);
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, LookingForWorkStopsAtAFullSandbox) {
    line::pair(production, sandbox);
    for (std::size_t i = 0; i < line::sandbox_queue_limit + 10; ++i) {
        add(true);
    }
    // What comes behind may be for production: its pool has to ask.
    EXPECT_TRUE(production.look_for_work(time.now()));
    EXPECT_EQ(source.waiting.size(), 10U);
    EXPECT_TRUE(source.verdicts.empty());
}

TEST_F(ApnsLineTest, WhatExpiresInTheQueueGoesBack) {
    line::pair(production, sandbox);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    time.advance(1h);
    EXPECT_TRUE(next(sandbox).empty());
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(sandbox.in_flight(), 0U);
}

TEST_F(ApnsLineTest, WhatExpiresGoesBackThoughNobodyDraws) {
    line::pair(production, sandbox);
    add(true);
    add(true);
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.drop_over(time.now());
    EXPECT_TRUE(source.verdicts.empty());
    EXPECT_EQ(sandbox.in_flight(), 2U);
    time.advance(1h);
    sandbox.drop_over(time.now());
    EXPECT_EQ(source.verdicts.size(), 2U);
    EXPECT_FALSE(sandbox.has_queued());
    EXPECT_TRUE(next(sandbox).empty());
}

TEST_F(ApnsLineTest, WhatIsCancelledInTheQueueGoesBackThoughNobodyDraws) {
    line::pair(production, sandbox);
    add(true);
    add(true);
    source.unwanted = source.waiting.back();
    EXPECT_FALSE(production.look_for_work(time.now()));
    sandbox.drop_over(time.now());
    ASSERT_EQ(source.verdicts.size(), 1U);
    EXPECT_EQ(source.verdicts[0].item, source.unwanted);
    EXPECT_EQ(source.verdicts[0].action, resend);
    EXPECT_EQ(sandbox.in_flight(), 1U);
}

TEST_F(ApnsLineTest, AKeyForProductionAloneDoesNotStopProduction) {
    line::pair(production, sandbox);
    add(true);
    next(sandbox);
    answer(sandbox, 403, R"({"reason":"BadEnvironmentKeyInToken"})");
    EXPECT_EQ(source.verdicts[0].action, reject_push);
    EXPECT_FALSE(health.problem().has_value());
    EXPECT_EQ(log.events.size(), 1U);
}

TEST_F(ApnsLineTest, IsUrgentWhenItsSourceIs) {
    EXPECT_FALSE(production.urgent());
    source.is_urgent = true;
    EXPECT_TRUE(production.urgent());
}

}  // namespace
}  // namespace tocsin::apns
