#include "engine/live/event_summary.hpp"

#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;

const territories& places() {
    static const territories known = territories::parse(
                                         "insee,name,population,department,epci\n21054,Beaune,1000,21,\n"
                                         "21231,Dijon,3000,21,\n71076,Chalon,2000,71,\n",
                                         "")
                                         .value();
    return known;
}

ledger_fields fields() {
    return {
        {"event",
         R"({"id":"crue","audience":["commune:21231","device:fcm:0123456789abcdef0123456789abcdef"],)"
         R"("priority":"critical","category":"alerte","notification":{"title":"Crue","body":"Partez."}})"},
        {"targets", "mairies/apns;mairies/fcm"},
        {"state", "running"},
        {"targeted", "1000"},
        {"pages_planned", "8"},
        {"pages_settled", "2"},
        {"o:mairies/fcm:accepted", "900"},
        {"o:mairies/apns:dead", "100"},
        {"c:21231", "600"},
        {"c:21054", "200"},
        {"c:71076", "100"},
        {"h:10", "400"},
        {"h:100", "500"}};
}

TEST(EventSummary, HasWhatAPersonRecognisesTheEventBy) {
    const event_heading heading = read_heading(fields());
    EXPECT_EQ(heading.title, "Crue");
    EXPECT_EQ(heading.priority, "critical");
    EXPECT_EQ(heading.category, "alerte");
    EXPECT_EQ(heading.mode, "actual");
    EXPECT_EQ(heading.targets, (std::vector<std::string>{"mairies/apns", "mairies/fcm"}));
}

TEST(EventSummary, NeverShowsAWholeToken) {
    const event_heading heading = read_heading(fields());
    ASSERT_EQ(heading.audience.size(), 2U);
    EXPECT_EQ(heading.audience[1].find("0123456789abcdef0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(heading.audience[1].starts_with("device:fcm:"));
}

TEST(EventSummary, ReadsADocumentThatIsNoneAsNothing) {
    for (const std::string_view broken : {"", "[]", "{", "{\"audience\":7,\"notification\":[]}"}) {
        const event_heading heading = read_heading({{"event", std::string(broken)}});
        EXPECT_EQ(heading.title, "") << broken;
        EXPECT_TRUE(heading.audience.empty()) << broken;
    }
}

TEST(EventSummary, AsksForEveryOutcomeOfEveryTarget) {
    const auto wanted = moving_fields({"mairies/apns", "mairies/fcm", "no target"});
    EXPECT_EQ(
        std::ranges::count_if(wanted, [](const std::string& one) { return one.starts_with("o:"); }), 14);
    EXPECT_NE(std::ranges::find(wanted, "o:mairies/fcm:accepted"), wanted.end());
}

TEST(EventSummary, SaysHowFarTheEventIs) {
    event_pace pace;
    pace.look(time_point{} + std::chrono::seconds(1), 0, 0);
    pace.look(time_point{} + std::chrono::seconds(2), 900, 2);
    const json::object line =
        summary_of(read_heading(fields()), read_report("crue", fields()), &pace, wall_time{});
    EXPECT_EQ(line.at("progress").as_double(), 0.25);
    EXPECT_EQ(line.at("rate").as_double(), 900);
    EXPECT_EQ(line.at("eta_seconds").as_double(), 3);
    EXPECT_EQ(line.at("accepted").to_number<int>(), 900);
}

TEST(EventSummary, SaysWhatQuietHoursHoldBackUntilTheyEnd) {
    ledger_fields held = fields();
    held.insert_or_assign("state", "running");
    held.insert_or_assign(
        "deferred", R"([{"until":60000,"territories":2,"zones":["Europe/Paris"]},)"
                    R"({"until":90000,"territories":1,"zones":["America/Cayenne"]}])");
    const auto line_at = [&](std::int64_t ms) {
        return summary_of(
            read_heading(held), read_report("crue", held), nullptr, wall_time(std::chrono::milliseconds(ms)));
    };
    const json::object night = line_at(30'000);
    ASSERT_EQ(night.at("deferred").as_array().size(), 2U);
    EXPECT_EQ(night.at("deferred").as_array()[0].at("territories").to_number<int>(), 2);
    EXPECT_EQ(night.at("eta_seconds").as_double(), 60);
    ASSERT_EQ(line_at(60'000).at("deferred").as_array().size(), 1U);
    EXPECT_EQ(line_at(60'000).at("deferred").as_array()[0].at("zones").as_array()[0], "America/Cayenne");
    EXPECT_TRUE(line_at(90'000).at("deferred").as_array().empty());
    held.insert_or_assign("state", "cancelling");
    EXPECT_TRUE(line_at(30'000).at("deferred").as_array().empty());
}

TEST(EventSummary, OfAResultLeavesOutWhatGrowsWithTheAudience) {
    const json::object result{
        {"event", "crue"},
        {"state", "finished"},
        {"accepted", 5},
        {"finished_at", 7},
        {"communes", {{"21231", 1}}}};
    const json::object line = summary_of(event_heading{}, result);
    EXPECT_EQ(line.at("accepted").to_number<int>(), 5);
    EXPECT_FALSE(line.contains("communes"));
    EXPECT_EQ(line.at("progress").as_double(), 1);
}

TEST(EventDetail, AddsUpDepartmentsAndNamesCommunes) {
    const json::object whole =
        event_detail(read_heading(fields()), read_report("crue", fields()), places(), nullptr, wall_time{});
    const json::object& gold = whole.at("departments").at("21").as_object();
    EXPECT_EQ(gold.at("accepted").to_number<int>(), 800);
    EXPECT_EQ(gold.at("population").to_number<int>(), 4000);
    EXPECT_EQ(gold.at("reach").to_number<double>(), 0.2);
    EXPECT_EQ(whole.at("departments").at("71").at("communes").to_number<int>(), 1);
    EXPECT_EQ(whole.at("communes").at("21231").at("name"), "Dijon");
    EXPECT_EQ(whole.at("communes").at("21231").at("department"), "21");
}

TEST(EventDetail, HasACurveThatEndsAtWhatWasAccepted) {
    const json::object whole =
        event_detail(read_heading(fields()), read_report("crue", fields()), places(), nullptr, wall_time{});
    const json::array& curve = whole.at("curve").as_array();
    ASSERT_EQ(curve.size(), 2U);
    EXPECT_EQ(curve[0].at(1).to_number<int>(), 400);
    EXPECT_EQ(curve[1].at(1).to_number<int>(), 900);
}

}  // namespace
}  // namespace tocsin
