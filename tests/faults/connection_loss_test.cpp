#include "tests/faults/fault_fixture.hpp"

#include <cstdint>

// Connections to the providers that break while requests are on them.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::crowd;
using testing::number;

class ConnectionLossTest : public testing::fault_fixture {
protected:
    ConnectionLossTest() {
        options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::uniform, 20, 60};
        options.initial.of(sim::provider::apns).delay = {sim::latency::shape::uniform, 20, 60};
    }

    std::uint64_t connections(const char* provider) const {
        return providers->stats().at(provider).at("connections").to_number<std::uint64_t>();
    }
};

TEST_F(ConnectionLossTest, EveryConnectionCutThreeTimesLosesNobodyAndRepeatsNoMoreThanWasOnThem) {
    crowd all;
    all.count = 40'000;
    register_crowds({all});
    launch("one");
    const std::string event = publish_to(all);
    for (const std::size_t percent : {20U, 45U, 70U}) {
        wait_for_requests(all.count * percent / 100);
        change_providers(R"({"now":[{"action":"close"}]})");
    }
    const json::object result = wait_for_result(event);
    expect_everybody_accepted(result, all);
    // The cuts did meet requests: what follows is about something.
    EXPECT_GT(number(result, "possible_duplicates"), 0);
    EXPECT_LE(
        static_cast<std::uint64_t>(number(result, "possible_duplicates")),
        connections("apns") * options.apns_streams + connections("fcm") * options.fcm_streams);
}

}  // namespace
}  // namespace tocsin
