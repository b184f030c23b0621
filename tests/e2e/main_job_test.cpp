#include "tests/e2e/engine_fixture.hpp"
#include "tests/support/malformed_events.hpp"
#include "tools/simulator/dead_token.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <map>
#include <set>
#include <string>

#include <unistd.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::apns_token;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

class MainJobTest : public testing::engine_fixture {
protected:
    /// How many requests the simulator saw for each of the devices 0 … count - 1, as expected.
    void expect_each_received_once(std::size_t count, bool apns) {
        std::size_t wrong = 0;
        for (std::size_t n = 0; n < count; ++n) {
            const auto seen = apns ? providers->counts(sim::provider::apns, apns_token(n))
                                   : providers->counts(sim::provider::fcm, fcm_token(n));
            wrong += seen.received == 1 ? 0 : 1;
        }
        EXPECT_EQ(wrong, 0U);
    }
};

TEST_F(MainJobTest, APlainXaddReachesBothProvidersAndComesBackAsOneResult) {
    start_engine();
    import(
        registration_line("mairies", "apns", apns_token(1), {"commune:21231"}) +
        registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}) +
        registration_line("dijon", "fcm", fcm_token(2), {"commune:21231"}) +
        registration_line("mairies", "fcm", fcm_token(3), {"commune:21054"}));
    const std::string id = publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
    const json::object result = wait_for_result(id);
    expect_sums_agree(result);
    EXPECT_EQ(result.at("state").as_string(), "finished");
    EXPECT_EQ(number(result, "targeted"), 3);
    EXPECT_EQ(number(result, "accepted"), 3);
    EXPECT_EQ(result.at("apps").at("dijon").at("fcm").at("accepted").to_number<int>(), 1);
    EXPECT_EQ(result.at("communes").at("21231").at("accepted").to_number<int>(), 3);
    EXPECT_EQ(entries("results").size(), 1U);
    EXPECT_EQ(providers->counts(sim::provider::fcm, fcm_token(3)).received, 0U);
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(MainJobTest, TenThousandDevicesThatFollowThreeCommunesGetTenThousandPushes) {
    start_engine();
    std::string lines;
    for (std::size_t n = 0; n < 10'000; ++n) {
        lines += registration_line(
            "mairies", "fcm", fcm_token(n), {"commune:21231", "commune:21054", "commune:21166"});
    }
    import(lines);
    const json::object result = wait_for_result(publish(
        R"({"audience":["commune:21166","commune:21231","commune:21054"],"notification":{"title":"Test"}})"));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), 10'000);
    EXPECT_EQ(number(result, "accepted"), 10'000);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
    EXPECT_EQ(requests("fcm"), 10'000U);
    expect_each_received_once(10'000, false);
}

TEST_F(MainJobTest, MalformedEventsBecomeDeadLettersAndTheNextOneIsDelivered) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    auto broken = testing::malformed_events();
    const auto nowhere = testing::events_for_nowhere();
    broken.insert(broken.end(), nowhere.begin(), nowhere.end());
    ASSERT_GE(broken.size(), 200U);
    std::map<std::string, testing::malformed_event> by_entry;
    for (const auto& one : broken) {
        by_entry[publish(one.document)] = one;
    }
    const std::string missing = redis.cli({"XADD", "tocsin:events", "*", "evnt", "{}"});
    const std::string good = publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})");
    const json::object result = wait_for_result(good);
    EXPECT_EQ(number(result, "accepted"), 1);
    wait_for_length("dead-letters", broken.size() + 1);
    std::set<std::string> reasons;
    for (const std::string& entry : entries("dead-letters")) {
        const json::object letter = json::parse(entry).as_object();
        const std::string reason(letter.at("reason").as_string());
        reasons.insert(reason);
        const auto about = by_entry.find(std::string(letter.at("entry").as_string()));
        if (about == by_entry.end()) {
            EXPECT_EQ(std::string(letter.at("entry").as_string()), missing);
            continue;
        }
        EXPECT_TRUE(reason.starts_with(about->second.expected_code + ":"))
            << about->second.name << ": " << reason;
        by_entry.erase(about);
    }
    EXPECT_TRUE(by_entry.empty());
    EXPECT_GE(reasons.size(), 200U);
    EXPECT_EQ(redis.cli({"XPENDING", "tocsin:events", "tocsin"}).substr(0, 1), "0");
}

TEST_F(MainJobTest, DeadDevicesAreRemovedReportedAndNotSentToAgain) {
    options.initial.of(sim::provider::fcm).dead_share = 0.2;
    options.initial.of(sim::provider::apns).dead_share = 0.2;
    start_engine();
    std::string lines;
    std::int64_t dead = 0;
    for (std::size_t n = 0; n < 500; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
        lines += registration_line("mairies", "apns", apns_token(n), {"commune:21231", "zone:21231:centre"});
        dead += sim::is_dead(fcm_token(n), options.initial.seed, 0.2) ? 1 : 0;
        dead += sim::is_dead(apns_token(n), options.initial.seed, 0.2) ? 1 : 0;
    }
    import(lines);
    const std::string event = R"({"audience":["commune:21231"],"notification":{"title":"Test"}})";
    const json::object first = wait_for_result(publish(event));
    expect_sums_agree(first);
    EXPECT_EQ(number(first, "dead"), dead);
    EXPECT_EQ(number(first, "accepted"), 1'000 - dead);
    EXPECT_EQ(static_cast<std::int64_t>(entries("feedback").size()), dead);
    const json::object second = wait_for_result(publish(event));
    EXPECT_EQ(number(second, "targeted"), 1'000 - dead);
    EXPECT_EQ(number(second, "dead"), 0);
    // Also from what they follow beside the commune of the event.
    const json::object zone =
        wait_for_result(publish(R"({"audience":["zone:21231:centre"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(number(zone, "dead"), 0);
}

TEST_F(MainJobTest, ASecondEventWithTheSameIdIsNotSent) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const std::string event = R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Test"}})";
    publish(event);
    wait_for_result("crue");
    publish(event);
    wait_for_result(publish(R"({"audience":["commune:21054"],"notification":{"title":"After it"}})"));
    EXPECT_EQ(providers->counts(sim::provider::fcm, fcm_token(1)).received, 1U);
    EXPECT_EQ(entries("results").size(), 2U);
}

TEST_F(MainJobTest, AnUnregisteredDeviceGetsNothing) {
    start_engine();
    const std::string token = fcm_token(1);
    redis.cli(
        {"XADD", "tocsin:registrations", "*", "registration",
         registration_line("mairies", "fcm", token, {"commune:21231", "commune:21054"})});
    redis.cli(
        {"XADD", "tocsin:registrations", "*", "registration",
         registration_line("mairies", "fcm", fcm_token(2), {"commune:21231"})});
    redis.cli(
        {"XADD", "tocsin:registrations", "*", "registration",
         R"({"op":"unregister","app":"mairies","platform":"fcm","token":")" + token + "\"}"});
    redis.cli(
        {"XADD", "tocsin:registrations", "*", "registration",
         R"({"op":"register","app":"nobody","platform":"fcm","token":"x"})"});
    wait_for_length("dead-letters", 1);
    const json::object result =
        wait_for_result(publish(R"({"audience":["department:21"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(number(result, "targeted"), 1);
    EXPECT_EQ(providers->counts(sim::provider::fcm, token).received, 0U);
}

TEST_F(MainJobTest, RetryableAnswersAreTriedAgainUntilAccepted) {
    start_engine();
    import(registration_line("mairies", "apns", apns_token(1), {"commune:21231"}));
    const auto scripted = providers->change(json::parse(
        R"({"apns":{"answers":[{"token":")" + apns_token(1) +
        R"(","then":[{"reason":"ServiceUnavailable"},{"reason":"TooManyRequests","retry_after":1}]}]}})"));
    ASSERT_TRUE(scripted.has_value()) << scripted.error().message;
    const json::object result =
        wait_for_result(publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(number(result, "accepted"), 1);
    EXPECT_EQ(number(result, "retries"), 2);
    EXPECT_EQ(providers->counts(sim::provider::apns, apns_token(1)).received, 3U);
}

TEST_F(MainJobTest, AnEventForNobodyFinishesWithZeroes) {
    start_engine();
    const json::object result =
        wait_for_result(publish(R"({"audience":["commune:21054"],"notification":{"title":"Test"}})"));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), 0);
    EXPECT_EQ(result.at("state").as_string(), "finished");
}

TEST_F(MainJobTest, ADryRunCountsAndSendsNothing) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const json::object result = wait_for_result(
        publish(R"({"audience":["commune:21231"],"notification":{"title":"Test"},"mode":"dry_run"})"));
    EXPECT_EQ(number(result, "targeted"), 1);
    EXPECT_EQ(requests("fcm"), 0U);
}

TEST_F(MainJobTest, AScheduledEventIsSentWhenItIsDueAndAnExpiredOneNever) {
    start_engine();
    import(registration_line("mairies", "fcm", fcm_token(1), {"commune:21231"}));
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    publish(
        R"({"id":"late","audience":["commune:21231"],"notification":{"title":"Test"},"expires_at":)" +
        std::to_string(now - 5) + "}");
    const json::object late = wait_for_result("late");
    EXPECT_EQ(late.at("state").as_string(), "expired");
    EXPECT_EQ(number(late, "expired"), 1);
    EXPECT_EQ(requests("fcm"), 0U);
    publish(
        R"({"id":"soon","audience":["commune:21231"],"notification":{"title":"Test"},"send_at":)" +
        std::to_string(now + 2) + "}");
    const json::object soon = wait_for_result("soon");
    EXPECT_EQ(number(soon, "accepted"), 1);
    EXPECT_GE(number(soon, "accepted_at"), (now + 2) * 1'000);
}

TEST_F(MainJobTest, ASigtermInMidEventLosesNobodyAndRepeatsNothing) {
    options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::fixed, 200, 200};
    start_engine();
    std::string lines;
    for (std::size_t n = 0; n < 4'000; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
    }
    import(lines);
    publish(R"({"id":"big","audience":["commune:21231"],"notification":{"title":"Test"}})");
    ASSERT_TRUE(testing::eventually([&] { return requests("fcm") >= 500; }));
    EXPECT_EQ(stop_engine(), 0);
    EXPECT_LT(requests("fcm"), 4'000U);
    start_engine();
    const json::object result = wait_for_result("big");
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), 4'000);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
    expect_each_received_once(4'000, false);
}

}  // namespace
}  // namespace tocsin
