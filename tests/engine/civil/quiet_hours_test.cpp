#include "engine/civil/quiet_hours.hpp"

#include "engine/civil/commune_zone.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/core/time_of_day.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

wall_time at(std::string_view text) {
    return parse_rfc3339(text).value();
}

quiet_hours hours(
    std::string from, std::string to, std::vector<std::string> categories = {},
    std::vector<std::string> priorities = {}) {
    quiet_hours_settings how;
    how.from = std::move(from);
    how.to = std::move(to);
    how.categories = std::move(categories);
    how.priorities = std::move(priorities);
    return quiet_hours::make(how).value();
}

/// The end as text; empty: not quiet.
std::string end_of(const quiet_hours& quiet, std::string_view zone, std::string_view now) {
    const auto end = quiet.end(zone, at(now));
    return end ? format_rfc3339(*end) : std::string();
}

TEST(TimeOfDay, IsFourDigitsAndAColon) {
    using std::chrono::minutes;
    EXPECT_EQ(parse_time_of_day("00:00"), minutes(0));
    EXPECT_EQ(parse_time_of_day("21:30"), minutes(21 * 60 + 30));
    EXPECT_EQ(parse_time_of_day("23:59"), minutes(24 * 60 - 1));
    for (const char* const wrong : {"", "7:00", "24:00", "12:60", "12h30", "12:3a", "12:30:00", " 7:00"}) {
        EXPECT_EQ(parse_time_of_day(wrong), std::nullopt) << wrong;
    }
}

// --- Every zone, winter and summer -----------------------------------------------------------

struct zone_case {
    std::string_view commune;  ///< One of the territory.
    std::string_view name;
    std::string_view winter;  ///< 07:00 of 15 January there, in UTC.
    std::string_view summer;  ///< 07:00 of 15 July there.
};

void PrintTo(const zone_case& given, std::ostream* out) {
    *out << given.name;
}

class QuietHoursZoneTest : public ::testing::TestWithParam<zone_case> {};

TEST_P(QuietHoursZoneTest, EndAtSevenByTheTerritorysOwnClock) {
    const quiet_hours night = hours("21:30", "07:00");
    const std::string_view zone = zone_of(parse_commune_id(GetParam().commune).value());
    for (const std::string_view morning : {GetParam().winter, GetParam().summer}) {
        const wall_time end = at(morning);
        using std::chrono::hours;
        using std::chrono::milliseconds;
        using std::chrono::minutes;
        const auto begin = end - hours(9) - minutes(30);
        EXPECT_EQ(night.end(zone, begin - milliseconds(1)), std::nullopt);
        EXPECT_EQ(night.end(zone, begin), end);
        EXPECT_EQ(night.end(zone, end - hours(5)), end);
        EXPECT_EQ(night.end(zone, end - milliseconds(1)), end);
        EXPECT_EQ(night.end(zone, end), std::nullopt);
        EXPECT_EQ(night.end(zone, end + hours(5)), std::nullopt);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, QuietHoursZoneTest,
    ::testing::Values(
        zone_case{"75056", "Paris", "2026-01-15T06:00:00Z", "2026-07-15T05:00:00Z"},
        zone_case{"2A004", "Corsica", "2026-01-15T06:00:00Z", "2026-07-15T05:00:00Z"},
        zone_case{"97105", "Guadeloupe", "2026-01-15T11:00:00Z", "2026-07-15T11:00:00Z"},
        zone_case{"97209", "Martinique", "2026-01-15T11:00:00Z", "2026-07-15T11:00:00Z"},
        zone_case{"97302", "Guyane", "2026-01-15T10:00:00Z", "2026-07-15T10:00:00Z"},
        zone_case{"97411", "Reunion", "2026-01-15T03:00:00Z", "2026-07-15T03:00:00Z"},
        zone_case{"97502", "Miquelon", "2026-01-15T10:00:00Z", "2026-07-15T09:00:00Z"},
        zone_case{"97611", "Mayotte", "2026-01-15T04:00:00Z", "2026-07-15T04:00:00Z"},
        zone_case{"97701", "StBarthelemy", "2026-01-15T11:00:00Z", "2026-07-15T11:00:00Z"},
        zone_case{"97801", "StMartin", "2026-01-15T11:00:00Z", "2026-07-15T11:00:00Z"},
        zone_case{"98412", "Kerguelen", "2026-01-15T02:00:00Z", "2026-07-15T02:00:00Z"},
        zone_case{"98413", "Crozet", "2026-01-15T03:00:00Z", "2026-07-15T03:00:00Z"},
        zone_case{"98414", "TerreAdelie", "2026-01-14T21:00:00Z", "2026-07-14T21:00:00Z"},
        zone_case{"98415", "IlesEparses", "2026-01-15T04:00:00Z", "2026-07-15T04:00:00Z"},
        zone_case{"98613", "Wallis", "2026-01-14T19:00:00Z", "2026-07-14T19:00:00Z"},
        zone_case{"98735", "Tahiti", "2026-01-15T17:00:00Z", "2026-07-15T17:00:00Z"},
        zone_case{"98731", "Marquesas", "2026-01-15T16:30:00Z", "2026-07-15T16:30:00Z"},
        zone_case{"98719", "Gambier", "2026-01-15T16:00:00Z", "2026-07-15T16:00:00Z"},
        zone_case{"98818", "Noumea", "2026-01-14T20:00:00Z", "2026-07-14T20:00:00Z"},
        zone_case{"98901", "Clipperton", "2026-01-15T15:00:00Z", "2026-07-15T15:00:00Z"}),
    [](const auto& test) { return std::string(test.param.name); });

/// What a clock on the wall there shows, by the C library.
std::string clock_at(std::string_view zone, wall_time when) {
    ::setenv("TZ", std::string(zone).c_str(), 1);
    ::tzset();
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::string out(9, '\0');
    out.resize(std::strftime(out.data(), out.size(), "%H:%M", &local));
    return out;
}

// Of every department and collectivity, since every zone of a commune is one of these.
TEST(QuietHours, OfEveryZoneEndWhenItsClocksShowSevenAlsoInTheNightsOfChange) {
    using namespace std::chrono_literals;
    const quiet_hours night = hours("21:30", "07:00");
    std::size_t nights_of_change = 0;
    for (const std::string_view zone : commune_zones()) {
        for (const std::string_view day :
             {"2026-01-15T00:00:00Z", "2026-03-07T12:00:00Z", "2026-03-28T12:00:00Z", "2026-07-15T00:00:00Z",
              "2026-10-24T12:00:00Z", "2026-10-31T12:00:00Z"}) {
            wall_time quiet_since{};
            for (wall_time when = at(day); when < at(day) + 36h; when += 10min) {
                const std::string shown = clock_at(zone, when);
                const auto end = night.end(zone, when);
                const bool quiet = shown >= "21:30" || shown < "07:00";
                ASSERT_EQ(end.has_value(), quiet) << zone << " " << format_rfc3339(when);
                quiet_since = shown == "21:30" ? when : quiet_since;
                if (!quiet) {
                    continue;
                }
                ASSERT_EQ(clock_at(zone, *end), "07:00") << zone << " " << format_rfc3339(when);
                ASSERT_LE(*end - when, 10h + 30min) << zone << " " << format_rfc3339(when);
                if (when == quiet_since && *end - when != 9h + 30min) {
                    ++nights_of_change;
                }
            }
        }
    }
    ::unsetenv("TZ");
    ::tzset();
    // Two in metropolitan France, two in Saint-Pierre-et-Miquelon.
    EXPECT_EQ(nights_of_change, 4U);
}

// --- The nights on which the clocks are changed ----------------------------------------------

TEST(QuietHours, OfTheNightThatLosesAnHourEndAnHourEarlier) {
    // 29 March 2026, 02:00 → 03:00 in Paris; 8 March in Saint-Pierre-et-Miquelon.
    const quiet_hours night = hours("21:30", "07:00");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-03-28T22:00:00Z"), "2026-03-29T05:00:00.000Z");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-03-27T22:00:00Z"), "2026-03-28T06:00:00.000Z");
    EXPECT_EQ(end_of(night, "America/Miquelon", "2026-03-08T02:00:00Z"), "2026-03-08T09:00:00.000Z");
    EXPECT_EQ(end_of(night, "America/Miquelon", "2026-03-07T02:00:00Z"), "2026-03-07T10:00:00.000Z");
}

TEST(QuietHours, OfTheNightThatWinsAnHourEndAnHourLater) {
    // 25 October 2026, 03:00 → 02:00 in Paris; 1 November in Saint-Pierre-et-Miquelon.
    const quiet_hours night = hours("21:30", "07:00");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-24T22:00:00Z"), "2026-10-25T06:00:00.000Z");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-23T22:00:00Z"), "2026-10-24T05:00:00.000Z");
    EXPECT_EQ(end_of(night, "America/Miquelon", "2026-11-01T02:00:00Z"), "2026-11-01T10:00:00.000Z");
}

TEST(QuietHours, ThatWouldEndAtATimeWhichIsLeaptOverEndWithTheLeap) {
    const quiet_hours night = hours("21:30", "02:30");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-03-29T00:50:00Z"), "2026-03-29T01:00:00.000Z");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-03-29T01:00:00Z"), "");
}

TEST(QuietHours, ThatEndAtATimeWhichComesTwiceEndEachTimeThatItComes) {
    const quiet_hours night = hours("21:30", "02:30");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-24T23:00:00Z"), "2026-10-25T00:30:00.000Z");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-25T00:45:00Z"), "");
    // 02:15 for the second time.
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-25T01:15:00Z"), "2026-10-25T01:30:00.000Z");
    EXPECT_EQ(end_of(night, "Europe/Paris", "2026-10-25T01:30:00Z"), "");
}

TEST(QuietHours, ThatBeginAtATimeWhichIsLeaptOverBeginWithTheLeap) {
    const quiet_hours morning = hours("02:30", "05:00");
    EXPECT_EQ(end_of(morning, "Europe/Paris", "2026-03-29T00:59:00Z"), "");
    EXPECT_EQ(end_of(morning, "Europe/Paris", "2026-03-29T01:00:00Z"), "2026-03-29T03:00:00.000Z");
}

// --- Their shape -----------------------------------------------------------------------------

TEST(QuietHours, MayLieWithinADay) {
    const quiet_hours nap = hours("13:00", "14:30");
    EXPECT_EQ(end_of(nap, "Europe/Paris", "2026-01-15T11:59:59Z"), "");
    EXPECT_EQ(end_of(nap, "Europe/Paris", "2026-01-15T12:00:00Z"), "2026-01-15T13:30:00.000Z");
    EXPECT_EQ(end_of(nap, "Europe/Paris", "2026-01-15T13:29:59.999Z"), "2026-01-15T13:30:00.000Z");
    EXPECT_EQ(end_of(nap, "Europe/Paris", "2026-01-15T13:30:00Z"), "");
}

TEST(QuietHours, MayLastUntilMidnightOrBeginAtIt) {
    EXPECT_EQ(
        end_of(hours("21:30", "00:00"), "Europe/Paris", "2026-01-15T22:59:00Z"), "2026-01-15T23:00:00.000Z");
    EXPECT_EQ(end_of(hours("21:30", "00:00"), "Europe/Paris", "2026-01-15T23:00:00Z"), "");
    EXPECT_EQ(
        end_of(hours("00:00", "07:00"), "Europe/Paris", "2026-01-15T23:00:00Z"), "2026-01-16T06:00:00.000Z");
}

TEST(QuietHours, ThatAreNotConfiguredAreNone) {
    EXPECT_EQ(end_of(quiet_hours(), "Europe/Paris", "2026-01-15T02:00:00Z"), "");
    EXPECT_FALSE(quiet_hours().hold(publish_event{}));
    EXPECT_FALSE(quiet_hours::make({}).value().hold(publish_event{}));
}

// --- Which events fall under them ------------------------------------------------------------

bool held(const quiet_hours& by, std::string category, priority urgency, bool ignores = false) {
    publish_event event;
    event.category = std::move(category);
    event.priority = urgency;
    event.ignores_quiet_hours = ignores;
    return by.hold(event);
}

TEST(QuietHours, HoldAnEventIfBothListsDo) {
    const quiet_hours both = hours("21:30", "07:00", {"agenda", "vie"}, {"normal", "low"});
    EXPECT_TRUE(held(both, "agenda", priority::normal));
    EXPECT_TRUE(held(both, "vie", priority::low));
    EXPECT_FALSE(held(both, "agenda", priority::high));
    EXPECT_FALSE(held(both, "alerte", priority::normal));
    EXPECT_FALSE(held(both, "", priority::normal));
}

TEST(QuietHours, OfAnEmptyListHoldAll) {
    const quiet_hours all = hours("21:30", "07:00");
    EXPECT_TRUE(held(all, "", priority::high));
    EXPECT_TRUE(held(all, "agenda", priority::low));
    EXPECT_TRUE(held(hours("21:30", "07:00", {}, {"low"}), "", priority::low));
    EXPECT_FALSE(held(hours("21:30", "07:00", {"agenda"}, {}), "", priority::low));
    EXPECT_TRUE(held(hours("21:30", "07:00", {"agenda"}, {}), "agenda", priority::high));
}

TEST(QuietHours, NeverHoldACriticalEventOrOneThatIgnoresThem) {
    const quiet_hours all = hours("21:30", "07:00");
    EXPECT_FALSE(held(all, "agenda", priority::critical));
    EXPECT_FALSE(held(all, "agenda", priority::normal, true));
}

}  // namespace
}  // namespace tocsin
