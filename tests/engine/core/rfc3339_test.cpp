#include "engine/core/rfc3339.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using std::chrono::milliseconds;

TEST(Rfc3339, IsReadAsTheStandardSays) {
    struct row {
        std::string text;
        std::optional<std::int64_t> wanted;  ///< ms since 1970.
    };
    constexpr std::int64_t six = 1'795'413'600'000;  // 2026-11-23T06:00:00Z
    const std::vector<row> rows{
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1'000},
        {"2026-11-23T06:00:00Z", six},
        {"2026-11-23t06:00:00z", six},
        {"2026-11-23 06:00:00Z", six},
        {"2026-11-23T07:00:00+01:00", six},
        {"2026-11-23T00:30:00-05:30", six},
        {"2026-11-23T06:00:00-00:00", six},
        {"2026-11-22T07:01:00-22:59", six},
        {"2026-11-23T06:00:00.25Z", six + 250},
        {"2026-11-23T06:00:00.2509999999999999999Z", six + 250},
        {"2026-11-23T06:00:00.0009Z", six},
        {"2016-12-31T23:59:60Z", 1'483'228'800'000},  // The second after.
        {"2024-02-29T00:00:00Z", 1'709'164'800'000},
        {"9999-12-31T23:59:59.999Z", 253'402'300'799'999},
        {"2026-02-29T00:00:00Z", std::nullopt},
        {"2026-13-01T00:00:00Z", std::nullopt},
        {"2026-00-01T00:00:00Z", std::nullopt},
        {"2026-11-31T00:00:00Z", std::nullopt},
        {"2026-11-23T24:00:00Z", std::nullopt},
        {"2026-11-23T06:60:00Z", std::nullopt},
        {"2026-11-23T06:00:61Z", std::nullopt},
        {"2026-11-23T06:00:00", std::nullopt},
        {"2026-11-23T06:00:00.Z", std::nullopt},
        {"2026-11-23T06:00:00,5Z", std::nullopt},
        {"2026-11-23T06:00:00+24:00", std::nullopt},
        {"2026-11-23T06:00:00+01:60", std::nullopt},
        {"2026-11-23T06:00:00+0100", std::nullopt},
        {"2026-11-23T06:00:00+1:00", std::nullopt},
        {"2026-11-23T06:00:00Z ", std::nullopt},
        {" 2026-11-23T06:00:00Z", std::nullopt},
        {"2026-11-23T06:00Z", std::nullopt},
        {"2026-11-23", std::nullopt},
        {"26-11-23T06:00:00Z", std::nullopt},
        {"+026-11-23T06:00:00Z", std::nullopt},
        {"2026-11-2\xd9\xa3T06:00:00Z", std::nullopt},
        {"", std::nullopt},
    };
    for (const row& each : rows) {
        const auto read = parse_rfc3339(each.text);
        const auto ms = read ? std::optional(read->time_since_epoch().count()) : std::nullopt;
        EXPECT_EQ(ms, each.wanted) << each.text;
    }
}

TEST(Rfc3339, WhatIsCutShortAnywhereIsRefused) {
    const std::string whole = "2026-11-23T06:00:00.250+01:00";
    ASSERT_TRUE(parse_rfc3339(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(parse_rfc3339(whole.substr(0, length))) << whole.substr(0, length);
    }
}

TEST(Rfc3339, IsWrittenInUtcAndReadBack) {
    EXPECT_EQ(format_rfc3339(wall_time(milliseconds(1'795'413'600'250))), "2026-11-23T06:00:00.250Z");
    EXPECT_EQ(format_rfc3339(wall_time(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
    for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{951'782'400'001}}) {
        const wall_time when{milliseconds(ms)};
        EXPECT_EQ(parse_rfc3339(format_rfc3339(when)), when) << ms;
    }
}

}  // namespace
}  // namespace tocsin
