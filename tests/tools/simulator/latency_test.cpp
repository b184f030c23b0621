#include "tools/simulator/latency.hpp"

#include "tools/simulator/chance.hpp"
#include "tools/simulator/delay_queue.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::sim {
namespace {

using namespace std::chrono_literals;

std::vector<double> milliseconds(const latency& given) {
    std::vector<double> out;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        out.push_back(std::chrono::duration<double, std::milli>(given.sample(scramble(i))).count());
    }
    std::ranges::sort(out);
    return out;
}

TEST(Latency, FixedIsAlwaysTheSame) {
    const auto samples = milliseconds({latency::shape::fixed, 12.5, 0});
    EXPECT_DOUBLE_EQ(samples.front(), 12.5);
    EXPECT_DOUBLE_EQ(samples.back(), 12.5);
}

TEST(Latency, UniformFillsItsRangeEvenly) {
    const auto samples = milliseconds({latency::shape::uniform, 10, 30});
    EXPECT_GE(samples.front(), 10);
    EXPECT_LE(samples.back(), 30);
    EXPECT_NEAR(samples[samples.size() / 4], 15, 0.5);
    EXPECT_NEAR(samples[samples.size() / 2], 20, 0.5);
}

TEST(Latency, LognormalHasTheMedianAndTheTailThatWereAskedFor) {
    const auto samples = milliseconds({latency::shape::lognormal, 20, 200});
    EXPECT_NEAR(samples[samples.size() / 2], 20, 1);
    EXPECT_NEAR(samples[samples.size() * 99 / 100], 200, 25);
}

TEST(Latency, IsTheSameForTheSameDraw) {
    const latency given{latency::shape::lognormal, 20, 200};
    EXPECT_EQ(given.sample(draw(1, 2, purpose::latency, 3)), given.sample(draw(1, 2, purpose::latency, 3)));
    EXPECT_NE(given.sample(draw(1, 2, purpose::latency, 3)), given.sample(draw(1, 2, purpose::latency, 4)));
}

TEST(DelayQueue, ReleasesInOrderOfTimeThenOfArrival) {
    const time_point start{};
    delay_queue queue;
    queue.push(start + 3ms, 1);
    queue.push(start + 1ms, 3);
    queue.push(start + 3ms, 5);
    EXPECT_EQ(queue.next_due(), start + 1ms);
    EXPECT_EQ(queue.pop_due(start + 1ms), 3);
    EXPECT_EQ(queue.pop_due(start + 2ms), std::nullopt);
    EXPECT_EQ(queue.pop_due(start + 3ms), 1);
    EXPECT_EQ(queue.pop_due(start + 3ms), 5);
    EXPECT_TRUE(queue.empty());
}

TEST(DelayQueue, DropsStreamsAboveTheLastOne) {
    const time_point start{};
    delay_queue queue;
    for (std::int32_t stream = 1; stream <= 9; stream += 2) {
        queue.push(start + std::chrono::milliseconds(10 - stream), stream);
    }
    EXPECT_EQ(queue.median_stream(), 5);
    queue.remove_above(5);
    EXPECT_EQ(queue.pop_due(start + 1s), 5);
    EXPECT_EQ(queue.pop_due(start + 1s), 3);
    EXPECT_EQ(queue.pop_due(start + 1s), 1);
    EXPECT_EQ(queue.pop_due(start + 1s), std::nullopt);
    EXPECT_EQ(queue.median_stream(), std::nullopt);
}

}  // namespace
}  // namespace tocsin::sim
