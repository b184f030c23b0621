#include "tools/tocsin/bench_report.hpp"

#include "tools/tocsin/bench_charts.hpp"
#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/bench_html.hpp"
#include "tools/tocsin/bench_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace json = boost::json;
using namespace std::chrono_literals;

json::object simulator(std::uint64_t accepted, std::uint64_t repeated = 0) {
    const json::object nobody{
        {"tokens_accepted", 0}, {"acceptances_repeated", 0}, {"bytes_in", 0}, {"bytes_out", 0}};
    const json::object some{
        {"tokens_accepted", accepted},
        {"acceptances_repeated", repeated},
        {"bytes_in", accepted * 1'000},
        {"bytes_out", accepted * 100}};
    return {{"apns", some}, {"sandbox", nobody}, {"fcm", nobody}};
}

bench_ending ending(const std::string& id, std::uint64_t devices, std::int64_t published_at) {
    bench_ending out;
    out.event = {id, {"commune:21231"}, "normal", devices};
    out.published_at = published_at;
    out.report.event = id;
    out.report.state = event_state::finished;
    out.report.targeted = devices;
    out.report.outcomes[0] = devices;
    out.report.accepted_at = published_at + 5;
    out.report.finished_at = published_at + 2'000;
    out.report.latencies.record(10, devices);
    return out;
}

/// A thousand devices in two seconds, each accepted 15 ms after the event was published.
bench_measurement sample() {
    bench_measurement out;
    out.how.scenario = "town";
    out.how.threads = 1;
    out.devices = 1'000;
    out.record.events = {ending("bench", 1'000, 1'700'000'000'000)};
    out.record.timeline = {{0, 0}, {1'000, 400}, {2'000, 1'000}};
    out.before.simulator = simulator(200);
    out.after.simulator = simulator(1'200);
    out.before.engine_cpu = 1s;
    out.after.engine_cpu = 1s + 4ms;
    out.before.syscalls = 100;
    out.after.syscalls = 600;
    out.after.metrics = metrics_text(
        "tocsin_push_seconds_bucket{app=\"mairies\",platform=\"apns\",le=\"0.01\"} 0\n"
        "tocsin_push_seconds_bucket{app=\"mairies\",platform=\"apns\",le=\"0.02\"} 1000\n"
        "tocsin_push_seconds_bucket{app=\"mairies\",platform=\"apns\",le=\"+Inf\"} 1000\n"
        "tocsin_connections{app=\"mairies\",platform=\"apns\",state=\"ready\"} 3\n");
    out.peak_rss_bytes = 40'000'000;
    out.machine = {2, "a processor"};
    return out;
}

TEST(BenchReport, HasEveryFigureAsANumberOrNull) {
    const json::object report = bench_report(sample());
    for (const bench_figure& figure : bench_figures()) {
        const auto* const value = report.if_contains(figure.name);
        ASSERT_NE(value, nullptr) << figure.name;
        EXPECT_TRUE(value->is_number() || value->is_null()) << figure.name;
    }
    EXPECT_TRUE(report.at("alert_p50_ms").is_null());
    EXPECT_TRUE(report.at("event_p50_ms").is_null());
}

TEST(BenchReport, ComputesRatesCostsAndPercentilesFromDifferences) {
    const json::object report = bench_report(sample());
    const auto number = [&report](std::string_view name) { return report.at(name).to_number<double>(); };
    EXPECT_DOUBLE_EQ(number("seconds"), 2);
    EXPECT_DOUBLE_EQ(number("pushes_per_second"), 500);
    EXPECT_DOUBLE_EQ(number("cpu_per_million"), 4);
    EXPECT_DOUBLE_EQ(number("syscalls_per_push"), 0.5);
    EXPECT_DOUBLE_EQ(number("bytes_sent_per_push"), 1'000);
    EXPECT_DOUBLE_EQ(number("bytes_per_push"), 1'100);
    EXPECT_DOUBLE_EQ(number("first_push_ms"), 15);
    EXPECT_DOUBLE_EQ(number("accepted_p100_ms"), 15);
    EXPECT_DOUBLE_EQ(number("push_p50_ms"), 15);
    EXPECT_DOUBLE_EQ(number("connections"), 3);
    EXPECT_TRUE(report.at("sums_agree").as_bool());
}

TEST(BenchReport, WhatCouldNotBeCountedIsNull) {
    bench_measurement of = sample();
    of.before.syscalls.reset();
    of.peak_rss_bytes.reset();
    EXPECT_TRUE(bench_report(of).at("syscalls_per_push").is_null());
    EXPECT_TRUE(bench_report(of).at("peak_rss_bytes").is_null());
}

TEST(BenchReport, AnAlertHasFiguresOfItsOwn) {
    bench_measurement of = sample();
    of.record.alert = ending("bench-alert", 50, 1'700'000'001'000);
    of.after.simulator = simulator(1'250);
    const json::object report = bench_report(of);
    EXPECT_EQ(report.at("alert_devices").to_number<int>(), 50);
    EXPECT_DOUBLE_EQ(report.at("alert_p100_ms").to_number<double>(), 15);
    EXPECT_EQ(report.at("events").to_number<int>(), 2);
    EXPECT_EQ(report.at("pushes").to_number<int>(), 1'050);
    EXPECT_TRUE(report.at("sums_agree").as_bool());
}

TEST(BenchReport, SeveralEventsHaveAPercentileOverEvents) {
    bench_measurement of = sample();
    of.record.events.push_back(ending("bench-2", 10, 1'700'000'000'500));
    of.record.events.back().report.latencies = {};
    of.record.events.back().report.latencies.record(12, 10);
    const json::object report = bench_report(of);
    EXPECT_DOUBLE_EQ(report.at("event_p50_ms").to_number<double>(), 15);
    EXPECT_DOUBLE_EQ(report.at("event_p100_ms").to_number<double>(), 17);
}

TEST(BenchAccounting, NamesEachContradiction) {
    EXPECT_THAT(disagreements(sample()), IsEmpty());

    bench_measurement lost = sample();
    lost.after.simulator = simulator(1'199);
    EXPECT_THAT(disagreements(lost), ElementsAre(HasSubstr("1000 devices accepted, the simulator 999")));

    bench_measurement twice = sample();
    twice.after.simulator = simulator(1'200, 3);
    EXPECT_THAT(disagreements(twice), ElementsAre(HasSubstr("3 pushes twice")));
    twice.record.events.front().report.possible_duplicates = 3;
    EXPECT_THAT(disagreements(twice), IsEmpty());

    bench_measurement missing = sample();
    missing.record.events.front().event.devices = 1'001;
    EXPECT_THAT(disagreements(missing), ElementsAre(HasSubstr("is for 1001 devices, 1000 were targeted")));

    bench_measurement open = sample();
    open.record.events.front().report.targeted = 1'001;
    open.record.events.front().event.devices = 1'001;
    EXPECT_THAT(disagreements(open), ElementsAre(HasSubstr("1001 devices targeted, 1000 have an outcome")));

    bench_measurement expired = sample();
    expired.record.events.front().report.state = event_state::expired;
    EXPECT_THAT(disagreements(expired), ElementsAre(HasSubstr("ended as expired")));
    EXPECT_FALSE(bench_report(expired).at("sums_agree").as_bool());
}

TEST(BenchReport, NamesAQuotaAsTheLimitWhenLanesWereHeldBack) {
    bench_measurement of = sample();
    of.after.metrics = metrics_text(
        "tocsin_throttled_seconds_total{app=\"mairies\",platform=\"fcm\",cause=\"rate\"} 1.5\n"
        "tocsin_throttled_seconds_total{app=\"mairies\",platform=\"fcm\",cause=\"credential\"} 9\n");
    const json::object report = bench_report(of);
    EXPECT_EQ(report.at("limit").as_string(), "quota");
    EXPECT_DOUBLE_EQ(report.at("throttled_seconds").to_number<double>(), 1.5);
}

TEST(BenchReport, OnlyEventsThatAreDoneAtTheirPaceAreLimitedByNobody) {
    bench_measurement of = sample();
    of.how.scenario = "village";
    of.record.events.push_back(ending("bench-2", 10, of.record.events.front().published_at + 5'000));
    bench_ending& last = of.record.events.back();
    last.report.finished_at = last.published_at + 900;
    EXPECT_EQ(bench_report(of).at("limit").as_string(), "none");
    last.report.finished_at = last.published_at + 1'100;
    EXPECT_EQ(bench_report(of).at("limit").as_string(), "simulator");
}

TEST(BenchReport, EveryFigureIsExplainedInTheDocumentation) {
    std::ifstream file(std::string(TOCSIN_DOCS_FOLDER) + "/how-to/benchmark.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    for (const bench_figure& figure : bench_figures()) {
        EXPECT_THAT(page, HasSubstr("`" + std::string(figure.name) + "`"));
    }
}

TEST(BenchText, ShowsFiguresInUnitsThatPeopleRead) {
    EXPECT_EQ(bench_value("push_p50_ms", 1'234.0), "1.2 s");
    EXPECT_EQ(bench_value("seconds", 2.0), "2.00 s");
    EXPECT_EQ(bench_value("peak_rss_bytes", 40'000'000), "40.0 MB");
    EXPECT_EQ(bench_value("pushes", 1'234'567), "1 234 567");
    EXPECT_EQ(bench_value("cpu_per_million", 3.456), "3.46");
    EXPECT_EQ(bench_value("alert_p50_ms", nullptr), "–");
    EXPECT_THAT(bench_text(bench_report(sample())), HasSubstr("every device is accounted for"));
}

TEST(BenchPage, HasTheChartsThatReadersExpectAndLoadsNothing) {
    const std::string page = bench_page(bench_report(sample()));
    EXPECT_THAT(page, HasSubstr("Accepted pushes by time"));
    EXPECT_THAT(page, HasSubstr("Accepted per second"));
    EXPECT_THAT(page, HasSubstr("Limited by "));
    EXPECT_THAT(page, HasSubstr("Latency by percentile"));
    EXPECT_THAT(page, HasSubstr("<polyline"));
    EXPECT_THAT(page, HasSubstr("<rect"));
    EXPECT_THAT(page, HasSubstr("cpu_per_million"));
    EXPECT_THAT(page, Not(HasSubstr("http")));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(BenchCharts, GiveEachNineAsManyPointsAndEndWithTheSlowest) {
    bench_latencies some;
    some.add(10, 900);
    some.add(50, 99);
    some.add(200);
    const json::array pairs = percentile_pairs(some);
    ASSERT_EQ(pairs.size(), 3U * 8 + 2);  // 0 % to 99.9 %, and the whole.
    EXPECT_EQ(pairs[4].at(1).to_number<double>(), 10);
    EXPECT_EQ(pairs[12].at(1).to_number<double>(), 50);
    EXPECT_EQ(pairs.back(), (json::array{1, 200.0}));
    EXPECT_TRUE(percentile_pairs(bench_latencies()).empty());
}

TEST(BenchCharts, ReadAHistogramByTheRuleOfThree) {
    const json::array histogram{json::array{10, 50}, json::array{20, 50}, json::array{"+Inf", 0}};
    const json::array pairs = percentile_pairs(histogram);
    EXPECT_EQ(pairs.front().at(1).to_number<double>(), 0);
    EXPECT_NEAR(pairs[8].at(1).to_number<double>(), 18, 1e-6);  // 90 %
    EXPECT_EQ(pairs.back().at(1).to_number<double>(), 20);
}

TEST(BenchPage, EscapesWhatItShows) {
    bench_measurement of = sample();
    of.machine.processor = "<b>&\"";
    EXPECT_THAT(bench_page(bench_report(of)), HasSubstr("&lt;b&gt;&amp;&quot;"));
}

}  // namespace
}  // namespace tocsin::cli
