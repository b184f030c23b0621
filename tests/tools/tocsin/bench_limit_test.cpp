#include "tools/tocsin/bench_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

bench_load idle() {
    bench_load out;
    out.seconds = 10;
    out.cores = 8;
    out.engine_cores = 0.3;
    out.simulator_cores = 0.3;
    out.redis_cores = 0.1;
    return out;
}

TEST(BenchLimit, ASaturatedProcessIsTheLimit) {
    bench_load load = idle();
    load.engine_cores = 0.97;
    EXPECT_EQ(find_limit(load).name, "engine");
    load = idle();
    load.simulator_cores = 0.97;
    EXPECT_EQ(find_limit(load).name, "simulator");
    load = idle();
    load.redis_cores = 0.97;
    EXPECT_EQ(find_limit(load).name, "redis");
}

TEST(BenchLimit, SaturationIsOfTheThreadsThatAProcessHas) {
    bench_load load = idle();
    load.engine_threads = 4;
    load.engine_cores = 1.5;
    load.simulator_cores = 0.9;
    EXPECT_EQ(find_limit(load).name, "simulator");
    load.engine_cores = 3.9;
    EXPECT_EQ(find_limit(load).name, "engine");
}

TEST(BenchLimit, ARateThatHoldsPushesBackIsAQuotaHoweverBusyAnybodyIs) {
    bench_load load = idle();
    load.engine_cores = 0.97;
    load.throttled_seconds = 6;
    EXPECT_EQ(find_limit(load).name, "quota");
    load.throttled_seconds = 1;
    EXPECT_EQ(find_limit(load).name, "engine");
}

TEST(BenchLimit, OnAFullMachineWhoeverUsesMostIsTheLimit) {
    bench_load load = idle();
    load.cores = 2;
    load.engine_threads = 2;
    load.engine_cores = 1.2;
    load.simulator_cores = 0.65;
    const bench_limit found = find_limit(load);
    EXPECT_EQ(found.name, "engine");
    EXPECT_THAT(found.reason, HasSubstr("all 2 cores"));
}

TEST(BenchLimit, WhatAProcessWasReadyToUseAndDidNotGetCountsAsBusy) {
    bench_load load = idle();
    load.engine_queued = 0.6;
    EXPECT_EQ(find_limit(load).name, "engine");
    EXPECT_THAT(find_limit(load).reason, HasSubstr("0.60 not given to it"));
}

TEST(BenchLimit, WhenOthersDisturbTheReasonSaysSo) {
    bench_load load = idle();
    load.cores = 2;
    load.other_cores = 1.3;
    EXPECT_THAT(find_limit(load).reason, HasSubstr("does nothing else"));
}

TEST(BenchLimit, WhenNobodyIsBusyItIsThePaceOrTheAnswers) {
    bench_load load = idle();
    EXPECT_EQ(find_limit(load).name, "simulator");
    EXPECT_THAT(find_limit(load).reason, HasSubstr("waited for answers"));
    load.paced = true;
    EXPECT_EQ(find_limit(load).name, "none");
}

}  // namespace
}  // namespace tocsin::cli
