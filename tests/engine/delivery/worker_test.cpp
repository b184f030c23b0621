#include "engine/delivery/worker.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/sending_fixture.hpp"

#include <algorithm>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class WorkerTest : public testing::SendingTest {
protected:
    void SetUp() override {
        work = std::make_unique<worker>(
            loop.get_executor(), 0, link, keys, store_sizing{}, known_platforms(), how, time, log,
            shard_of_numbers, *this);
        work->set_providers({service}, {{mairies, 7}}, 0);
    }
    void assign(claimed_event& to, const target& which) {
        for (claimed_shard& one : to.shards) {
            work->assign(to.event, which, std::move(one));
        }
        run();
    }
    void assign(claimed_event& to) { assign(to, mairies); }
    void use(std::vector<platform> platforms, std::map<target, std::uint64_t> rates = {}) {
        std::vector<std::shared_ptr<provider>> all;
        for (const platform on : platforms) {
            all.push_back(std::make_shared<testing::imagined_provider>(on, channels));
        }
        work->set_providers(all, std::move(rates), ++generation);
        run();
    }
    bool is_free(const std::string& event, const target& which) {
        return !left_of(event, "b", which).empty();
    }

    const target phones{"mairies", platform::apns};
    std::uint64_t generation = 0;
    std::unique_ptr<worker> work;
};

TEST_F(WorkerTest, EachTargetHasALaneOfItsOwn) {
    use({platform::fcm, platform::apns});
    auto one = claim("one", 1, 3);
    auto other = claim("other", 1, 2, priority::normal, phones);
    assign(one);
    assign(other, phones);
    ASSERT_EQ(channels.size(), 2U);
    const auto lanes = work->status();
    ASSERT_EQ(lanes.size(), 2U);
    for (const lane_status& lane : lanes) {
        EXPECT_EQ(lane.waiting, lane.which == phones ? 2U : 3U);
    }
}

TEST_F(WorkerTest, AShardThatNothingHereCanSendIsHandedBackAtOnce) {
    auto news = claim("news", 1, 3, priority::normal, phones);
    assign(news, phones);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().which, phones);
    EXPECT_TRUE(is_free("news", phones));
}

TEST_F(WorkerTest, AShardOfAnAppThatHasGoneIsHandedBackAndTheOthersStay) {
    auto before = claim("before", 1, 3);
    assign(before);
    use({});
    EXPECT_EQ(channels.back()->take(time.now()), nullptr);
    auto after = claim("after", 1, 3);
    assign(after);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().event, "after");
    EXPECT_EQ(work->status().front().waiting, 3U);
    use({platform::fcm});
    EXPECT_EQ(take_all().size(), 3U);
}

TEST_F(WorkerTest, WhatIsBeingCancelledIsNotSentWhenItComes) {
    control_state said;
    said.cancelling.insert("news");
    work->set_controls(said);
    auto news = claim("news", 1, 3);
    assign(news);
    EXPECT_TRUE(take_all().empty());
    EXPECT_EQ(ended("news", outcome::cancelled), 3);
}

TEST_F(WorkerTest, AnOperatorsRateHoldsInsteadOfTheConfiguredOneAndBeforeTheLaneIsThere) {
    control_state said;
    said.rates[mairies] = 40;
    work->set_controls(said);
    work->expect(mairies);
    EXPECT_EQ(work->status().front().rate, 40U);
    work->set_controls({});
    EXPECT_EQ(work->status().front().rate, 7U);
    use({platform::fcm}, {{mairies, 9}});
    EXPECT_EQ(work->status().front().rate, 9U);
}

TEST_F(WorkerTest, WhatAnOperatorHoldsWaitsAlsoAfterAReload) {
    control_state said;
    said.holds.push_back({"mairies", std::nullopt});
    work->set_controls(said);
    use({platform::fcm});
    auto news = claim("news", 1, 3);
    assign(news);
    EXPECT_TRUE(take_all().empty());
    use({platform::fcm});
    EXPECT_TRUE(take_all().empty());
    work->set_controls({});
    run();
    EXPECT_EQ(take_all().size(), 3U);
}

TEST_F(WorkerTest, AQuotaThatOthersHaveUsedUpIsNotTried) {
    control_state said;
    said.quotas.emplace(service->quota(), time.wall_now() + 60s);
    work->set_controls(said);
    auto news = claim("news", 1, 3);
    use({platform::fcm});
    assign(news);
    EXPECT_TRUE(take_all().empty());
    pass(60s);
    EXPECT_EQ(take_all().size(), 3U);
}

TEST_F(WorkerTest, AForgottenDeviceIsNotSentTo) {
    use({platform::fcm});
    auto news = claim("news", 1, 3);
    assign(news);
    work->forget({{mairies, "news-0-1"}, {phones, "news-0-2"}});
    EXPECT_EQ(take_all().size(), 2U);
}

TEST_F(WorkerTest, TheLeasesOfItsShardsAreKept) {
    auto news = claim("news", 1, 3);
    const std::string entry = news.shards.front().entry;
    assign(news);
    const std::string shards = keys.shards("news", to_string(mairies));
    server.cli({"XCLAIM", shards, std::string(keys.group), "a", "0", entry, "IDLE", "60000", "JUSTID"});
    boost::asio::co_spawn(loop, work->renew_leases(), boost::asio::detached);
    run();
    EXPECT_FALSE(is_free("news", mairies));
    server.cli({"XCLAIM", shards, std::string(keys.group), "a", "0", entry, "IDLE", "60000", "JUSTID"});
    EXPECT_TRUE(is_free("news", mairies)) << "an engine that is dead would have lost it";
}

TEST_F(WorkerTest, AStopWaitsForTheAnswersOfAllLanes) {
    use({platform::fcm, platform::apns});
    auto one = claim("one", 1, 1);
    auto other = claim("other", 1, 1, priority::normal, phones);
    assign(one);
    assign(other, phones);
    for (testing::imagined_channel* const channel : channels) {
        ASSERT_NE(channel->take(time.now()), nullptr);
    }
    stop(work->stop(time.now() + 10s, time.now() + 12s));
    answer(*channels.back(), 1, accepted);
    EXPECT_FALSE(stopped);
    answer(*channels.front(), 1, accepted);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(left.size(), 2U);
}

TEST_F(WorkerTest, AStopEndsInTimeWhateverHangs) {
    use({platform::fcm, platform::apns});
    auto news = claim("news", 3, 2);
    assign(news);
    take_all();
    auto other = claim("other", 1, 2, priority::normal, phones);
    work->assign(other.event, phones, std::move(other.shards.front()));
    link.hold(time.now() + 1h);  // Redis answers nothing any more: neither a read nor a settlement.
    stop(work->stop(time.now() + 10s, time.now() + 12s));
    pass(10s);
    EXPECT_FALSE(stopped);
    pass(2s - 1ms);
    EXPECT_FALSE(stopped);
    pass(1ms);
    EXPECT_TRUE(stopped);
}

TEST_F(WorkerTest, WhatComesAfterAStopIsHandedBack) {
    stop(work->stop(time.now() + 10s, time.now() + 12s));
    EXPECT_TRUE(stopped) << "nothing is held";
    auto news = claim("news", 1, 3);
    assign(news);
    EXPECT_EQ(left.size(), 1U);
    EXPECT_TRUE(is_free("news", mairies));
    work->expect(mairies);
    EXPECT_TRUE(channels.empty());
}

}  // namespace
}  // namespace tocsin
