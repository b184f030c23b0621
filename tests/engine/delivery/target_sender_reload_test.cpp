#include "tests/engine/delivery/target_sender_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mishap;
using testing::TargetSenderTest;

TEST_F(TargetSenderTest, ALimitedRateIsSpentGrantByGrant) {
    make().obey({}, 100);
    auto news = claim("news", 1, 50);
    sender->assign(news.event, std::move(news.shards.front()));
    for (turn(); sender->status().waiting == 0; turn()) {
        link.perform(mishap::none, later);
    }
    EXPECT_TRUE(take_all().empty()) << "nothing was granted yet";
    run();
    std::size_t sent = take_all().size();
    EXPECT_GE(sent, 1U);
    EXPECT_LE(sent, 5U) << "a twentieth of a second";
    for (int i = 0; i < 10; ++i) {
        pass(50ms);
        sent += take_all().size();
    }
    EXPECT_GT(sent, 5U);
    EXPECT_LE(sent, 60U);
}

TEST_F(TargetSenderTest, AQuotaThatIsUsedUpIsToldAndSlowsEverybodyDown) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    take_all();
    verdict no_more;
    no_more.status = 429;
    no_more.action = reaction::pause_quota;
    no_more.reason = "QUOTA_EXCEEDED";
    no_more.retry_after = 60s;
    answer(*channels.back(), 1, no_more);
    ASSERT_EQ(used_up.size(), 1U);
    EXPECT_EQ(used_up.front().first, service->quota());
    EXPECT_EQ(used_up.front().second, time.wall_now() + 60s);
    EXPECT_EQ(server.cli({"EXISTS", keys.limit(to_string(mairies))}), "1");
    EXPECT_EQ(sender->status().bound, lane_bound::quota);
}

TEST_F(TargetSenderTest, AReloadLeavesWhatIsInFlightToTheOldChannelAndRendersTheRestAnew) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    testing::imagined_channel* const before = channels.back();
    push* const in_flight = before->take(time.now());
    ASSERT_NE(in_flight, nullptr);
    const message* const old_content = in_flight->content;

    sender->reload(std::make_shared<testing::imagined_provider>(platform::fcm, channels), 1);
    sender->obey({}, 0);
    ASSERT_EQ(channels.size(), 2U);
    EXPECT_EQ(before->take(time.now()), nullptr) << "the old channel takes nothing more";
    const auto rest = take_all();
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_NE(rest.front()->content, old_content);
    EXPECT_EQ(in_flight->content, old_content);

    accept(2);
    EXPECT_EQ(ended("news", outcome::accepted), 0);
    answer(*before, 1, accepted);
    EXPECT_EQ(ended("news", outcome::accepted), 3) << "and its answer is counted";
    pass(1s);
    EXPECT_EQ(channels.size(), 1U) << "the old channel has gone";
}

TEST_F(TargetSenderTest, WhatComesBackFromTheOldChannelGoesOutAnew) {
    make();
    auto news = claim("news", 1, 1);
    assign(news);
    testing::imagined_channel* const before = channels.back();
    push* const in_flight = before->take(time.now());
    const message* const old_content = in_flight->content;
    sender->reload(std::make_shared<testing::imagined_provider>(platform::fcm, channels), 1);
    verdict refused;
    refused.action = reaction::resend;
    answer(*before, 1, refused);
    sender->obey({}, 0);
    const auto again = take_all();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again.front(), in_flight);
    EXPECT_NE(in_flight->content, old_content);
}

TEST_F(TargetSenderTest, AReloadEndsThePauseForACredentialThatWasRefused) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    take_all();
    verdict refused;
    refused.status = 403;
    refused.action = reaction::pause_app;
    refused.reason = "InvalidProviderToken";
    answer(*channels.back(), 3, refused);
    EXPECT_TRUE(take_all().empty());
    EXPECT_EQ(sender->status().bound, lane_bound::credential);
    sender->reload(service, 1);
    sender->obey({}, 0);
    EXPECT_EQ(take_all().size(), 1U) << "the one that was refused last: the others wait a moment";
}

TEST_F(TargetSenderTest, TheShardsOfAnAppThatHasGoneWaitUntilItIsBack) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    sender->reload(nullptr, 1);
    run();
    EXPECT_EQ(channels.back()->take(time.now()), nullptr);
    pass(10s);
    EXPECT_TRUE(channels.empty());
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(sender->status().waiting, 3U);

    sender->reload(service, 2);
    sender->obey({}, 0);
    EXPECT_EQ(take_all().size(), 3U);
    accept(3);
    EXPECT_EQ(ended("news", outcome::accepted), 3);
}

}  // namespace
}  // namespace tocsin
