#include "tests/faults/fault_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <csignal>
#include <string>

// A configuration that makes every token look bad: nobody is removed, and nobody else is stopped.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::crowd;
using testing::eventually;
using testing::number;

class WrongEnvironmentTest : public testing::fault_fixture {
protected:
    std::int64_t devices_known() {
        const auto counted = tocsin({"devices", "count", "--json"});
        return number(json::parse(counted.out).as_object(), "total");
    }

    /// As Apple answers tokens of the sandbox at the production host.
    static std::string bad_token_for_all(const crowd& whom) {
        json::array answers;
        for (std::size_t n = whom.first; n < whom.first + whom.count; ++n) {
            if (crowd::on_apns(n)) {
                answers.push_back(json::object{
                    {"token", crowd::token(n)},
                    {"repeat", true},
                    {"then", json::array{json::object{{"reason", "BadDeviceToken"}}}}});
            }
        }
        return json::serialize(json::object{{"apns", json::object{{"answers", std::move(answers)}}}});
    }
};

TEST_F(WrongEnvironmentTest, TheAppPausesNobodyIsRemovedAndAReloadSendsToAllThatWaited) {
    crowd wrong;
    wrong.count = 8'000;
    crowd right;
    right.app = "dijon";
    right.first = wrong.count;
    right.count = 4'000;
    register_crowds({wrong, right});
    change_providers(bad_token_for_all(wrong));
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);

    const std::string held_up = publish_to(wrong);
    const auto paused = [](const running_engine& which) {
        const json::object at = lane(which, "mairies", "apns");
        return !at.empty() && at.at("bound_by").as_string() == "credential";
    };
    ASSERT_TRUE(eventually([&] { return paused(first) || paused(second); }, 10s));
    const running_engine& one_of_them = paused(first) ? first : second;
    EXPECT_FALSE(cli::admin_get_text(one_of_them.admin, "/readyz").has_value()) << "is no 200";
    std::string said;
    EXPECT_TRUE(eventually(
        [&] {
            said = cli::admin_get_text(one_of_them.admin, "/api/v1/status").value_or("");
            return said.find("mairies/apns is paused: BadDeviceToken") != std::string::npos;
        },
        30s))
        << said;
    expect_everybody_accepted(wait_for_result(publish_to(right)), right);
    EXPECT_EQ(devices_known(), 12'000);

    change_providers(R"({"apns":{"answers":null}})");
    for (running_engine* const each : {&first, &second}) {
        ::kill(each->process->id(), SIGHUP);
    }
    expect_everybody_accepted(wait_for_result(held_up), wrong);
    wait_until_ready(first);
    wait_until_ready(second);
    EXPECT_EQ(devices_known(), 12'000);
    EXPECT_EQ(entries("feedback").size(), 0U);
}

}  // namespace
}  // namespace tocsin
