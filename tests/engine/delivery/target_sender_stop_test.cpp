#include "tests/engine/delivery/target_sender_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::TargetSenderTest;

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
