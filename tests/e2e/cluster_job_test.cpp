#include "engine/redis/slot.hpp"
#include "tests/e2e/engine_fixture.hpp"
#include "tests/support/redis_cluster.hpp"
#include "tools/simulator/dead_token.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::registration_line;

/// The main job with all that it keeps spread over three masters.
class ClusterJobTest : public testing::engine_fixture {
protected:
    ClusterJobTest() { options.redis_url = cluster.url(); }

    std::string ask_redis(const std::vector<std::string>& command) override {
        return cluster.node(testing::redis_cluster::owner(redis::key_slot(command[1]))).cli(command);
    }

    /// Of a device beyond those that the test counts.
    std::string living_token(double dead_share) const {
        std::size_t n = 1'000'000;
        while (sim::is_dead(fcm_token(n), options.initial.seed, dead_share)) {
            ++n;
        }
        return fcm_token(n);
    }

    testing::redis_cluster cluster;
};

TEST_F(ClusterJobTest, ReceiptsAreCountedAndEndInADocumentAsOnOneServer) {
    setenv("TOCSIN_ENGINE_RECEIPTS_WINDOW", "5s", 1);
    start_engine();
    unsetenv("TOCSIN_ENGINE_RECEIPTS_WINDOW");
    std::string lines;
    for (std::size_t n = 0; n < 20; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
    }
    import(lines);
    publish(R"({"id":"crue","audience":["commune:21231"],"notification":{"title":"Test"},"receipts":true})");
    wait_for_result("crue");
    const auto report = [&](const std::string& event, const std::string& batch) {
        ask_redis(
            {"XADD", "tocsin:receipts", "*", "receipt",
             R"({"event":")" + event + R"(","app":"mairies","kind":"opened","batch":")" + batch +
                 R"(","counts":{"21231":3}})"});
    };
    for (int i = 0; i < 5; ++i) {
        report("crue", std::to_string(i));
        report("crue", std::to_string(i));
    }
    report("nobody", "1");
    wait_for_length("dead-letters", 1);
    wait_for_length("reach", 1);
    const json::object document = json::parse(entries("reach").front()).as_object();
    EXPECT_EQ(number(document, "accepted"), 20);
    EXPECT_EQ(number(document, "opened"), 15);
    EXPECT_EQ(entries("dead-letters").size(), 1U);
}

TEST_F(ClusterJobTest, DevicesEventsResultsFeedbackAndLettersWorkAsOnOneServer) {
    constexpr double dead_share = 0.05;
    constexpr std::size_t devices = 2'000;
    options.initial.of(sim::provider::fcm).dead_share = dead_share;
    start_engine();
    std::string lines;
    std::int64_t dead = 0;
    for (std::size_t n = 0; n < devices; ++n) {
        lines += registration_line(
            "mairies", "fcm", fcm_token(n), {"commune:21231", "commune:21054", "commune:21166"});
        dead += sim::is_dead(fcm_token(n), options.initial.seed, dead_share) ? 1 : 0;
    }
    import(lines);
    const std::string event =
        R"({"audience":["commune:21166","commune:21231","commune:21054"],"notification":{"title":"Test"}})";
    const json::object result = wait_for_result(publish(event));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), devices);
    EXPECT_EQ(number(result, "dead"), dead);
    EXPECT_EQ(number(result, "accepted"), static_cast<std::int64_t>(devices) - dead);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
    EXPECT_EQ(static_cast<std::int64_t>(entries("feedback").size()), dead);
    const json::object again = wait_for_result(publish(event));
    EXPECT_EQ(number(again, "targeted"), static_cast<std::int64_t>(devices) - dead);

    // Registrations through the stream, the last of them refused, and an event that is.
    const auto say = [&](const std::string& registration) {
        ask_redis({"XADD", "tocsin:registrations", "*", "registration", registration});
    };
    const std::string leaver = fcm_token(devices);
    say(registration_line("mairies", "fcm", leaver, {"commune:21200", "commune:21201"}));
    say(registration_line("mairies", "fcm", living_token(dead_share), {"commune:21200"}));
    say(R"({"op":"unregister","app":"mairies","platform":"fcm","token":")" + leaver + "\"}");
    say(R"({"op":"register"})");
    ask_redis({"XADD", "tocsin:events", "*", "event", "not JSON"});
    wait_for_length("dead-letters", 2);
    const json::object few = wait_for_result(
        publish(R"({"audience":["commune:21200","commune:21201"],"notification":{"title":"Test"}})"));
    EXPECT_EQ(number(few, "targeted"), 1);
    EXPECT_EQ(number(few, "accepted"), 1);

    // Put back, both are refused again.
    const std::string letters = ask_redis({"XRANGE", "tocsin:dead-letters", "-", "+"});
    EXPECT_EQ(tocsin({"dead-letters", "retry", "--all"}).exit_code, 0);
    wait_for_length("dead-letters", 2);
    EXPECT_NE(ask_redis({"XRANGE", "tocsin:dead-letters", "-", "+"}), letters);
    EXPECT_EQ(tocsin({"dead-letters", "drop", "--all"}).exit_code, 0);
    EXPECT_EQ(ask_redis({"XLEN", "tocsin:dead-letters"}), "0");
    EXPECT_EQ(stop_engine(), 0);
    EXPECT_EQ(ask_redis({"XPENDING", "tocsin:events", "tocsin"}).substr(0, 1), "0");
    EXPECT_EQ(ask_redis({"XPENDING", "tocsin:registrations", "tocsin"}).substr(0, 1), "0");
    EXPECT_EQ(ask_redis({"XLEN", "tocsin:results"}), "3");
}

}  // namespace
}  // namespace tocsin
