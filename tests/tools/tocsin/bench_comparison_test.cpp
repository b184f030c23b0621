#include "tools/tocsin/bench_comparison.hpp"

#include <boost/json/parse.hpp>

#include <cmath>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using verdict = compared_figure::verdict;

boost::json::object object(const char* text) {
    return boost::json::parse(text).as_object();
}

std::map<std::string, compared_figure> compared(const char* before, const char* after, double noise) {
    std::map<std::string, compared_figure> out;
    for (const compared_figure& one : compare_reports(object(before), object(after), noise)) {
        out.emplace(one.name, one);
    }
    return out;
}

TEST(BenchCompare, LessIsBetterForACostAndWorseForARate) {
    const auto figures = compared(
        R"({"cpu_per_million": 4.0, "pushes_per_second": 1000})",
        R"({"cpu_per_million": 2.0, "pushes_per_second": 500})", 0.05);
    EXPECT_EQ(figures.at("cpu_per_million").how, verdict::better);
    EXPECT_DOUBLE_EQ(figures.at("cpu_per_million").ratio, 0.5);
    EXPECT_EQ(figures.at("pushes_per_second").how, verdict::worse);
}

TEST(BenchCompare, AChangeWithinTheNoiseIsNone) {
    const char* const before = R"({"cpu_per_million": 100})";
    EXPECT_EQ(compared(before, R"({"cpu_per_million": 104})", 0.05).at("cpu_per_million").how, verdict::same);
    EXPECT_EQ(compared(before, R"({"cpu_per_million": 96})", 0.05).at("cpu_per_million").how, verdict::same);
    EXPECT_EQ(
        compared(before, R"({"cpu_per_million": 106})", 0.05).at("cpu_per_million").how, verdict::worse);
    EXPECT_EQ(
        compared(before, R"({"cpu_per_million": 104})", 0.01).at("cpu_per_million").how, verdict::worse);
}

TEST(BenchCompare, WhatHasNoBetterSideIsOnlyChanged) {
    EXPECT_EQ(
        compared(R"({"connections": 4})", R"({"connections": 8})", 0.05).at("connections").how,
        verdict::changed);
}

TEST(BenchCompare, NothingToNothingIsTheSameAndNothingToSomethingIsWorse) {
    EXPECT_EQ(compared(R"({"retries": 0})", R"({"retries": 0})", 0.05).at("retries").how, verdict::same);
    const auto grown = compared(R"({"retries": 0})", R"({"retries": 3})", 0.05).at("retries");
    EXPECT_EQ(grown.how, verdict::worse);
    EXPECT_TRUE(std::isinf(grown.ratio));
}

TEST(BenchCompare, FiguresThatOneOfTheTwoDoesNotHaveAreLeftOut) {
    EXPECT_TRUE(
        compared(R"({"alert_p50_ms": null, "invented": 1})", R"({"alert_p50_ms": 3, "invented": 2})", 0)
            .empty());
}

TEST(BenchCompare, NamesTheConditionsThatDiffer) {
    const auto before = object(R"({"scenario": "town", "settings": {"rate": 0}, "machine": {"cores": 2}})");
    const auto after = object(R"({"scenario": "paris", "settings": {"rate": 0}, "machine": {"cores": 2}})");
    EXPECT_TRUE(differing_conditions(before, before).empty());
    EXPECT_THAT(
        differing_conditions(before, after), ::testing::ElementsAre("scenario: \"town\" and \"paris\""));
}

}  // namespace
}  // namespace tocsin::cli
