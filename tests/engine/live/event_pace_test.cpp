#include "engine/live/event_pace.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

TEST(EventPace, SaysNothingBeforeTheSecondLook) {
    event_pace pace;
    EXPECT_EQ(pace.accepted_per_second(), 0);
    pace.look(time_point{} + 1s, 100, 1);
    EXPECT_EQ(pace.accepted_per_second(), 0);
    EXPECT_FALSE(pace.seconds_left(10));
}

TEST(EventPace, IsTheSpeedOfTheLastFiveSeconds) {
    event_pace pace;
    for (int second = 0; second <= 20; ++second) {
        const auto fast =
            static_cast<std::uint64_t>(second < 10 ? second * 1'000 : 10'000 + (second - 10) * 200);
        pace.look(time_point{} + std::chrono::seconds(second), fast, fast / 100);
    }
    EXPECT_DOUBLE_EQ(pace.accepted_per_second(), 200);
    EXPECT_DOUBLE_EQ(pace.seconds_left(130).value(), 5);
    EXPECT_DOUBLE_EQ(pace.seconds_left(120).value(), 0);
}

TEST(EventPace, HasNoEndInSightWhileNothingMoves) {
    event_pace pace;
    pace.look(time_point{} + 1s, 5, 1);
    pace.look(time_point{} + 2s, 5, 1);
    EXPECT_FALSE(pace.seconds_left(10));
}

TEST(EventPace, BeginsAnewWhenRedisForgot) {
    event_pace pace;
    pace.look(time_point{} + 1s, 5'000, 10);
    pace.look(time_point{} + 2s, 100, 1);
    EXPECT_EQ(pace.accepted_per_second(), 0);
    pace.look(time_point{} + 3s, 150, 2);
    EXPECT_DOUBLE_EQ(pace.accepted_per_second(), 50);
}

}  // namespace
}  // namespace tocsin
