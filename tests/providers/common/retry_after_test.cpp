#include "providers/common/retry_after.hpp"

#include "engine/core/rfc3339.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const wall_time now = *parse_rfc3339("2026-11-23T06:00:00Z");

TEST(RetryAfter, ReadsSeconds) {
    EXPECT_EQ(parse_retry_after("0", now), 0ms);
    EXPECT_EQ(parse_retry_after("30", now), 30s);
    EXPECT_EQ(parse_retry_after(" 30 ", now), 30s);
}

TEST(RetryAfter, ReadsADate) {
    EXPECT_EQ(parse_retry_after("Mon, 23 Nov 2026 06:01:30 GMT", now), 90s);
    EXPECT_EQ(parse_retry_after("Mon, 23 Nov 2026 05:00:00 GMT", now), 0ms);
}

TEST(RetryAfter, IsNeverLongerThanAQuarterOfAnHour) {
    EXPECT_EQ(parse_retry_after("86401", now), 15min);
    EXPECT_EQ(parse_retry_after("99999999999999999999999999", now), 15min);
    EXPECT_EQ(parse_retry_after("Thu, 23 Nov 2090 06:00:00 GMT", now), 15min);
}

TEST(RetryAfter, IgnoresWhatIsNeither) {
    for (const std::string_view text :
         {"", " ", "-5", "1.5", "soon", "30s", "Mon, 23 Nov 2026 06:01:30 CET",
          "Mon, 23 Xxx 2026 06:01:30 GMT", "Mon, 31 Feb 2026 06:01:30 GMT", "Mon, 23 Nov 2026 25:01:30 GMT",
          "2026-11-23T06:00:00Z"}) {
        EXPECT_FALSE(parse_retry_after(text, now).has_value()) << text;
    }
}

TEST(ProtoDuration, ReadsSecondsWithAndWithoutAFraction) {
    EXPECT_EQ(parse_proto_duration("30s"), 30s);
    EXPECT_EQ(parse_proto_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_proto_duration("0.123456789s"), 123ms);
    EXPECT_EQ(parse_proto_duration("99999999s"), 15min);
    for (const std::string_view text : {"", "s", "30", "-1s", ".5s", "1.s", "1.xs", "1m"}) {
        EXPECT_FALSE(parse_proto_duration(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace tocsin
