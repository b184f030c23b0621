#include "engine/ops/metrics.hpp"

#include "engine/ops/metrics_table.hpp"

#include <latch>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The value behind "name{labels} " in an exposition; -1 if the series is not there.
double value_of(const std::string& exposition, const std::string& series) {
    const std::size_t at = ("\n" + exposition).find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(exposition.substr(at + series.size() + 1));
}

TEST(MetricsTest, CountersOfAllThreadsAreSummed) {
    metrics all;
    all.add_shard().counter(metric::pushes_total, {"mairies", "fcm", "accepted"}).add(3);
    all.add_shard().counter(metric::pushes_total, {"mairies", "fcm", "accepted"}).add(4);
    all.add_shard().counter(metric::pushes_total, {"mairies", "apns", "accepted"}).add(5);
    const std::string text = all.exposition();
    EXPECT_EQ(value_of(text, R"(tocsin_pushes_total{app="mairies",platform="fcm",outcome="accepted"})"), 7);
    EXPECT_EQ(value_of(text, R"(tocsin_pushes_total{app="mairies",platform="apns",outcome="accepted"})"), 5);
}

TEST(MetricsTest, HandleIsFoundAgain) {
    metrics all;
    metrics_shard& shard = all.add_shard();
    owned_counter& first = shard.counter(metric::events_total, {"finished"});
    for (int i = 0; i < 100; ++i) {
        (void)shard.counter(metric::events_total, {std::to_string(i)});
    }
    EXPECT_EQ(&shard.counter(metric::events_total, {"finished"}), &first);
    EXPECT_NE(&shard.counter(metric::events_total, {"failed"}), &first);
}

TEST(MetricsTest, LabelsThatJoinAlikeAreKeptApart) {
    metrics all;
    metrics_shard& shard = all.add_shard();
    shard.counter(metric::pages_total, {"ab", "c"}).add(1);
    shard.counter(metric::pages_total, {"a", "bc"}).add(2);
    const std::string text = all.exposition();
    EXPECT_EQ(value_of(text, R"(tocsin_pages_total{app="ab",platform="c"})"), 1);
    EXPECT_EQ(value_of(text, R"(tocsin_pages_total{app="a",platform="bc"})"), 2);
}

TEST(MetricsTest, GaugesAreSummedOrTakenAtTheirLargestAsTheTableSays) {
    metrics all;
    for (const double value : {2.0, 3.0}) {
        metrics_shard& shard = all.add_shard();
        shard.gauge(metric::in_flight, {"a", "fcm"}).set(value);
        shard.gauge(metric::stream_lag, {"events"}).set(value);
    }
    const std::string text = all.exposition();
    EXPECT_EQ(value_of(text, R"(tocsin_in_flight{app="a",platform="fcm"})"), 5);
    EXPECT_EQ(value_of(text, R"(tocsin_stream_lag{stream="events"})"), 3);
}

TEST(MetricsTest, ThrottledTimeIsFedInMicrosecondsAndShownInSeconds) {
    metrics all;
    all.add_shard().counter(metric::throttled_seconds_total, {"a", "fcm", "quota"}).add(1'500'000);
    EXPECT_EQ(
        value_of(all.exposition(), R"(tocsin_throttled_seconds_total{app="a",platform="fcm",cause="quota"})"),
        1.5);
}

TEST(MetricsTest, HistogramBucketsAreCumulativeAndNeverFlatter) {
    metrics all;
    owned_histogram& times = all.add_shard().histogram(metric::push_seconds, {"a", "fcm"});
    times.record_microseconds(1'000);        // 1 ms
    times.record_microseconds(20'000);       // 20 ms
    times.record_microseconds(400'000);      // 0.4 s
    times.record_microseconds(120'000'000);  // 2 min, past the last bound
    const std::string text = all.exposition();
    const auto bucket = [&](const std::string& bound) {
        return value_of(text, R"(tocsin_push_seconds_bucket{app="a",platform="fcm",le=")" + bound + R"("})");
    };
    EXPECT_EQ(bucket("0.005"), 1);
    EXPECT_EQ(bucket("0.01"), 1);
    EXPECT_EQ(bucket("0.025"), 2);
    EXPECT_EQ(bucket("0.25"), 2);
    EXPECT_EQ(bucket("0.5"), 3);
    EXPECT_EQ(bucket("60"), 3);
    EXPECT_EQ(bucket("+Inf"), 4);
    EXPECT_EQ(value_of(text, R"(tocsin_push_seconds_count{app="a",platform="fcm"})"), 4);
    EXPECT_NEAR(value_of(text, R"(tocsin_push_seconds_sum{app="a",platform="fcm"})"), 120.421, 1e-9);
}

TEST(MetricsTest, DurationJustAboveABoundNeverCountsBelowIt) {
    for (const double bound : describe(metric::push_seconds).bounds) {
        metrics all;
        owned_histogram& times = all.add_shard().histogram(metric::push_seconds, {"a", "fcm"});
        times.record_microseconds(static_cast<std::uint64_t>(bound * 1e6) + 1);
        std::ostringstream name;
        name << R"(tocsin_push_seconds_bucket{app="a",platform="fcm",le=")" << bound << R"("})";
        EXPECT_EQ(value_of(all.exposition(), name.str()), 0) << bound;
    }
}

TEST(MetricsTest, HostileLabelValuesAreEscapedAndMadeUtf8) {
    metrics all;
    all.add_shard().counter(metric::dead_letters_total, {"a\"b\\c\nd\xFF"}).add(1);
    EXPECT_THAT(
        all.exposition(), HasSubstr("tocsin_dead_letters_total{reason=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} 1\n"));
}

TEST(MetricsTest, MetricWithoutLabelsHasNoBraces) {
    metrics all;
    all.add_shard().counter(metric::redis_errors_total, {}).add(2);
    EXPECT_THAT(all.exposition(), HasSubstr("\ntocsin_redis_errors_total 2\n"));
}

TEST(MetricsTest, EveryLineIsWellFormed) {
    metrics all;
    metrics_shard& shard = all.add_shard();
    shard.counter(metric::provider_responses_total, {"a", "apns", "410", "Unregistered"}).add(1);
    shard.histogram(metric::event_seconds, {"critical"}).record_microseconds(5);
    shard.gauge(metric::build_info, {"0.1.0", "abc"}).set(1);
    const std::regex comment(R"(# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram)))");
    const std::regex sample(R"re([a-z_]+(\{([a-z_]+="[^"]*",?)+\})? (-?[0-9][0-9.e+-]*|\+Inf))re");
    std::istringstream lines(all.exposition());
    std::set<std::string> described;
    for (std::string line; std::getline(lines, line);) {
        EXPECT_TRUE(std::regex_match(line, comment) || std::regex_match(line, sample)) << line;
        if (line.starts_with("# TYPE ")) {
            EXPECT_TRUE(described.insert(line).second) << line;
        }
    }
}

TEST(MetricsTest, CountersEndInTotalAndTimesInSeconds) {
    for (const metric_description& row : metric_table()) {
        EXPECT_EQ(row.name.ends_with("_total"), row.kind == metric_kind::counter) << row.name;
        EXPECT_TRUE(row.kind != metric_kind::histogram || row.name.ends_with("_seconds")) << row.name;
        EXPECT_TRUE(row.name.starts_with("tocsin_")) << row.name;
        for (std::size_t i = 0; i < row.label_count(); ++i) {
            EXPECT_NE(row.label_names[i], "token");
            EXPECT_NE(row.label_names[i], "commune");
        }
    }
}

TEST(MetricsTest, ProcessIsDescribed) {
    const metrics all;
    const std::string text = all.exposition();
    EXPECT_GE(value_of(text, "process_cpu_seconds_total"), 0);
    EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 1e6);
    EXPECT_GT(value_of(text, "process_virtual_memory_bytes"), 1e6);
    EXPECT_GE(value_of(text, "process_open_fds"), 3);
    EXPECT_GT(value_of(text, "process_max_fds"), 3);
    EXPECT_GE(value_of(text, "process_threads"), 1);
    const double now = static_cast<double>(std::time(nullptr));
    EXPECT_NEAR(value_of(text, "process_start_time_seconds"), now, 300);
}

TEST(MetricsTest, ScrapingWhileThreadsWriteSeesEveryCounterRise) {
    constexpr std::size_t writers = 3;
    constexpr std::uint64_t rounds = 20'000;
    metrics all;
    std::latch started(writers + 1);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < writers; ++i) {
        threads.emplace_back([&] {
            metrics_shard& shard = all.add_shard();
            started.arrive_and_wait();
            owned_counter& accepted = shard.counter(metric::pushes_total, {"a", "fcm", "accepted"});
            owned_histogram& times = shard.histogram(metric::push_seconds, {"a", "fcm"});
            for (std::uint64_t round = 0; round < rounds; ++round) {
                accepted.add(1);
                times.record_microseconds(round);
                if (round % 1'000 == 0) {
                    (void)shard.counter(metric::retries_total, {"a", "fcm", std::to_string(round)});
                }
            }
        });
    }
    started.arrive_and_wait();
    const std::string series = R"(tocsin_pushes_total{app="a",platform="fcm",outcome="accepted"})";
    double last = 0;
    while (last < static_cast<double>(writers * rounds)) {
        const double now = std::max(0.0, value_of(all.exposition(), series));
        ASSERT_GE(now, last);
        last = now;
    }
    threads.clear();
    EXPECT_EQ(
        value_of(all.exposition(), R"(tocsin_push_seconds_count{app="a",platform="fcm"})"),
        static_cast<double>(writers * rounds));
}

}  // namespace
}  // namespace tocsin
