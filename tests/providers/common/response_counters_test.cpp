#include "providers/common/response_counters.hpp"

#include "engine/ops/metrics.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

TEST(ResponseCounters, CountByStatusAndReason) {
    metrics all;
    auto& shard = all.add_shard();
    response_counters counters(shard, "dijon", platform::apns);
    counters.accepted();
    counters.accepted();
    counters.count(410, "Unregistered");
    counters.count(410, "Unregistered");
    counters.count(400, "Unregistered");

    EXPECT_EQ(shard.counter(metric::provider_responses_total, {"dijon", "apns", "200", ""}).read(), 2U);
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "410", "Unregistered"}).read(), 2U);
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "400", "Unregistered"}).read(), 1U);
}

TEST(ResponseCounters, InventedReasonsEndUpUnderOneName) {
    metrics all;
    auto& shard = all.add_shard();
    response_counters counters(shard, "dijon", platform::apns);
    for (int i = 0; i < 1'000; ++i) {
        counters.count(400, "Invented" + std::to_string(i));
    }
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "400", "Invented0"}).read(), 1U);
    EXPECT_EQ(
        shard.counter(metric::provider_responses_total, {"dijon", "apns", "400", "Other"}).read(),
        1'000U - 64U);
}

}  // namespace
}  // namespace tocsin
