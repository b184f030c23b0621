#include "engine/plan/deferral.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/ops/settings.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

wall_time at(std::string_view text) {
    return parse_rfc3339(text).value();
}

territory place(std::string_view code, std::string zone = {}) {
    return {*parse_commune_id(code), std::move(zone)};
}

TEST(Deferrals, AreReadBackAsTheyWereWrittenAndWhatMakesNoSenseIsLeftOut) {
    const std::vector<deferral> some{
        {at("2026-11-24T06:00:00Z"), 3, {"Europe/Paris"}}, {at("2026-11-24T10:00:00Z"), 0, {}}};
    EXPECT_EQ(read_deferrals(write_deferrals(some)), some);
    EXPECT_EQ(read_deferrals(write_deferrals({})), std::vector<deferral>{});
    for (const char* const text :
         {"", "x", "{}", "1", R"([1,"a",null,[]])", R"([{"until":1}])",
          R"([{"until":-1,"territories":1,"zones":[]}])", R"([{"until":1,"territories":-1,"zones":[]}])",
          R"([{"until":1,"territories":1,"zones":"Europe/Paris"}])",
          R"([{"until":253402300799001,"territories":1,"zones":[]}])",
          R"([{"until":1.5,"territories":1,"zones":[]}])"}) {
        EXPECT_EQ(read_deferrals(text), std::vector<deferral>{}) << text;
    }
    const auto rest = read_deferrals(R"([7,{"until":1,"territories":2,"zones":["a",7,"b"]}])");
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest.front(), (deferral{wall_time(1ms), 2, {"a", "b"}}));
}

/// Quiet from 21:30 to 07:00; it is 23:00 in Paris, 19:00 in Cayenne.
class DeferralBookTest : public ::testing::Test {
protected:
    DeferralBookTest() {
        event.expires_at = now + 24h;
        how.from = "21:30";
        how.to = "07:00";
        how.spread = 30min;
    }
    quiet_hours hours() const { return quiet_hours::make(how).value(); }

    const wall_time now = at("2026-11-23T22:00:00Z");
    const wall_time morning = at("2026-11-24T06:00:00Z");
    quiet_hours_settings how;
    publish_event event;
};

TEST_F(DeferralBookTest, WhereItIsNightAnEventWaitsForTheMorningThere) {
    const quiet_hours quiet = hours();
    deferral_book book(quiet, event, now);
    EXPECT_EQ(book.moment_for(place("75056")), morning);
    EXPECT_EQ(book.moment_for(place("21231", "quai")), morning);
    EXPECT_EQ(book.moment_for(place("21231", "quai")), morning);
    EXPECT_EQ(book.moment_for(place("97302")), wall_time{}) << "it is evening there";
    EXPECT_EQ(book.moment_for({commune_id(0), {}}), morning) << "who was named, and is nowhere, is in Paris";
    ASSERT_EQ(book.deferrals().size(), 1U);
    EXPECT_EQ(book.deferrals().front(), (deferral{morning, 3, {"Europe/Paris"}})) << "each territory once";
}

TEST_F(DeferralBookTest, NobodyWaitsLongerThanTheEventLives) {
    event.expires_at = now + 1h;
    const quiet_hours quiet = hours();
    deferral_book book(quiet, event, now);
    EXPECT_EQ(book.moment_for(place("75056")), event.expires_at);
}

TEST_F(DeferralBookTest, AnAlertAndWhoHasNoQuietHoursWaitNowhere) {
    const quiet_hours none;
    deferral_book without(none, event, now);
    EXPECT_EQ(without.moment_for(place("75056")), wall_time{});
    event.priority = priority::critical;
    const quiet_hours quiet = hours();
    deferral_book alert(quiet, event, now);
    EXPECT_EQ(alert.moment_for(place("75056")), wall_time{});
    EXPECT_TRUE(alert.deferrals().empty());
}

TEST_F(DeferralBookTest, WhatWaitedIsSpreadAndLeavesRoomForRetries) {
    const quiet_hours quiet = hours();
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from(morning), 30min);
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from({}), 0min) << "what leaves at once is not";
    event.expires_at = morning + 20min;
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from(morning), 10min);
    event.expires_at = morning - 1min;
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from(morning), 0min);
    event.expires_at = now + 24h;
    event.spread = 5min;
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from(morning), 5min);
    EXPECT_EQ(deferral_book(quiet, event, now).spread_from({}), 5min) << "its own is kept at once as well";
}

}  // namespace
}  // namespace tocsin
