#include "tests/engine/delivery/target_sender_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::TargetSenderTest;

TEST_F(TargetSenderTest, LateAnswersDoNotHoldUpThePageThatComesNext) {
    make();
    auto news = claim("news", 3, 16);
    assign(news);
    EXPECT_EQ(take_all().size(), 32U);
    accept(11, 0);
    EXPECT_EQ(ended("news", outcome::accepted), 0);
    accept(1, 0);  // Four are left: a quarter of the page.
    EXPECT_EQ(ended("news", outcome::accepted), 12);
    EXPECT_EQ(parked("news"), 1) << "the four, under one name";
    EXPECT_EQ(left.size(), 1U) << "their shard goes without them";
    EXPECT_TRUE(take_all().empty()) << "what may have been sent to counts for a page";
    accept(12, 1);
    EXPECT_EQ(take_all().size(), 16U) << "the late ones of two pages count for one";

    accept(4, 0);
    accept(4, 1);
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
    auto news = claim("news", 7, 1'000);
    assign(news);
    for (std::uint32_t page = 0; page < 5; ++page) {
        take_all();
        accept(936, page);
    }
    EXPECT_EQ(sum("news", ledger_names::pages_settled), 4);
    EXPECT_EQ(parked("news"), 4);
}

TEST_F(TargetSenderTest, SmallPagesMayBeLateInGreaterNumber) {
    make();
    auto villages = claim("villages", 35, 16);
    assign(villages);
    for (std::uint32_t page = 0; page < 33; ++page) {
        take_all();
        accept(12, page);
    }
    EXPECT_EQ(sum("villages", ledger_names::pages_settled), 32) << "an eighth of a page each, at least";
    EXPECT_EQ(parked("villages"), 32);
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

}  // namespace
}  // namespace tocsin
