#include "engine/delivery/shard_queue.hpp"

#include "tests/engine/delivery/page_fixture.hpp"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr auto any = [](priority) { return true; };

class ShardQueueTest : public ::testing::Test {
protected:
    std::shared_ptr<active_shard> shard(priority urgency, std::chrono::milliseconds due = 0ms) {
        auto out = std::make_shared<active_shard>();
        out->event = testing::make_event(time, urgency);
        if (due != 0ms) {
            out->event->when.add({.first_page = 0, .pages = 1, .starts = time.wall_now() + due});
        }
        out->pages = 1;
        return out;
    }

    testing::manual_time time;
    shard_queue queue;
};

TEST_F(ShardQueueTest, TheMostUrgentPriorityThatIsOpenGoesFirst) {
    const auto low = shard(priority::low);
    const auto critical = shard(priority::critical);
    queue.push(low);
    queue.push(critical);
    const auto not_critical = [](priority urgency) { return urgency != priority::critical; };
    EXPECT_EQ(queue.take(time.wall_now(), not_critical).shard, low);
    EXPECT_EQ(queue.take(time.wall_now(), not_critical).shard, nullptr);
    EXPECT_EQ(queue.take(time.wall_now(), any).shard, critical);
    EXPECT_TRUE(queue.empty());
}

TEST_F(ShardQueueTest, ShardsOfAPriorityTakeTurns) {
    const auto nation = shard(priority::normal);
    const auto village = shard(priority::normal);
    queue.push(nation);
    queue.push(village);
    for (int turn = 0; turn < 3; ++turn) {
        for (const auto& expected : {nation, village}) {
            const auto chosen = queue.take(time.wall_now(), any);
            EXPECT_EQ(chosen.shard, expected);
            queue.push(chosen.shard);
        }
    }
}

TEST_F(ShardQueueTest, ClockThatIsSetBackHoldsUpNothingThatHasNoMomentOfItsOwn) {
    const auto begun = shard(priority::normal);
    queue.push(begun);
    EXPECT_EQ(queue.take(time.wall_now() - 2h, any).shard, begun);
}

TEST_F(ShardQueueTest, AShardWhoseMomentHasNotComeStandsInNobodysWay) {
    const auto later = shard(priority::high, 20s);
    const auto sooner = shard(priority::high, 10s);
    const auto now = shard(priority::high);
    for (const auto& each : {later, sooner, now}) {
        queue.push(each);
    }
    EXPECT_EQ(queue.take(time.wall_now(), any).shard, now);
    const auto none = queue.take(time.wall_now(), any);
    EXPECT_EQ(none.shard, nullptr);
    EXPECT_EQ(none.due, time.wall_now() + 10s);
    time.advance(10s);
    EXPECT_EQ(queue.take(time.wall_now(), any).shard, sooner);
    EXPECT_EQ(queue.take(time.wall_now(), any).due, time.wall_now() + 10s);
}

TEST_F(ShardQueueTest, ACancelledEventsShardIsDueAtOnce) {
    const auto later = shard(priority::normal, 1h);
    queue.push(later);
    EXPECT_EQ(queue.take(time.wall_now(), any).shard, nullptr);
    later->event->cancelled = true;
    EXPECT_EQ(queue.take(time.wall_now(), any).shard, later);
}

TEST_F(ShardQueueTest, NothingIsDueInAnEmptyOrClosedQueue) {
    EXPECT_EQ(queue.take(time.wall_now(), any).due, wall_time::max());
    queue.push(shard(priority::normal));
    EXPECT_EQ(queue.take(time.wall_now(), [](priority) { return false; }).due, wall_time::max());
    EXPECT_FALSE(queue.empty());
    EXPECT_NE(queue.take(time.wall_now(), any).shard, nullptr);
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace tocsin
