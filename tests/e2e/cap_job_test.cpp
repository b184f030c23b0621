#include "engine/core/rfc3339.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tests/tools/cap/cap_samples.hpp"
#include "tools/simulator/screen.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// What becomes of CAP messages on the screens of phones and browsers, and of those that end what nobody has
// read yet.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::apns_token;
using testing::cap_sample;
using testing::eventually;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

class CapJobTest : public testing::engine_fixture {
protected:
    CapJobTest() {
        options.webpush = true;
        options.initial.record = true;
    }

    /// One of each platform in Dijon.
    void import_three() {
        const json::object browser{
            {"op", "register"},
            {"app", "mairies"},
            {"platform", "webpush"},
            {"subscription", json::parse(providers->subscription(1))},
            {"follow", json::array{"commune:21231"}}};
        import(
            registration_line("mairies", "apns", apns_token(1), {"commune:21231"}) +
            registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}) + json::serialize(browser) +
            "\n");
    }
    /// What the three show, each as "title" of its notifications, newest first.
    std::vector<std::string> screens() {
        const std::vector<std::pair<sim::provider, std::string>> devices{
            {sim::provider::apns, apns_token(1)},
            {sim::provider::fcm, fcm_token(1)},
            {sim::provider::webpush, providers->subscriber(1).endpoint}};
        std::vector<std::string> out;
        for (const auto& [platform, token] : devices) {
            std::string shown;
            for (const json::value& one : sim::screen_of(providers->received(platform, 1'000), token)) {
                shown += std::string(one.at("title").as_string()) + "; ";
            }
            out.push_back(shown);
        }
        return out;
    }
    static std::vector<std::string> all_three(const std::string& shown) { return {shown, shown, shown}; }

    /// `tocsin cap`; what it says with --json.
    json::object cap(const cap_sample& message, const std::string& headline = {}) {
        std::string text = message.text();
        replace(text, "2026-11-23T18:00:00+01:00", in_an_hour());
        if (!headline.empty()) {
            replace(text, "L'Ouche déborde", headline);
        }
        const auto done = tocsin({"cap", "-", "--json"}, text);
        EXPECT_EQ(done.exit_code, 0) << done.err;
        return json::parse(done.out).as_object();
    }
    static std::string event_of(const json::object& said) {
        return said.at("event").is_null() ? std::string() : std::string(said.at("event").as_string());
    }
    static void replace(std::string& in, std::string_view what, std::string_view by) {
        if (const auto at = in.find(what); at != std::string::npos) {
            in.replace(at, what.size(), by);
        }
    }
    static std::string in_an_hour() {
        return format_rfc3339(
            std::chrono::time_point_cast<std::chrono::milliseconds>(wall_clock::now() + 1h));
    }
    static cap_sample follower(const std::string& kind, int nth, const cap_sample& of) {
        cap_sample out;
        out.kind = kind;
        out.identifier = "FR-21-" + std::to_string(42 + nth);
        out.sent = "2026-11-23T0" + std::to_string(6 + nth) + ":00:00+01:00";
        out.references = "prefecture@example.fr," + of.identifier + "," + of.sent;
        return out;
    }
    std::uint64_t pushes() { return requests("apns") + requests("fcm") + requests("webpush"); }
};

TEST_F(CapJobTest, EachStepReplacesOnEveryScreenWhatTheStepBeforePutThere) {
    start_engine();
    import_three();
    publish(R"({"id":"marche","audience":["commune:21231"],"notification":{"title":"Marché"}})");
    wait_for_result("marche");
    const cap_sample alert;
    wait_for_result(event_of(cap(alert, "Crue de l’Ouche")));
    EXPECT_EQ(screens(), all_three("Crue de l’Ouche; Marché; "));
    const cap_sample update = follower("Update", 1, alert);
    wait_for_result(event_of(cap(update, "L’Ouche monte encore")));
    EXPECT_EQ(screens(), all_three("L’Ouche monte encore; Marché; "));
    // The update again, and the alert late: nothing changes.
    EXPECT_EQ(cap(update, "L’Ouche monte encore").at("state").as_string(), "repeated");
    EXPECT_EQ(cap(alert, "Crue de l’Ouche").at("state").as_string(), "repeated");
    cap_sample over = follower("Cancel", 2, update);
    over.info = false;
    wait_for_result(event_of(cap(over)));
    EXPECT_EQ(screens(), all_three("Fin d’alerte; Marché; "));
    EXPECT_EQ(pushes(), 12U);
    EXPECT_EQ(entries("dead-letters").size(), 0U);
}

TEST_F(CapJobTest, AnAlertThatIsCancelledBeforeAnEngineReadsItIsSentToNobodyAndNobodyHearsOfTheEnd) {
    start_simulator();
    import_three();
    const cap_sample alert;
    const std::string event = event_of(cap(alert));
    cap_sample over = follower("Cancel", 1, alert);
    over.info = false;
    const json::object ended = cap(over);
    EXPECT_EQ(event_of(ended), "");
    EXPECT_EQ(ended.at("cancelled"), json::array{event});
    start_engine();
    const json::object result = wait_for_result(event);
    EXPECT_EQ(result.at("state").as_string(), "cancelled");
    EXPECT_EQ(number(result, "targeted"), 0);
    publish(R"({"id":"after","audience":["commune:21231"],"notification":{"title":"Marché"}})");
    wait_for_result("after");
    EXPECT_EQ(screens(), all_three("Marché; "));
    EXPECT_EQ(entries("results").size(), 2U);
}

TEST_F(CapJobTest, OfAnAlertThatIsUpdatedBeforeAnEngineReadsItTheUpdateAloneIsSent) {
    start_simulator();
    import_three();
    const cap_sample alert;
    const std::string first = event_of(cap(alert, "Crue"));
    const std::string second = event_of(cap(follower("Update", 1, alert), "Crue majeure"));
    start_engine();
    EXPECT_EQ(wait_for_result(first).at("state").as_string(), "cancelled");
    EXPECT_EQ(number(wait_for_result(second), "accepted"), 3);
    EXPECT_EQ(screens(), all_three("Crue majeure; "));
    EXPECT_EQ(pushes(), 3U);
}

TEST_F(CapJobTest, AnEventThatNoEngineHasReadCanBeCancelledByItsIdOrThatOfItsEntry) {
    start_simulator();
    import_three();
    publish(R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"}})");
    const std::string entry = publish(R"({"audience":["commune:21231"],"notification":{"title":"Crue"}})");
    EXPECT_EQ(tocsin({"cancel", "crues"}).exit_code, 1);
    for (const std::string& id : {std::string("crue"), entry}) {
        const auto said = tocsin({"cancel", id});
        EXPECT_EQ(said.exit_code, 0) << said.err;
        EXPECT_NE(said.out.find("no engine has read it yet"), std::string::npos) << said.out;
    }
    start_engine();
    EXPECT_EQ(wait_for_result("crue").at("state").as_string(), "cancelled");
    EXPECT_EQ(wait_for_result(entry).at("state").as_string(), "cancelled");
    EXPECT_EQ(pushes(), 0U);
}

TEST_F(CapJobTest, AnAllClearThatIsReadBeforeItsAlertWaitsForIt) {
    start_engine();
    import_three();
    publish(
        R"({"id":"over","audience":["commune:21231"],"notification":{"title":"Fin"},"collapse_id":"crue",)"
        R"("reached_by":["crue"]})");
    ASSERT_TRUE(eventually([&] { return ask_redis({"ZCARD", "tocsin:scheduled"}) == "1"; }));
    publish(
        R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"},"collapse_id":"crue",)"
        R"("remember_reached":true})");
    EXPECT_EQ(number(wait_for_result("crue"), "accepted"), 3);
    EXPECT_EQ(number(wait_for_result("over"), "accepted"), 3);
    EXPECT_EQ(screens(), all_three("Fin; "));
    EXPECT_EQ(entries("dead-letters").size(), 0U);
}

TEST_F(CapJobTest, AnAllClearOfWhatNobodyKnowsIsADeadLetterThatCanBePutBack) {
    start_engine();
    import_three();
    publish(
        R"({"id":"over","audience":["commune:21231"],"notification":{"title":"Fin"},"reached_by":["crue"]})");
    wait_for_length("dead-letters", 1);
    EXPECT_NE(entries("dead-letters").front().find("unknown_event"), std::string::npos);
    EXPECT_TRUE(eventually([&] { return ask_redis({"ZCARD", "tocsin:scheduled"}) == "0"; }));
    publish(
        R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"},"remember_reached":true})");
    wait_for_result("crue");
    const auto retried = tocsin({"dead-letters", "retry", "--all"});
    EXPECT_EQ(retried.exit_code, 0) << retried.err;
    EXPECT_EQ(number(wait_for_result("over"), "accepted"), 3);
}

}  // namespace
}  // namespace tocsin
