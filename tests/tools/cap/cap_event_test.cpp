#include "tools/cap/cap_event.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"
#include "tests/tools/cap/cap_events.hpp"
#include "tests/tools/cap/cap_samples.hpp"

#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::cap_sample;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::places;
using ::testing::StartsWith;

cap_message read(const cap_sample& sample) {
    auto message = read_cap(sample.text());
    EXPECT_TRUE(message.has_value()) << message.error().message;
    return message.value();
}

parsed<json::object> event_of(const cap_sample& sample) {
    return testing::event_of(sample.text());
}

TEST(CapEvent, IsAnEventThatTheEngineTakes) {
    cap_sample sample;
    sample.more_infos = testing::english_info();
    const auto event = event_of(sample);
    ASSERT_TRUE(event.has_value()) << event.error().message;
    const auto taken = parse_event(
        known_platforms(), json::serialize(*event), "", event_limits{},
        *parse_rfc3339("2026-11-23T05:00:00Z"));
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
    EXPECT_EQ(taken->priority, priority::critical);
    EXPECT_EQ(taken->notification->title, "L'Ouche déborde");
    EXPECT_EQ(taken->notification->body, "Le niveau monte encore.\nÉvitez les quais.");
    EXPECT_EQ(taken->notification->url, "https://example.fr/crue");
    EXPECT_EQ(taken->localized.at("en").title, "The Ouche is rising");
    EXPECT_EQ(taken->audience.size(), 2U);
    EXPECT_EQ(taken->mode, delivery_mode::actual);
}

TEST(CapEvent, AMessageThatComesAgainIsTheSameEvent) {
    EXPECT_EQ(event_of({})->at("id"), event_of({})->at("id"));
    cap_sample other;
    other.sent = "2026-11-23T06:00:01+01:00";
    EXPECT_NE(event_of({})->at("id"), event_of(other)->at("id"));
}

TEST(CapEvent, AnUpdateReplacesOnTheScreenWhatItRefersTo) {
    cap_sample update;
    update.kind = "Update";
    update.identifier = "FR-21-43";
    update.sent = "2026-11-23T07:00:00+01:00";
    update.references = "prefecture@example.fr,FR-21-42,2026-11-23T06:00:00+01:00";
    EXPECT_EQ(event_of(update)->at("collapse_id"), event_of({})->at("collapse_id"));
    EXPECT_NE(event_of(update)->at("id"), event_of({})->at("id"));
    EXPECT_LE(event_of(update)->at("collapse_id").as_string().size(), 64U);
}

TEST(CapEvent, AnAlertForMonthsLivesAsLongAsAnEventMay) {
    std::string document = cap_sample().text();
    document.replace(document.find("2026-11-23T18"), 13, "2027-11-23T18");
    cap_event_options how;
    how.collapse_id = "c";
    how.now = *parse_rfc3339("2026-11-23T05:00:00Z");
    const auto event = cap_event(read_cap(document).value(), places(), how);
    EXPECT_TRUE(
        parse_event(known_platforms(), json::serialize(*event), "", event_limits{}, how.now).has_value());
}

TEST(CapEvent, WhatIsNotActualIsADryRun) {
    for (const char* const status : {"Exercise", "System", "Test", "Draft"}) {
        cap_sample sample;
        sample.status = status;
        EXPECT_EQ(event_of(sample)->at("mode"), "dry_run") << status;
    }
}

TEST(CapEvent, HasThePriorityOfEverySeverityAndUrgency) {
    const auto expected = [](std::string_view severity, std::string_view urgency) {
        const bool grave = severity == "Extreme" || severity == "Severe";
        if (grave && urgency == "Immediate") {
            return "critical";
        }
        if (grave || urgency == "Immediate") {
            return "high";
        }
        if ((severity == "Minor" || severity == "Unknown") && (urgency == "Past" || urgency == "Unknown")) {
            return "low";
        }
        return "normal";
    };
    for (const char* const severity : {"Extreme", "Severe", "Moderate", "Minor", "Unknown"}) {
        for (const char* const urgency : {"Immediate", "Expected", "Future", "Past", "Unknown"}) {
            cap_sample sample;
            sample.severity = severity;
            sample.urgency = urgency;
            EXPECT_EQ(event_of(sample)->at("priority"), expected(severity, urgency)) << severity << urgency;
        }
    }
}

std::string area_with(std::string_view geocodes, std::string_view shape = "") {
    return "<area><areaDesc>x</areaDesc>" + std::string(shape) + std::string(geocodes) + "</area>";
}
std::string code(std::string_view system, std::string_view value) {
    return "<geocode><valueName>" + std::string(system) + "</valueName><value>" + std::string(value) +
           "</value></geocode>";
}

TEST(CapEvent, NamesEveryTerritoryOnce) {
    cap_sample sample;
    sample.area = area_with(code("INSEE", "21231") + code("EMMA_ID", "FR021")) +
                  area_with(
                      code("insee", "21231") + code("DEPARTMENT", "2A") + code("SIREN", "242100410"),
                      "<polygon>0,0 1,0 1,1 0,0</polygon>");
    const auto audience = cap_audience(read(sample), places());
    ASSERT_TRUE(audience.has_value()) << audience.error().message;
    EXPECT_THAT(*audience, ElementsAre("commune:21231", "department:2A", "epci:242100410"));
}

struct bad_area {
    std::string area;
    std::string says;
};

TEST(CapEvent, RefusesAnAreaThatNamesNoTerritoryWithItsLine) {
    const std::vector<bad_area> bad{
        {area_with("", "<polygon>0,0 1,0 1,1 0,0</polygon>"), "polygon"},
        {area_with("", "<circle>47.3,5.0 10</circle>"), "circle"},
        {area_with(code("EMMA_ID", "FR021")), "EMMA_ID"},
        {area_with(""), "no geocode"},
        {area_with(code("INSEE", "99999")), "no commune"},
        {area_with(code("INSEE", "21")), "no commune"},
        {area_with(code("SIREN", "1")), "no EPCI"},
        {area_with(code("DEPARTMENT", "20")), "no department"},
        {"", "no area"}};
    for (const bad_area& one : bad) {
        cap_sample sample;
        sample.area = one.area;
        const auto event = event_of(sample);
        ASSERT_TRUE(event.has_error()) << one.area;
        EXPECT_THAT(event.error().message, StartsWith(one.area.empty() ? "line 9: " : "line 22: "));
        EXPECT_THAT(event.error().message, HasSubstr(one.says));
    }
}

TEST(CapEvent, AnAckTellsResidentsNothing) {
    cap_sample sample;
    sample.kind = "Ack";
    EXPECT_EQ(event_of(sample).error().code, "nothing_to_send");
}

TEST(CapEvent, LongTextsFitAndKeepTheInstruction) {
    std::string document = cap_sample().text();
    std::string story;
    for (int i = 0; i < 3'000; ++i) {
        story += "éàü ";
    }
    document.replace(document.find("Le niveau monte"), 15, story);
    const cap_message message = read_cap(document).value();
    const json::object event = cap_event(message, places(), {{}, {}, "c", {}}).value();
    const std::string body(event.at("notification").at("body").as_string());
    EXPECT_LE(body.size(), 1'600U);
    EXPECT_TRUE(body.ends_with("Évitez les quais."));
}

TEST(CapAllClear, SpeaksForItselfWhenTheCancelSaysNothing) {
    cap_sample sample;
    sample.kind = "Cancel";
    sample.info = false;
    sample.references = "prefecture@example.fr,FR-21-42,2026-11-23T06:00:00+01:00";
    const cap_message message = read(sample);
    cap_event_options how;
    how.collapse_id = cap_collapse_id(message);
    const json::object event = cap_all_clear(message, {"commune:21231"}, "L'Ouche déborde", how);
    EXPECT_EQ(event.at("notification").at("title"), "Fin d’alerte");
    EXPECT_EQ(event.at("collapse_id"), event_of({})->at("collapse_id"));
    EXPECT_EQ(event.at("priority"), "high");
    EXPECT_FALSE(event.contains("reached_by"));
}

TEST(CapAllClear, LivesOnWhenTheCancelSaysThatTheWarningIsOver) {
    for (const char* const over : {"2026-11-23T06:00:00+01:00", "2026-11-22T00:00:00+01:00"}) {
        cap_sample sample;
        sample.kind = "Cancel";
        sample.expires = over;
        sample.references = "prefecture@example.fr,FR-21-42,2026-11-23T06:00:00+01:00";
        const json::object event = cap_all_clear(read(sample), {"commune:21231"}, "L'Ouche déborde", {});
        EXPECT_FALSE(event.contains("expires_at")) << over;
    }
}

TEST(CapAllClear, GoesToThoseWhoWereSentToByWhatItEndsAndAtTheHoursOfThat) {
    cap_sample sample;
    sample.kind = "Cancel";
    sample.identifier = "FR-21-43";
    sample.info = false;
    sample.references = "prefecture@example.fr,FR-21-42,2026-11-23T06:00:00+01:00";
    const cap_message message = read(sample);
    const json::object alert = *event_of({});
    EXPECT_EQ(alert.at("remember_reached"), true);
    cap_event_options how;
    how.collapse_id = cap_collapse_id(message);
    how.reached_by = {std::string(alert.at("id").as_string())};
    how.ignores_quiet_hours = true;
    const json::object event = cap_all_clear(message, {"commune:21231"}, "L'Ouche déborde", how);
    const auto taken = parse_event(
        known_platforms(), json::serialize(event), "", event_limits{},
        *parse_rfc3339("2026-11-23T05:00:00Z"));
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
    EXPECT_EQ(taken->reached_by, how.reached_by);
    EXPECT_TRUE(taken->ignores_quiet_hours);
    EXPECT_FALSE(taken->remembers_reached);
}

}  // namespace
}  // namespace tocsin
