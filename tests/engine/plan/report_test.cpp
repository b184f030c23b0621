#include "engine/plan/report.hpp"

#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

ledger_fields some_fields() {
    return {
        {"state", "running"},
        {"accepted_at", "1795000000000"},
        {"started_at", "1795000000005"},
        {"targeted", "1010"},
        {"retries", "7"},
        {"possible_duplicates", "2"},
        {"communes", "1"},
        {"o:mairies/apns:accepted", "200"},
        {"o:mairies/fcm:accepted", "700"},
        {"o:mairies/fcm:dead", "60"},
        {"o:dijon/fcm:muted", "50"},
        {"r:fcm:UNREGISTERED", "60"},
        {"c:21231", "900"},
        {"b:mairies/fcm:rate", "910000"},
        {"b:mairies/fcm:engine", "90000"},
        {"b:dijon/fcm:redis", "5"},
        {"h:10", "450"},
        {"h:100", "450"}};
}

const territories& places() {
    static const territories known =
        territories::parse("insee,name,population,department,epci\n21231,Dijon,2500,21,242100410\n", "")
            .value();
    return known;
}

TEST(EventReport, AddsUpWhatTheLedgerCounts) {
    const event_report report = read_report("crue", some_fields());
    EXPECT_EQ(report.targeted, 1'010U);
    EXPECT_EQ(report.count(outcome::accepted), 900U);
    EXPECT_EQ(report.ended(), report.targeted);
    EXPECT_EQ(report.reasons.at("fcm:UNREGISTERED"), 60U);
    EXPECT_EQ(report.latencies.total(), 900U);
}

TEST(EventReport, BecomesTheDocumentOfTheContract) {
    event_report report = read_report("crue", some_fields());
    report.state = final_state(report);
    report.finished_at = 1'795'000'002'000;
    const auto document = result_document(report, places());
    EXPECT_EQ(document.at("event"), "crue");
    EXPECT_EQ(document.at("state"), "finished");
    std::uint64_t sum = 0;
    for (const std::string_view name : outcome_names) {
        sum += document.at(name).to_number<std::uint64_t>();
    }
    EXPECT_EQ(document.at("targeted").to_number<std::uint64_t>(), sum);
    EXPECT_EQ(document.at("p50_ms").to_number<std::uint64_t>(), log_linear::upper_bound(100));
    EXPECT_EQ(document.at("apps").at("mairies").at("fcm").at("dead").to_number<int>(), 60);
    EXPECT_EQ(document.at("apps").at("mairies").at("fcm").at("targeted").to_number<int>(), 760);
    EXPECT_DOUBLE_EQ(document.at("communes").at("21231").at("reach").to_number<double>(), 0.36);
    EXPECT_EQ(document.at("communes").at("21231").at("population").to_number<int>(), 2'500);
}

TEST(EventReport, SaysWhatHeldTheEventUpAsSharesOfItsTime) {
    const auto document = result_document(read_report("crue", some_fields()), places());
    const auto& limits = document.at("limits");
    EXPECT_DOUBLE_EQ(limits.at("mairies").at("fcm").at("rate").to_number<double>(), 0.91);
    EXPECT_DOUBLE_EQ(limits.at("mairies").at("fcm").at("engine").to_number<double>(), 0.09);
    EXPECT_EQ(limits.at("mairies").at("fcm").as_object().size(), 2U);
    EXPECT_DOUBLE_EQ(limits.at("dijon").at("fcm").at("redis").to_number<double>(), 1);
}

TEST(EventReport, ReachIsNotClampedToTheInhabitants) {
    ledger_fields fields = some_fields();
    fields["c:21231"] = "5000";
    const auto document = result_document(read_report("crue", fields), places());
    EXPECT_DOUBLE_EQ(document.at("communes").at("21231").at("reach").to_number<double>(), 2.0);
}

TEST(EventReport, ReachHasFourDecimalsAtMost) {
    const auto large =
        territories::parse("insee,name,population,department,epci\n21231,Dijon,159346,21,242100410\n", "")
            .value();
    ledger_fields fields = some_fields();
    fields["c:21231"] = "9";
    const auto document = result_document(read_report("crue", fields), large);
    EXPECT_DOUBLE_EQ(document.at("communes").at("21231").at("reach").to_number<double>(), 0.0001);
}

TEST(EventReport, StateSaysHowItEnded) {
    const auto state_of = [](ledger_fields fields) { return final_state(read_report("e", fields)); };
    EXPECT_EQ(state_of({{"state", "running"}}), event_state::finished);
    EXPECT_EQ(state_of({{"state", "cancelling"}, {"o:a/fcm:accepted", "3"}}), event_state::cancelled);
    EXPECT_EQ(
        state_of({{"state", "running"}, {"o:a/fcm:accepted", "3"}, {"o:a/fcm:expired", "1"}}),
        event_state::expired);
    EXPECT_EQ(state_of({{"state", "running"}, {"o:a/fcm:rejected", "3"}}), event_state::failed);
    EXPECT_EQ(
        state_of({{"state", "running"}, {"o:a/fcm:accepted", "1"}, {"o:a/fcm:failed", "3"}}),
        event_state::finished);
}

territories two_communes() {
    return territories::parse(
               "insee,name,population,department,epci\n"
               "21054,Beaune,20000,21,242100410\n21231,Dijon,160000,21,242100410\n21166,Chenôve,0,21,"
               "242100410\n",
               "")
        .value();
}

ledger_fields reported_fields() {
    return {
        {"state", "finished"},
        {"receipts", "1"},
        {"targeted", "131"},
        {"o:mairies/fcm:accepted", "90"},
        {"o:mairies/fcm:muted", "41"},
        {"c:21231", "80"},
        {"c:21054", "10"},
        {"l:21231", "40"},
        {"l:21166", "1"},
        {"w:received:21231", "50"},
        {"w:displayed:21231", "60"},
        {"w:opened:21054", "7"}};
}

TEST(Reach, OfACommuneAndOfAllIsInInhabitantsAndConfirmedByTheLargestKind) {
    const territories places = two_communes();
    const event_report report = read_report("crue", reported_fields());
    const auto lines = reach_lines(report, places);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].insee, "21054");
    EXPECT_EQ(lines[0].targeted, 10U);
    EXPECT_EQ(lines[0].confirmed(), 7U);
    EXPECT_EQ(lines[1].insee, "21166");
    EXPECT_EQ(lines[1].targeted, 1U);
    EXPECT_EQ(lines[1].accepted, 0U);
    EXPECT_EQ(lines[2].targeted, 120U);
    EXPECT_EQ(lines[2].accepted, 80U);
    EXPECT_EQ(lines[2].confirmed(), 60U);

    boost::json::object out;
    add_reach(out, report, places);
    EXPECT_EQ(out.at("population").to_number<int>(), 180'000);
    EXPECT_EQ(out.at("targeted").to_number<int>(), 131);
    EXPECT_EQ(out.at("accepted").to_number<int>(), 90);
    EXPECT_EQ(out.at("received").to_number<int>(), 50);
    EXPECT_EQ(out.at("displayed").to_number<int>(), 60);
    EXPECT_EQ(out.at("opened").to_number<int>(), 7);
    EXPECT_DOUBLE_EQ(out.at("reach").to_number<double>(), 0.0005);
    EXPECT_DOUBLE_EQ(out.at("confirmed_reach").to_number<double>(), 0.0003333333);
    const auto& communes = out.at("communes").as_object();
    EXPECT_EQ(communes.size(), 3U);
    EXPECT_EQ(communes.at("21231").at("name").as_string(), "Dijon");
    EXPECT_DOUBLE_EQ(communes.at("21231").at("confirmed_reach").to_number<double>(), 0.000375);
    EXPECT_TRUE(communes.at("21166").at("reach").is_null()) << "nobody lives there";
}

TEST(Reach, OfThreePhonesOfACityIsNotNothingAndHasNoNoiseBehindIt) {
    ledger_fields fields = reported_fields();
    fields["c:21231"] = "3";
    fields["c:21054"] = "0";
    boost::json::object out;
    add_reach(out, read_report("crue", fields), two_communes());
    EXPECT_DOUBLE_EQ(out.at("communes").at("21231").at("reach").to_number<double>(), 0.00001875);
    EXPECT_DOUBLE_EQ(out.at("communes").at("21054").at("reach").to_number<double>(), 0);
    EXPECT_DOUBLE_EQ(out.at("reach").to_number<double>(), 0.0005);
}

TEST(Reach, WhatAnEventDidNotAskForIsNullAndNotNothing) {
    ledger_fields fields = reported_fields();
    fields.erase("receipts");
    boost::json::object out;
    add_reach(out, read_report("crue", fields), two_communes());
    for (const char* const name : {"received", "displayed", "opened", "confirmed_reach"}) {
        EXPECT_TRUE(out.at(name).is_null()) << name;
        EXPECT_TRUE(out.at("communes").at("21231").at(name).is_null()) << name;
    }
    EXPECT_EQ(out.at("communes").at("21231").at("targeted").to_number<int>(), 120);
}

}  // namespace
}  // namespace tocsin
