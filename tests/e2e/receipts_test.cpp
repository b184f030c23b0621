#include "tests/e2e/engine_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>

// What a backend does with receipts, from the push that carries the event's id to the document at the end.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::apns_token;
using testing::eventually;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

class ReceiptsTest : public testing::engine_fixture {
protected:
    ReceiptsTest() { set_window("3h"); }
    ~ReceiptsTest() override { unsetenv("TOCSIN_ENGINE_RECEIPTS_WINDOW"); }

    /// Of engines that start from now on.
    static void set_window(const char* how_long) { setenv("TOCSIN_ENGINE_RECEIPTS_WINDOW", how_long, 1); }

    void kill_engine() {
        ::kill(engine->id(), SIGKILL);
        engine->stop(std::chrono::seconds(10));
        engine.reset();
    }

    void import_two_communes() {
        std::string lines;
        for (std::size_t n = 0; n < 60; ++n) {
            lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
        }
        for (std::size_t n = 0; n < 20; ++n) {
            lines += registration_line("mairies", "apns", apns_token(n), {"commune:21054"});
        }
        import(lines);
    }

    void report(const std::string& document) {
        ask_redis({"XADD", "tocsin:receipts", "*", "receipt", document});
    }
    void report(
        const std::string& event, const std::string& kind, const std::string& batch,
        const std::string& counts) {
        report(
            R"({"event":")" + event + R"(","app":"mairies","kind":")" + kind + R"(","batch":")" + batch +
            R"(","counts":)" + counts + "}");
    }
    /// Until nothing of the stream is left to read or to handle.
    void wait_until_counted() {
        ASSERT_TRUE(eventually([&] {
            const std::string groups = ask_redis({"XINFO", "GROUPS", "tocsin:receipts"}) + "\n";
            return groups.find("pending\n0\n") != std::string::npos &&
                   groups.find("lag\n0\n") != std::string::npos;
        })) << ask_redis({"XINFO", "GROUPS", "tocsin:receipts"});
    }
    json::object report_of(const std::string& event) {
        const auto done = tocsin({"report", event, "--json"});
        EXPECT_EQ(done.exit_code, 0) << done.err;
        return json::parse(done.out).as_object();
    }
    json::object wait_for_reach(const std::string& event) {
        json::object found;
        EXPECT_TRUE(eventually([&] {
            for (const std::string& entry : entries("reach")) {
                const auto document = json::parse(entry).as_object();
                if (document.at("event").as_string() == event) {
                    found = document;
                    return true;
                }
            }
            return false;
        }));
        return found;
    }
};

TEST_F(ReceiptsTest, ADeviceThatAnEventNamesIsReportedOnFromTheCommuneItFollows) {
    start_engine();
    import_two_communes();
    publish(
        R"({"id":"one","audience":["device:fcm:)" + fcm_token(3) +
        R"("],"notification":{"title":"Test"},"receipts":true})");
    EXPECT_EQ(number(wait_for_result("one"), "accepted"), 1);
    report("one", "opened", "b1", R"({"21231":1})");
    report("one", "opened", "b2", R"({"21054":1})");
    wait_until_counted();
    const json::object told = report_of("one");
    EXPECT_EQ(number(told, "opened"), 1);
    EXPECT_EQ(number(told.at("communes").at("21231").as_object(), "opened"), 1);
    EXPECT_EQ(std::stoul(ask_redis({"XLEN", "tocsin:dead-letters"})), 1U);
}

constexpr const char* both_communes =
    R"({"id":"crue-1","audience":["commune:21231","commune:21054"],"notification":{"title":"Crue"},"receipts":true})";

TEST_F(ReceiptsTest, WhatAppsReportIsInTheReportOfEachCommuneAndOfAll) {
    options.initial.record = true;
    start_engine();
    import_two_communes();
    publish(both_communes);
    expect_sums_agree(wait_for_result("crue-1"));
    std::size_t carried = 0;
    for (const json::value& push : providers->received(std::nullopt, 1'000)) {
        carried += json::serialize(push).find("tocsin_event") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(carried, 80U);
    report("crue-1", "received", "b1", R"({"21231":50,"21054":18})");
    report("crue-1", "displayed", "b2", R"({"21231":37})");
    report("crue-1", "displayed", "b3", R"({"21231":2,"21054":9})");
    report("crue-1", "displayed", "b3", R"({"21231":2,"21054":9})");
    report("crue-1", "opened", "b4", R"({"21054":4})");
    wait_until_counted();

    const json::object told = report_of("crue-1");
    EXPECT_EQ(number(told, "targeted"), 80);
    EXPECT_EQ(number(told, "accepted"), 80);
    EXPECT_EQ(number(told, "received"), 68);
    EXPECT_EQ(number(told, "displayed"), 48);
    EXPECT_EQ(number(told, "opened"), 4);
    const json::object& dijon = told.at("communes").at("21231").as_object();
    const json::object& beaune = told.at("communes").at("21054").as_object();
    EXPECT_EQ(number(told, "population"), number(dijon, "population") + number(beaune, "population"));
    EXPECT_EQ(number(dijon, "targeted"), 60);
    EXPECT_EQ(number(dijon, "accepted"), 60);
    EXPECT_EQ(number(dijon, "displayed"), 39);
    EXPECT_EQ(number(dijon, "opened"), 0);
    EXPECT_EQ(number(beaune, "targeted"), 20);
    EXPECT_EQ(number(beaune, "received"), 18);
    EXPECT_NEAR(
        dijon.at("confirmed_reach").to_number<double>(),
        50.0 / static_cast<double>(number(dijon, "population")), 5e-5);
    EXPECT_NEAR(
        told.at("confirmed_reach").to_number<double>(),
        68.0 / static_cast<double>(number(told, "population")), 5e-5);
    EXPECT_EQ(std::stoul(ask_redis({"XLEN", "tocsin:dead-letters"})), 0U);

    const auto detail = cli::admin_get(options.admin_listen, "/api/v1/events/crue-1");
    ASSERT_TRUE(detail.has_value());
    EXPECT_EQ(number(detail->as_object(), "displayed"), 48);
    EXPECT_EQ(number(detail->at("communes").at("21054").as_object(), "opened"), 4);
    const auto status = tocsin({"status", "crue-1", "--json"});
    EXPECT_EQ(number(json::parse(status.out).as_object(), "received"), 68);
    const auto words = tocsin({"report", "crue-1"});
    EXPECT_NE(words.out.find("displayed"), std::string::npos) << words.out;
}

TEST_F(ReceiptsTest, WhatCannotBeTrueIsADeadLetterThatSaysWhyAndCountsNothing) {
    start_engine();
    import_two_communes();
    publish(both_communes);
    publish(R"({"id":"silent","audience":["commune:21231"],"notification":{"title":"Crue"}})");
    wait_for_result("crue-1");
    wait_for_result("silent");
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"unknown_event",
         R"({"event":"no","app":"mairies","kind":"opened","batch":"1","counts":{"21231":1}})"},
        {"receipts_not_asked",
         R"({"event":"silent","app":"mairies","kind":"opened","batch":"1","counts":{"21231":1}})"},
        {"unknown_app", R"({"event":"crue-1","app":"x","kind":"opened","batch":"1","counts":{"21231":1}})"},
        {"app_not_targeted",
         R"({"event":"crue-1","app":"dijon","kind":"opened","batch":"1","counts":{"21231":1}})"},
        {"commune_not_targeted",
         R"({"event":"crue-1","app":"mairies","kind":"opened","batch":"1","counts":{"21231":1,"21166":1}})"},
        {"unknown_commune",
         R"({"event":"crue-1","app":"mairies","kind":"opened","batch":"1","counts":{"21999":1}})"},
        {"invalid_kind",
         R"({"event":"crue-1","app":"mairies","kind":"read","batch":"1","counts":{"21231":1}})"},
        {"invalid_count",
         R"({"event":"crue-1","app":"mairies","kind":"opened","batch":"1","counts":{"21231":0}})"},
        {"unknown_field",
         R"({"event":"crue-1","app":"mairies","kind":"opened","batch":"1","counts":{"21231":1},"token":"t"})"},
        {"invalid_json", "opened!"}};
    for (const auto& [reason, document] : wrong) {
        report(document);
    }
    wait_for_length("dead-letters", wrong.size());
    std::vector<std::string> reasons;
    for (const std::string& entry : entries("dead-letters")) {
        const json::object letter = json::parse(entry).as_object();
        EXPECT_EQ(letter.at("stream").as_string(), "tocsin:receipts");
        const std::string reason(letter.at("reason").as_string());
        reasons.push_back(reason.substr(0, reason.find(':')));
    }
    std::vector<std::string> expected;
    for (const auto& [reason, document] : wrong) {
        expected.push_back(reason);
    }
    std::ranges::sort(reasons);
    std::ranges::sort(expected);
    EXPECT_EQ(reasons, expected);
    // The batch of a dead letter is not used up.
    report("crue-1", "opened", "1", R"({"21231":5})");
    wait_until_counted();
    const json::object told = report_of("crue-1");
    EXPECT_EQ(number(told, "opened"), 5);
    EXPECT_EQ(number(told, "displayed"), 0);
    EXPECT_TRUE(report_of("silent").at("opened").is_null());
    EXPECT_EQ(number(report_of("silent").at("communes").at("21231").as_object(), "targeted"), 60);
}

TEST_F(ReceiptsTest, TheReachDocumentComesOnceAtTheEndOfTheWindowAlsoIfEveryEngineWasKilledMeanwhile) {
    set_window("2s");
    start_engine();
    import_two_communes();
    publish(both_communes);
    wait_for_result("crue-1");
    report("crue-1", "displayed", "b1", R"({"21231":37})");
    kill_engine();
    // In time, and nobody is there to read it.
    report("crue-1", "displayed", "b2", R"({"21054":3})");
    const auto& source = system_time_source();
    const wall_time started = source.wall_now();
    ASSERT_TRUE(eventually([&] { return source.wall_now() - started > std::chrono::seconds(3); }));
    EXPECT_EQ(std::stoul(ask_redis({"XLEN", "tocsin:reach"})), 0U);
    start_engine();
    const json::object document = wait_for_reach("crue-1");
    EXPECT_EQ(number(document, "displayed"), 40);
    EXPECT_EQ(number(document, "accepted"), 80);
    EXPECT_EQ(number(document.at("communes").at("21054").as_object(), "displayed"), 3);
    report("crue-1", "displayed", "b3", R"({"21231":1})");
    wait_for_length("dead-letters", 1);
    EXPECT_NE(entries("dead-letters").front().find("receipts_window_over"), std::string::npos);
    EXPECT_EQ(number(report_of("crue-1"), "displayed"), 40);
    EXPECT_EQ(entries("reach").size(), 1U);
}

}  // namespace
}  // namespace tocsin
