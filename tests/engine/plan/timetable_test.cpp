#include "engine/plan/timetable.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const wall_time seven{1'795'000'000'000ms};

timetable two_waves() {
    timetable out;
    out.add({.first_page = 3, .pages = 4, .starts = seven, .over = 40s});
    out.add({.first_page = 7, .pages = 2, .starts = seven + 1h, .over = 0s});
    return out;
}

TEST(Timetable, PagesOfNoWaveMayLeaveAtOnce) {
    const timetable when = two_waves();
    EXPECT_EQ(timetable().due(0), wall_time{});
    EXPECT_EQ(when.due(0), wall_time{});
    EXPECT_EQ(when.due(2), wall_time{});
    EXPECT_EQ(when.due(9), wall_time{});  // A page of retries.
    EXPECT_EQ(when.span_of(2), std::nullopt);
    EXPECT_EQ(when.wave_start(9), std::nullopt);
}

TEST(Timetable, PagesOfAWaveFollowEachOtherEvenly) {
    const timetable when = two_waves();
    EXPECT_EQ(when.due(3), seven);
    EXPECT_EQ(when.due(4), seven + 10s);
    EXPECT_EQ(when.due(6), seven + 30s);
    ASSERT_TRUE(when.span_of(6).has_value());
    EXPECT_EQ(when.span_of(6)->until, seven + 40s);
    EXPECT_EQ(when.wave_start(6), seven);
}

TEST(Timetable, AWaveWithoutAWhileLeavesAtItsMoment) {
    const timetable when = two_waves();
    EXPECT_EQ(when.due(7), seven + 1h);
    EXPECT_EQ(when.due(8), seven + 1h);
    EXPECT_EQ(when.span_of(8), std::nullopt);
    EXPECT_EQ(when.wave_start(8), seven + 1h);
}

TEST(Timetable, IsReadBackAsItWasWritten) {
    EXPECT_EQ(timetable::decode(two_waves().encode()), two_waves());
    EXPECT_EQ(timetable::decode(""), timetable());
}

TEST(Timetable, WhatMakesNoSenseIsReadAsFarAsItDoes) {
    timetable first;
    first.add({.first_page = 3, .pages = 4, .starts = seven, .over = 40s});
    const std::string sound = first.encode();
    for (const char* const rest :
         {"7:2:1:", "7:2:x:0;", ";", "7:0:1:0;", "-1:2:1:0;", "7:2:1:-4;", "7:2:-1:0;", "7:2:1:9999999999;",
          "7:2:999999999999999999:0;", "99999999999:2:1:0;", "7:2:1:0"}) {
        EXPECT_EQ(timetable::decode(sound + rest), first) << rest;
    }
}

}  // namespace
}  // namespace tocsin
