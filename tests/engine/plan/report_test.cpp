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
    EXPECT_EQ(state_of({{"state", "running"}}), "finished");
    EXPECT_EQ(state_of({{"state", "cancelling"}, {"o:a/fcm:accepted", "3"}}), "cancelled");
    EXPECT_EQ(
        state_of({{"state", "running"}, {"o:a/fcm:accepted", "3"}, {"o:a/fcm:expired", "1"}}), "expired");
    EXPECT_EQ(state_of({{"state", "running"}, {"o:a/fcm:rejected", "3"}}), "failed");
    EXPECT_EQ(
        state_of({{"state", "running"}, {"o:a/fcm:accepted", "1"}, {"o:a/fcm:failed", "3"}}), "finished");
}

}  // namespace
}  // namespace tocsin
