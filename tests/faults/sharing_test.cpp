#include "engine/ops/settings.hpp"
#include "tests/faults/fault_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <string>

// An event that one engine could take whole is worked on by all of them.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::crowd;
using testing::eventually;
using testing::number;

class SharingTest : public testing::fault_fixture {
protected:
    // As they come: an engine has room for all pages of a town.
    SharingTest() {
        threads = 2;
        pages_in_flight = engine_settings{}.pages_in_flight;
        lease = engine_settings{}.lease;
        options.apps[0].fcm_rate = 3'000;
        options.apps[0].apns_rate = 1'000;
        town.count = 24'000;
    }

    /// Pushes in its hands for the town.
    static std::int64_t in_hand(const running_engine& which) {
        const json::object at = lane(which, "mairies", "fcm");
        return at.empty() ? 0 : number(at, "waiting") + number(at, "in_flight");
    }

    crowd town;
};

TEST_F(SharingTest, ATownIsSharedAndOneDeathDoesNotHoldUpTheRest) {
    register_crowds({town});
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);
    const std::string event = publish_to(town);
    EXPECT_TRUE(eventually([&] { return in_hand(first) > 0 && in_hand(second) > 0; }, 10s))
        << "one has taken all of it";
    wait_for_requests(town.count / 10);
    const auto killed_at = std::chrono::steady_clock::now();
    kill_hard(first);
    // Half of what is left would take the survivor some five seconds, if it had it.
    wait_for_requests(all_requests() + town.count / 4);
    EXPECT_LT(std::chrono::steady_clock::now() - killed_at, lease / 2) << "it was waited for the lease";
    launch_again(first);
    expect_everybody_accepted(wait_for_result(event), town);
}

TEST_F(SharingTest, AnEngineThatJoinsHelpsWithATownThatIsUnderWay) {
    register_crowds({town});
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);
    const std::string event = publish_to(town);
    wait_for_requests(town.count / 20);
    auto& third = launch("third");
    EXPECT_TRUE(eventually([&] { return in_hand(third) > 0; }, 20s)) << "it has found nothing to do";
    const json::object result = wait_for_result(event);
    expect_everybody_accepted(result, town);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
}

}  // namespace
}  // namespace tocsin
