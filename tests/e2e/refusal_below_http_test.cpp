#include "tests/e2e/engine_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

// A provider that refuses the credential without answering a request, and who is told.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::apns_token;
using testing::number;
using testing::registration_line;

constexpr std::string_view young_token = "APNs calls a provider token expired that was made a short time ago";

class RefusalBelowHttpTest : public testing::engine_fixture {
protected:
    RefusalBelowHttpTest() {
        // Far longer than from one fault to the next, also on a busy machine: no answer comes first.
        auto& apns = options.initial.of(sim::provider::apns);
        apns.delay = {sim::latency::shape::fixed, 3'000, 3'000};
    }

    /// Sends every connection away before it has answered anything, until it is destroyed.
    [[nodiscard]] std::jthread send_all_away() {
        return std::jthread([this](const std::stop_token& enough) {
            const json::value word = json::parse(
                R"({"now":[{"action":"goaway_zero","provider":"apns","debug":"{\"reason\":\"ExpiredProviderToken\"}"}]})");
            while (!enough.stop_requested()) {
                EXPECT_TRUE(providers->change(word).has_value());
                std::this_thread::sleep_for(50ms);
            }
        });
    }
};

TEST_F(RefusalBelowHttpTest, GoAwayThatNamesTheCredentialIsToldByEveryoneWhoIsAsked) {
    start_engine();
    std::string lines;
    for (std::size_t n = 0; n < 3; ++n) {
        lines += registration_line("mairies", "apns", apns_token(n), {"commune:21231"});
    }
    import(lines);
    json::object result;
    {
        const std::jthread away = send_all_away();
        const std::string event =
            publish(R"({"audience":["commune:21231"],"ttl":8,"notification":{"title":"Essai"}})");
        ASSERT_TRUE(testing::eventually([&] { return !ready(); }));
        ASSERT_TRUE(testing::eventually([&] {
            return health().find("mairies/apns is paused: ExpiredProviderToken") != std::string::npos;
        })) << health();
        EXPECT_NE(health().find(young_token), std::string::npos) << health();
        const auto status = tocsin({"status", "--admin.listen", options.admin_listen});
        EXPECT_NE(status.out.find("paused: ExpiredProviderToken"), std::string::npos) << status.out;
        EXPECT_NE(status.out.find("credential"), std::string::npos) << status.out;
        result = wait_for_result(event);
    }
    testing::expect_sums_agree(result);
    EXPECT_EQ(number(result, "failed"), 3) << json::serialize(result);
    EXPECT_EQ(number(result, "possible_duplicates"), 0) << json::serialize(result);
    EXPECT_EQ(number(result.at("reasons").as_object(), "apns:ExpiredProviderToken"), 3)
        << json::serialize(result);
    // The provider comes to its senses: the next event heals the lane.
    const auto next =
        wait_for_result(publish(R"({"audience":["commune:21231"],"notification":{"title":"x"}})"));
    EXPECT_EQ(number(next, "accepted"), 3);
    EXPECT_TRUE(testing::eventually([&] { return ready(); })) << health();
    EXPECT_EQ(stop_engine(), 0);
}

TEST_F(RefusalBelowHttpTest, SendSaysWhatTheConnectionWasToldInsteadOfAnAnswer) {
    start_simulator();
    const std::jthread away = send_all_away();
    const auto sent = tocsin(
        {"send", "--app", "mairies", "--platform", "apns", "--token", apns_token(1), "--title", "Test"});
    EXPECT_EQ(sent.exit_code, 69) << sent.out << sent.err;
    EXPECT_NE(sent.err.find(young_token), std::string::npos) << sent.err;
}

}  // namespace
}  // namespace tocsin
