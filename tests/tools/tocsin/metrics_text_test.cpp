#include "tools/tocsin/metrics_text.hpp"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(MetricsText, SumsTheSeriesThatHaveTheLabels) {
    const metrics_text all(
        "# HELP pushes Pushes.\n# TYPE pushes counter\n"
        "pushes{app=\"a\",platform=\"apns\"} 3\n"
        "pushes{app=\"a\",platform=\"fcm\"} 4\n"
        "pushes{app=\"b\",platform=\"fcm\"} 5.5\n"
        "pushes_other 100\n"
        "plain 7\n");
    EXPECT_EQ(all.sum("pushes"), 12.5);
    EXPECT_EQ(all.sum("pushes", {{"platform", "fcm"}}), 9.5);
    EXPECT_EQ(all.sum("pushes", {{"platform", "fcm"}, {"app", "a"}}), 4);
    EXPECT_EQ(all.sum("plain"), 7);
    EXPECT_EQ(all.sum("none"), 0);
    EXPECT_EQ(all.sum_by("pushes", "app").at("b"), 5.5);
}

TEST(MetricsText, ReadsEscapesAndLeavesOutWhatItCannotRead) {
    const metrics_text all("m{a=\"x\\\"},y\\\\\"} 1\nm{a=\"unfinished 2\n}{\nm{b=\"1\"} 4");
    EXPECT_EQ(all.sum("m", {{"a", "x\"},y\\"}}), 1);
    EXPECT_EQ(all.sum("m"), 5);
}

TEST(MetricsText, AHistogramIsWhatCameBetweenAndItsQuantilesAreLinearWithinABucket) {
    const metrics_text before(
        "h_bucket{p=\"a\",le=\"1\"} 10\nh_bucket{p=\"a\",le=\"2\"} 10\nh_bucket{p=\"a\",le=\"+Inf\"} 10\n");
    const metrics_text after(
        "h_bucket{p=\"a\",le=\"1\"} 10\nh_bucket{p=\"a\",le=\"2\"} 90\nh_bucket{p=\"a\",le=\"+Inf\"} 100\n"
        "h_bucket{p=\"b\",le=\"1\"} 10\nh_bucket{p=\"b\",le=\"2\"} 10\nh_bucket{p=\"b\",le=\"+Inf\"} 10\n");
    const auto buckets = histogram_between(before, after, "h");
    ASSERT_EQ(buckets.size(), 3U);
    EXPECT_EQ(buckets[0].count, 10);
    EXPECT_EQ(buckets[1].count, 80);
    EXPECT_EQ(buckets[2].count, 10);
    EXPECT_DOUBLE_EQ(quantile_of(buckets, 0.5), 1.5);
    EXPECT_DOUBLE_EQ(quantile_of(buckets, 0.1), 1);
    EXPECT_DOUBLE_EQ(quantile_of(buckets, 0.99), 2);  // Nothing is known above the last bound.
    EXPECT_EQ(quantile_of({}, 0.5), 0);
    EXPECT_EQ(quantile_of(histogram_between(after, after, "h"), 0.5), 0);
}

}  // namespace
}  // namespace tocsin::cli
