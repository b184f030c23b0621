#include "tools/tocsin/bench_latencies.hpp"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(BenchLatencies, AQuantileIsTheValueThatTheShareDoesNotExceed) {
    bench_latencies all;
    for (int i = 1; i <= 100; ++i) {
        all.add(i);
    }
    EXPECT_EQ(all.quantile(0), 1);
    EXPECT_EQ(all.quantile(0.5), 50);
    EXPECT_EQ(all.quantile(0.9), 90);
    EXPECT_EQ(all.quantile(0.99), 99);
    EXPECT_EQ(all.quantile(1), 100);
}

TEST(BenchLatencies, OfOneValueEveryQuantileIsThatValue) {
    bench_latencies all;
    all.add(7);
    EXPECT_EQ(all.quantile(0), 7);
    EXPECT_EQ(all.quantile(0.5), 7);
    EXPECT_EQ(all.quantile(1), 7);
}

TEST(BenchLatencies, OfNothingIsNothing) {
    EXPECT_EQ(bench_latencies().quantile(0.5), 0);
}

TEST(BenchLatencies, AHistogramCountsAsItsBucketsUpperEndsMovedAndBounded) {
    histogram durations;
    durations.record(10, 50);   // Exact.
    durations.record(100, 49);  // In a bucket that ends at 103.
    durations.record(1'000);    // In one that ends at 1023.
    bench_latencies all;
    all.add(durations, 5, 1'010);
    EXPECT_EQ(all.total(), 100U);
    EXPECT_EQ(all.quantile(0.5), 15);
    EXPECT_EQ(all.quantile(0.9), 108);
    EXPECT_EQ(all.quantile(1), 1'010);
}

}  // namespace
}  // namespace tocsin::cli
