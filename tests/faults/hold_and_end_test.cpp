#include "engine/ops/settings.hpp"
#include "tests/faults/fault_fixture.hpp"

#include <chrono>
#include <cstdint>
#include <string>

// Expiry, cancelling and pausing: nothing is sent that should not be, whatever dies.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::crowd;
using testing::eventually;
using testing::expect_sums_agree;
using testing::number;
using testing::reception;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint32_t a_million = 100'000;  // It would take minutes.
#else
constexpr std::uint32_t a_million = 1'000'000;
#endif

class HoldAndEndTest : public testing::fault_fixture {
protected:
    static bool held(const running_engine& which) {
        for (const char* const platform : {"apns", "fcm"}) {
            const json::object at = lane(which, "mairies", platform);
            if (at.empty() || number(at, "waiting") == 0 || at.at("bound_by").as_string() != "operator") {
                return false;
            }
        }
        return true;
    }
};

TEST_F(HoldAndEndTest, AnEventThatExpiredBeforeAnEngineCameIsPushedToNobody) {
    crowd all;
    all.count = 20'000;
    register_crowds({all});
    const std::string event = publish_to(all, R"(,"ttl":2)");
    const auto late = std::chrono::steady_clock::now() + 5s;
    ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() >= late; }, 10s));
    launch("late");
    const json::object result = wait_for_result(event);
    expect_sums_agree(result);
    EXPECT_EQ(result.at("state").as_string(), "expired");
    EXPECT_EQ(number(result, "targeted"), static_cast<std::int64_t>(all.count));
    EXPECT_EQ(number(result, "expired"), static_cast<std::int64_t>(all.count));
    EXPECT_EQ(all_requests(), 0U);
}

TEST_F(HoldAndEndTest, AfterACancelOfAMillionNothingIsSentFromASecondLaterOnAndTheSumIsAMillion) {
    crowd all;
    all.commune = "75056";
    all.count = a_million;
    options.apps[0].fcm_rate = a_million / 100 * 9;
    options.apps[0].apns_rate = a_million / 100 * 3;
    pages_in_flight = engine_settings{}.pages_in_flight;
    register_crowds({all});
    launch("one");
    launch("other");
    const std::string event = publish_to(all);
    wait_for_requests(all.count * 3 / 10);
    ASSERT_EQ(tocsin({"cancel", event}).exit_code, 0);
    const auto second = std::chrono::steady_clock::now() + 1s;
    ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() >= second; }, 10s));
    const std::uint64_t then = all_requests();
    EXPECT_LT(then, all.count * 8 / 10);
    const json::object result = wait_for_result(event);
    expect_sums_agree(result);
    EXPECT_EQ(result.at("state").as_string(), "cancelled");
    EXPECT_EQ(number(result, "targeted"), static_cast<std::int64_t>(all.count));
    EXPECT_GT(number(result, "cancelled"), 0);
    const reception seen = look_at(all);
    EXPECT_EQ(static_cast<std::uint64_t>(number(result, "accepted")), seen.accepted);
    EXPECT_EQ(seen.repeats, 0U);
    EXPECT_EQ(all_requests(), then);
}

TEST_F(HoldAndEndTest, AKillWhilePausedLosesNobodyAndNothingIsSentBeforeTheResume) {
    crowd all;
    all.count = 20'000;
    register_crowds({all});
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);
    ASSERT_EQ(tocsin({"pause"}).exit_code, 0);
    const std::string event = publish_to(all);
    ASSERT_TRUE(eventually([&] { return held(first) && held(second); }, 30s));
    EXPECT_EQ(all_requests(), 0U);
    kill_hard(first);
    launch_again(first);
    ASSERT_TRUE(eventually([&] { return held(first); }, 30s));
    EXPECT_EQ(all_requests(), 0U);
    ASSERT_EQ(tocsin({"resume"}).exit_code, 0);
    expect_everybody_accepted(wait_for_result(event), all);
    EXPECT_EQ(look_at(all).repeats, 0U);
}

TEST_F(HoldAndEndTest, AForgottenDeviceThatWaitsForARetryIsNotSentToEvenByAnotherEngine) {
    crowd all;
    all.count = 200;
    register_crowds({all});
    const std::string there = crowd::token(1);
    const std::string gone = crowd::token(2);
    const std::string later = R"("then":[{"reason":"UNAVAILABLE","retry_after":6}]})";
    change_providers(
        R"({"fcm":{"answers":[{"token":")" + there + R"(",)" + later + R"(,{"token":")" + gone + R"(",)" +
        later + "]}}");
    auto& dies = launch("dies");
    const std::string event = publish_to(all);
    ASSERT_TRUE(eventually(
        [&] {
            return redis.cli({"ZCARD", "tocsin:{e:" + event + "}:parked:mairies/fcm"}) == "2";
        },
        30s));
    // Whoever knew of it from its own memory is gone as well.
    kill_hard(dies);
    const auto forgotten = tocsin({"devices", "forget", gone});
    ASSERT_EQ(forgotten.exit_code, 0) << forgotten.err;
    launch("takes-over");
    const json::object result = wait_for_result(event);
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "targeted"), 200);
    EXPECT_EQ(number(result, "accepted"), 199);
    EXPECT_EQ(number(result, "cancelled"), 1);
    EXPECT_EQ(providers->counts(sim::provider::fcm, gone).received, 1U);
    EXPECT_EQ(providers->counts(sim::provider::fcm, there).received, 2U);
}

TEST_F(HoldAndEndTest, AForgottenDeviceThatWaitsForARetryIsNotSentToByTheSameEngine) {
    crowd all;
    all.count = 200;
    register_crowds({all});
    const std::string gone = crowd::token(2);
    change_providers(
        R"({"fcm":{"answers":[{"token":")" + gone +
        R"(","then":[{"reason":"UNAVAILABLE","retry_after":4}]}]}})");
    launch("one");
    const std::string event = publish_to(all);
    ASSERT_TRUE(eventually(
        [&] {
            return redis.cli({"ZCARD", "tocsin:{e:" + event + "}:parked:mairies/fcm"}) == "1";
        },
        30s));
    ASSERT_EQ(tocsin({"devices", "forget", gone}).exit_code, 0);
    const json::object result = wait_for_result(event);
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), 199);
    EXPECT_EQ(number(result, "cancelled"), 1);
    EXPECT_EQ(providers->counts(sim::provider::fcm, gone).received, 1U);
}

}  // namespace
}  // namespace tocsin
