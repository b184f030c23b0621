#include "tests/e2e/engine_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <string>

#include <gtest/gtest.h>

// The main job for browsers, with the simulator as their push service: it decrypts what it gets, and answers
// 400 to what it cannot read.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::apns_token;
using testing::eventually;
using testing::expect_sums_agree;
using testing::number;
using testing::registration_line;

class WebPushJobTest : public testing::engine_fixture {
protected:
    WebPushJobTest() { options.webpush = true; }

    [[nodiscard]] std::string registration(std::uint64_t n, const json::array& follow) const {
        return json::serialize(json::object{
                   {"op", "register"},
                   {"app", "mairies"},
                   {"platform", "webpush"},
                   {"subscription", json::parse(providers->subscription(n))},
                   {"follow", follow}}) +
               "\n";
    }
    [[nodiscard]] sim::token_counts counts(std::uint64_t n) const {
        return providers->counts(sim::provider::webpush, providers->subscriber(n).endpoint);
    }
    void change(const std::string& behaviour) {
        const auto changed = providers->change(json::parse(behaviour));
        ASSERT_TRUE(changed.has_value()) << changed.error().message;
    }
    [[nodiscard]] std::uint64_t stat(const std::string& name) const {
        return providers->stats().at("webpush").at(name).to_number<std::uint64_t>();
    }
};

TEST_F(WebPushJobTest, EachBrowserReadsTheEventOnceAndTheGoneAreRemoved) {
    constexpr std::uint64_t browsers = 600;
    options.initial.of(sim::provider::webpush).dead_share = 0.1;
    options.initial.record = true;
    start_engine();
    std::string lines = registration_line("mairies", "apns", apns_token(1), {"commune:21231"});
    for (std::uint64_t n = 0; n < browsers; ++n) {
        lines += registration(n, {"commune:21231", "commune:21054"});
    }
    import(lines);
    publish(R"({"id":"crue","audience":["commune:21231","commune:21054"],"priority":"critical",
        "notification":{"title":"Crue","body":"Évitez les quais.","url":"https://example.fr/crue"}})");
    const json::object result = wait_for_result("crue");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), browsers + 1);
    std::uint64_t gone = 0;
    for (std::uint64_t n = 0; n < browsers; ++n) {
        EXPECT_EQ(counts(n).received, 1U) << n;
        gone += counts(n).accepted == 0 ? 1 : 0;
    }
    EXPECT_GT(gone, 0U);
    const json::object& part = result.at("apps").at("mairies").at("webpush").as_object();
    EXPECT_EQ(number(part, "dead"), gone);
    EXPECT_EQ(number(part, "accepted"), browsers - gone);
    wait_for_length("feedback", gone);
    EXPECT_EQ(stat("stream_limit_violations"), 0U);
    EXPECT_EQ(stat("protocol_errors"), 0U);
    const json::array seen = providers->received(sim::provider::webpush, 1);
    EXPECT_EQ(json::parse(seen.at(0).at("body").as_string()).at("notification").at("title"), "Crue");
    // Nobody who is gone is asked again.
    publish(R"({"id":"again","audience":["commune:21231"],"notification":{"title":"Fin"}})");
    EXPECT_EQ(number(wait_for_result("again"), "targeted"), browsers - gone + 1);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(WebPushJobTest, WhatTheServiceTurnsAwayComesAgain) {
    start_engine();
    std::string lines;
    for (std::uint64_t n = 0; n < 100; ++n) {
        lines += registration(n, {"commune:21231"});
    }
    import(lines);
    change(R"({"webpush":{"errors":[{"reason":"ServiceUnavailable","share":0.2,"retry_after":1},
        {"reason":"TooManyRequests","share":0.1,"retry_after":1},{"reason":"InternalServerError","share":0.1}],
        "faults":{"reset_share":0.05}}})");
    publish(R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Crue"},"ttl":300})");
    const json::object result = wait_for_result("crue");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), 100);
    EXPECT_GT(number(result, "retries"), 0);
    EXPECT_GE(number(result, "accepted") + number(result, "failed"), 100);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(WebPushJobTest, ABrowserIsReachedByNameAndForgotten) {
    start_engine();
    import(registration(1, {"commune:21231"}) + registration(2, {"commune:21231"}));
    const std::string endpoint = providers->subscriber(1).endpoint;
    publish(
        R"({"id":"one","audience":["device:webpush:)" + endpoint + R"("],"notification":{"title":"Test"}})");
    EXPECT_EQ(number(wait_for_result("one"), "accepted"), 1);
    EXPECT_EQ(counts(1).accepted, 1U);
    EXPECT_EQ(counts(2).received, 0U);
    const auto shown = tocsin({"devices", "show", endpoint, "--show-tokens"});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_NE(shown.out.find(endpoint), std::string::npos) << shown.out;
    const auto hidden = tocsin({"devices", "show", endpoint});
    EXPECT_EQ(hidden.out.find(endpoint), std::string::npos) << hidden.out;
    EXPECT_EQ(hidden.out.find("p256dh"), std::string::npos) << hidden.out;
    const auto exported = tocsin({"devices", "export", "--show-tokens"});
    EXPECT_EQ(exported.exit_code, 0) << exported.err;
    EXPECT_EQ(tocsin({"devices", "forget", endpoint}).exit_code, 0);
    publish(R"({"id":"two","audience":["commune:21231"],"notification":{"title":"Test"}})");
    EXPECT_EQ(number(wait_for_result("two"), "targeted"), 1);
    EXPECT_EQ(counts(1).accepted, 1U);
    // What was exported can be imported again.
    import(exported.out);
    publish(R"({"id":"three","audience":["commune:21231"],"notification":{"title":"Test"}})");
    EXPECT_EQ(number(wait_for_result("three"), "accepted"), 2);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(WebPushJobTest, ATestPushNeedsNothingButTheSubscription) {
    start_simulator();
    const std::string file = (directory / "browser.json").string();
    std::ofstream(file) << providers->subscription(7);
    const auto sent = tocsin(
        {"send", "--app", "mairies", "--platform", "webpush", "--subscription", file, "--title", "Test",
         "--json"});
    EXPECT_EQ(sent.exit_code, 0) << sent.err;
    EXPECT_EQ(json::parse(sent.out).at("status"), 201);
    EXPECT_EQ(counts(7).accepted, 1U);
    change(R"({"webpush":{"errors":[{"reason":"VapidPkHashMismatch","share":1}]}})");
    const auto refused = tocsin(
        {"send", "--app", "mairies", "--platform", "webpush", "--subscription", file, "--title", "Test"});
    EXPECT_EQ(refused.exit_code, 1) << refused.err;
    EXPECT_NE(refused.out.find("vapid_key_file"), std::string::npos) << refused.out;
}

TEST_F(WebPushJobTest, AnEventThatIsTooLargeIsFoundBeforeAnybodyIsSentIt) {
    start_engine();
    import(registration(1, {"commune:21231"}));
    // Larger for browsers alone.
    publish(
        R"({"id":"long","audience":["commune:21231"],"notification":{"title":"Crue"},"webpush":{"more":")" +
        std::string(3'900, 'x') + R"("}})");
    wait_for_length("dead-letters", 1);
    const auto letter = json::parse(entries("dead-letters").at(0)).as_object();
    EXPECT_NE(letter.at("reason").as_string().find("payload_too_large"), json::string::npos);
    EXPECT_NE(letter.at("reason").as_string().find("the limit is 3993"), json::string::npos)
        << letter.at("reason").as_string();
    EXPECT_EQ(counts(1).received, 0U);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(WebPushJobTest, ASubscriptionOfAnotherServiceBecomesADeadLetter) {
    start_engine();
    std::string elsewhere = registration(1, {"commune:21231"});
    elsewhere.replace(elsewhere.find("localhost"), 9, "elsewhere");
    ask_redis({"XADD", "tocsin:registrations", "*", "registration", elsewhere});
    wait_for_length("dead-letters", 1);
    const auto letter = json::parse(entries("dead-letters").at(0)).as_object();
    EXPECT_TRUE(letter.at("reason").as_string().starts_with("unknown_push_service")) << letter.at("reason");
    EXPECT_EQ(stop_engine(), 0);
}

}  // namespace
}  // namespace tocsin
