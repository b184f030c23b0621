#include "engine/delivery/target_sender.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/sending_fixture.hpp"

#include <algorithm>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::mishap;

class TargetSenderTest : public testing::SendingTest {
protected:
    target_sender& make() {
        sender = std::make_unique<target_sender>(
            sending_thread{
                loop.get_executor(), 0, how, time, log, shard_of_numbers, own_book, pages, quotas, load,
                *this},
            mairies, service, 0);
        run();
        return *sender;
    }
    void assign(claimed_event& to) {
        for (claimed_shard& one : to.shards) {
            sender->assign(to.event, std::move(one));
        }
        run();
    }
    std::int64_t parked(const std::string& id) {
        return std::stoll(server.cli({"ZCARD", keys.parked(id, to_string(mairies))}));
    }
    bool opened(const std::string& id, std::uint32_t page) {
        return server.cli({"GETRANGE", keys.opened(id), std::to_string(page), std::to_string(page)}) ==
               "\x01";
    }

    ledger own_book{link, keys, "a"};
    device_store store{link, keys, {}};
    pruner remover{store, own_book, known_platforms(), time, log, removal_terms_of(how)};
    page_io pages{loop.get_executor(), own_book, store, remover, time, log, 0ms, 24h};
    quota_book quotas{link, keys, time, 0ms};
    thread_load load;
    std::unique_ptr<target_sender> sender;
};

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

TEST_F(TargetSenderTest, LateAnswersDoNotHoldUpThePageThatComesNext) {
    make();
    auto news = claim("news", 3, 16);
    assign(news);
    EXPECT_EQ(take_all().size(), 32U);
    accept(13, 0);
    EXPECT_EQ(ended("news", outcome::accepted), 0);
    accept(1, 0);  // Two are left: an eighth of the page.
    EXPECT_EQ(ended("news", outcome::accepted), 14);
    EXPECT_EQ(parked("news"), 1) << "the two, under one name";
    EXPECT_EQ(left.size(), 1U) << "their shard goes without them";
    EXPECT_TRUE(take_all().empty()) << "what may have been sent to counts for a page";
    accept(14, 1);
    EXPECT_EQ(take_all().size(), 16U) << "the late ones of two pages count for one";

    accept(2, 0);
    accept(2, 1);
    EXPECT_EQ(ended("news", outcome::accepted), 32);
    EXPECT_EQ(parked("news"), 0);
    accept(16, 2);
    EXPECT_EQ(ended("news", outcome::accepted), 48);
    EXPECT_EQ(sum("news", ledger_names::targeted), 48);
    EXPECT_EQ(sum("news", ledger_names::possible_duplicates), 0);
}

TEST_F(TargetSenderTest, AnAnswerThatComesWhileItsPageIsSettledEarlyIsCounted) {
    make();
    auto news = claim("news", 3, 16);
    assign(news);
    take_all();
    for (int i = 0; i < 14; ++i) {
        channels.back()->answer(0, accepted, time.now());
    }
    turn();  // The early settlement is on its way.
    accept(2, 0);
    EXPECT_EQ(ended("news", outcome::accepted), 16);
    EXPECT_EQ(parked("news"), 0);
}

TEST_F(TargetSenderTest, NothingIsSettledEarlyWhileNoPageWaits) {
    make();
    auto news = claim("news", 2, 16);
    sender->assign(news.event, std::move(news.shards[0]));
    run();
    take_all();
    accept(15, 0);
    sender->assign(news.event, std::move(news.shards[1]));  // All room is taken by now, and none is needed.
    run();
    take_all();
    accept(15, 1);
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 0);
    accept(2);
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 2);
}

TEST_F(TargetSenderTest, NoMorePagesAreLateThanTwiceAsManyAsMayBeOpen) {
    make();
    auto news = claim("news", 7, 16);
    assign(news);
    for (std::uint32_t page = 0; page < 5; ++page) {
        take_all();
        accept(14, page);
    }
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 4);
    EXPECT_EQ(parked("news"), 4);
}

TEST_F(TargetSenderTest, WhoMutesTheCategoryIsCountedOnceAlsoInAPageThatIsSettledEarly) {
    make();
    auto news = claim("news", 3, 16);
    news.event->content.category = "sport";
    device muting;
    muting.mute = {"sport"};
    news.shards[0].work.devices.push_back({0, "quiet", encode_roster_entry(muting), 0, false, false});
    assign(news);
    take_all();
    accept(14, 0);
    EXPECT_EQ(ended("news", outcome::muted), 1);
    EXPECT_EQ(counted("muted"), 1);
    accept(2, 0);
    EXPECT_EQ(ended("news", outcome::muted), 1);
    EXPECT_EQ(counted("muted"), 1);
}

TEST_F(TargetSenderTest, TheLeaseOfLateDevicesIsKept) {
    make();
    auto news = claim("news", 3, 16);
    assign(news);
    take_all();
    accept(14, 0);
    time.advance(10s);
    boost::asio::co_spawn(loop, sender->renew_leases(), [](const std::exception_ptr&, result<>) {});
    run();
    time.advance(10s);
    EXPECT_TRUE(left_of("news", "b").empty());
    time.advance(10s);
    EXPECT_EQ(left_of("news", "b").size(), 1U) << "nobody kept it";
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

TEST_F(TargetSenderTest, AStopWaitsForAnswersAndGivesBackWhatWasNotOpened) {
    make();
    auto news = claim("news", 4, 10);
    assign(news);
    take_all();
    const time_point now = time.now();
    stop(sender->stop(now + 10s, now + 12s));
    EXPECT_FALSE(stopped);
    EXPECT_TRUE(left_of("news", "b").empty());
    accept(20);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(ended("news", outcome::accepted), 20);
    EXPECT_EQ(left.size(), 4U);
    EXPECT_EQ(left_of("news", "b").size(), 2U) << "for any engine to take, at once";
}

TEST_F(TargetSenderTest, AStopParksWhatWaitsInTheLane) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    stop(sender->stop(time.now() + 10s, time.now() + 12s));
    EXPECT_TRUE(stopped) << "nothing is in flight";
    EXPECT_EQ(parked("news"), 3);
    EXPECT_EQ(left.size(), 1U);
}

TEST_F(TargetSenderTest, AStopGivesUpOnAnswersInTimeAndRemembersThatTheyMayHaveBeenSent) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    take_all();
    accept(1);
    const time_point now = time.now();
    stop(sender->stop(now + 10s, now + 12s));
    pass(10s - 1ms);
    EXPECT_FALSE(stopped);
    pass(1ms);
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(channels.empty()) << "before the pages that its pushes stand in";
    EXPECT_EQ(ended("news", outcome::accepted), 1);
    EXPECT_EQ(parked("news"), 2);
    const auto again = left_of("news", "b");
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again.front().work.devices.at(0).maybe_sent);
}

TEST_F(TargetSenderTest, APageThatIsReadDuringAStopIsParkedAndSettled) {
    make();
    auto news = claim("news", 1, 3);
    sender->assign(news.event, std::move(news.shards.front()));
    turn();
    stop(sender->stop(time.now() + 10s, time.now() + 12s));
    EXPECT_TRUE(stopped);
    EXPECT_EQ(parked("news"), 3);
    EXPECT_EQ(left.size(), 1U);
}

TEST_F(TargetSenderTest, CancelledPushesEndAtOnce) {
    make();
    auto news = claim("news", 1, 3);
    assign(news);
    control_state said;
    said.cancelling.insert("news");
    sender->obey(said, 0);
    run();
    EXPECT_EQ(ended("news", outcome::cancelled), 3);
    EXPECT_EQ(left.size(), 1U);
}

}  // namespace
}  // namespace tocsin
