#include "tools/tocsin/bench_plan.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

const territories& france() {
    static const territories places = *territories::load({});
    return places;
}

bench_plan plan(const std::string& scenario, double share = 1) {
    bench_options how;
    how.scenario = scenario;
    how.share = share;
    auto made = plan_bench(france(), how);
    EXPECT_TRUE(made.has_value()) << scenario;
    return *made;
}

TEST(BenchPlan, ScenariosAreAsLargeAsTheySay) {
    const bench_plan village = plan("village");
    EXPECT_EQ(village.events.size(), 1'000U);
    EXPECT_NEAR(static_cast<double>(village.devices()), 161'000, 1'000);
    EXPECT_EQ(plan("town").devices(), 100'000U);
    EXPECT_NEAR(static_cast<double>(plan("department").devices()), 915'000, 1'000);
    EXPECT_NEAR(static_cast<double>(plan("paris").devices()), 736'000, 1'000);
    EXPECT_NEAR(static_cast<double>(plan("france").devices()), 24.1e6, 0.2e6);
    const bench_plan alert = plan("alert-overtakes");
    EXPECT_NEAR(static_cast<double>(alert.events.front().devices), 1e6, 5'000);
    ASSERT_TRUE(alert.alert.has_value());
    EXPECT_EQ(alert.alert->devices, 1'000U);
    EXPECT_EQ(alert.alert->priority, "critical");
}

TEST(BenchPlan, AColdAlertIsCriticalAsLargeAsItIsToldAndWithoutAWarmUp) {
    const bench_plan usual = plan("cold-alert");
    EXPECT_TRUE(usual.cold);
    EXPECT_EQ(usual.devices(), 60'000U);
    EXPECT_EQ(usual.events.front().priority, "critical");
    bench_options how;
    how.scenario = "cold-alert";
    how.devices = 1'000;
    EXPECT_EQ(plan_bench(france(), how)->devices(), 1'000U);
    EXPECT_FALSE(plan("town").cold);
}

TEST(BenchPlan, APriorityIsGivenToTheEventsAndNotToTheAlertThatOvertakesThem) {
    bench_options how;
    how.scenario = "alert-overtakes";
    how.priority = "low";
    const auto made = plan_bench(france(), how);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->events.front().priority, "low");
    EXPECT_EQ(made->alert->priority, "critical");
    EXPECT_EQ(made->warm_up.priority, "normal");
}

TEST(BenchPlan, ScenariosAnswerAsProvidersDoUnlessToldOtherwise) {
    const bench_options how;
    EXPECT_EQ(how.latency, "lognormal:40:200");
    EXPECT_EQ(how.answers, "write");
    EXPECT_FALSE(how.lock_step);
}

TEST(BenchPlan, AShareScalesDevicesAndTheVillagesEvents) {
    for (const char* const scenario : {"town", "department", "paris", "france"}) {
        const auto whole = static_cast<double>(plan(scenario).devices());
        EXPECT_NEAR(static_cast<double>(plan(scenario, 0.1).devices()) / whole, 0.1, 0.005) << scenario;
    }
    EXPECT_EQ(plan("village", 0.01).events.size(), 10U);
    EXPECT_EQ(plan("village", 0.0001).events.size(), 1U);
}

TEST(BenchPlan, WhatEventsAreForAddsUpToWhatIsRegisteredBesideTheWarmUp) {
    for (const std::string& scenario : bench_scenarios()) {
        const bench_plan made = plan(scenario, 0.05);
        EXPECT_EQ(made.devices() + made.warm_up.devices, made.devices_registered()) << scenario;
        std::set<territory> distinct;
        for (const bench_roster& one : made.rosters) {
            EXPECT_TRUE(distinct.insert(one.where).second) << scenario;
        }
        EXPECT_EQ(made.warm_up.audience.front(), "zone:" + to_string(made.rosters.back().where));
    }
}

TEST(BenchPlan, AnUnknownScenarioAndAShareThatLeavesNothingAreRefused) {
    bench_options how;
    how.scenario = "hamlet";
    EXPECT_TRUE(plan_bench(france(), how).has_error());
    how.scenario = "town";
    how.share = 0;
    EXPECT_TRUE(plan_bench(france(), how).has_error());
}

TEST(BenchDevices, AreAsManyAsPlannedDistinctAndOfTheSharesOfPlatforms) {
    const bench_plan made = plan("town", 0.05);
    bench_devices devices(made, {.apns_share = 0.25});
    std::set<std::string> tokens;
    std::uint64_t apns = 0;
    for (auto batch = devices.next(999); !batch.empty(); batch = devices.next(999)) {
        for (const device_change& one : batch) {
            EXPECT_TRUE(tokens.insert(one.which.token).second);
            EXPECT_EQ(one.which.token.size(), one.where == platform::apns ? 32U : 163U);
            apns += one.where == platform::apns ? 1 : 0;
        }
    }
    EXPECT_EQ(tokens.size(), made.devices_registered());
    EXPECT_EQ(devices.made(), made.devices_registered());
    EXPECT_NEAR(static_cast<double>(apns) / static_cast<double>(tokens.size()), 0.25, 0.02);
}

TEST(BenchDevices, AreTheSameAtEachRunAndOfOnePlatformIfSoAsked) {
    const bench_plan made = plan("village", 0.002);
    const auto first = bench_devices(made, {.apns_share = 1}).next(100);
    const auto second = bench_devices(made, {.apns_share = 1}).next(100);
    EXPECT_EQ(first.front().which.token, second.front().which.token);
    EXPECT_EQ(first.back().which.token, second.back().which.token);
    EXPECT_TRUE(
        std::ranges::all_of(first, [](const device_change& one) { return one.where == platform::apns; }));
    const auto none = bench_devices(made, {}).next(100);
    EXPECT_TRUE(
        std::ranges::all_of(none, [](const device_change& one) { return one.where == platform::fcm; }));
}

}  // namespace
}  // namespace tocsin::cli
