#include "tests/faults/fault_fixture.hpp"
#include "tools/tocsin/admin_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <set>
#include <string>

#include <unistd.h>

// A provider that is wrong about everybody, and is sure of it.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::crowd;
using testing::eventually;
using testing::expect_sums_agree;
using testing::number;

class RemovalBrakeTest : public testing::fault_fixture {
protected:
    std::int64_t devices_known() {
        const auto counted = tocsin({"devices", "count", "--json"});
        return number(json::parse(counted.out).as_object(), "total");
    }
    json::array questions() {
        const auto listed = tocsin({"devices", "prune", "--json"});
        EXPECT_EQ(listed.exit_code, 0) << listed.err;
        return json::parse(listed.out).as_array();
    }
    std::int64_t held() {
        std::int64_t out = 0;
        for (const auto& one : questions()) {
            out += number(one.as_object(), "devices");
        }
        return out;
    }
    /// The checks of /readyz, which is no 200 then.
    static std::string readiness(const running_engine& which) {
        return cli::admin_get_text(which.admin, "/api/v1/status").value_or("");
    }
    static bool says_so(const running_engine& which) {
        return readiness(which).find("tocsin devices prune") != std::string::npos &&
               !cli::admin_get_text(which.admin, "/readyz");
    }
    static bool ready(const running_engine& which) {
        return cli::admin_get_text(which.admin, "/readyz").has_value();
    }
    std::string metrics_of(const running_engine& which) {
        return cli::admin_get_text(which.admin, "/metrics").value_or("");
    }

    static constexpr auto everybody_gone = R"({"all":{"dead_share":1}})";
    static constexpr auto all_well = R"({"all":{"dead_share":0}})";
};

TEST_F(RemovalBrakeTest, AProviderThatCallsEverybodyGoneRemovesNobodyAndWhoIsKeptIsReachedByTheNextEvent) {
    crowd all;
    all.count = 5'000;
    register_crowds({all});
    change_providers(everybody_gone);
    auto& first = launch("first");
    auto& second = launch("second");
    wait_until_ready(first);
    wait_until_ready(second);
    const json::object result = wait_for_result(publish_to(all));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "dead"), 5'000);

    EXPECT_EQ(devices_known(), 5'000);
    EXPECT_EQ(entries("feedback").size(), 0U);
    for (const auto* const each : {&first, &second}) {
        EXPECT_TRUE(eventually([&] { return says_so(*each); }, 10s)) << readiness(*each);
        EXPECT_NE(
            metrics_of(*each).find(R"(tocsin_held_removals{app="mairies",platform="fcm"} 3750)"),
            std::string::npos)
            << metrics_of(*each);
    }
    const json::array open = questions();
    ASSERT_EQ(open.size(), 2U) << json::serialize(open);
    EXPECT_EQ(held(), 5'000);
    const auto shown = tocsin({"devices", "prune"});
    EXPECT_NE(shown.out.find("tocsin devices prune --app mairies --platform fcm --keep"), std::string::npos)
        << shown.out;

    const auto kept = tocsin({"devices", "prune", "--app", "mairies", "--keep", "--json"});
    EXPECT_EQ(kept.exit_code, 0) << kept.err;
    EXPECT_EQ(number(json::parse(kept.out).as_object(), "kept"), 5'000);
    EXPECT_TRUE(questions().empty());
    EXPECT_TRUE(eventually([&] { return ready(first) && ready(second); }, 10s));
    change_providers(all_well);
    expect_everybody_accepted(wait_for_result(publish_to(all)), all);
    EXPECT_EQ(devices_known(), 5'000);
    EXPECT_EQ(tocsin({"devices", "prune", "--app", "mairies", "--keep"}).exit_code, 1) << "nothing to decide";
}

TEST_F(RemovalBrakeTest, KillsOnTheWayRemoveNobodyAndWhatIsConfirmedIsRemovedReportedAndCanBeBroughtBack) {
    crowd all;
    all.count = 6'000;
    register_crowds({all});
    change_providers(R"({"all":{"dead_share":1,"latency":{"min_ms":1,"max_ms":40}}})");
    auto& first = launch("first");
    auto& second = launch("second");
    const std::string event = publish_to(all);
    for (const std::uint64_t requests : {1'500U, 3'000U, 4'500U}) {
        wait_for_requests(requests);
        auto& victim = requests == 3'000U ? second : first;
        kill_hard(victim);
        launch_again(victim);
    }
    const json::object result = wait_for_result(event);
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "dead"), 6'000);
    EXPECT_EQ(devices_known(), 6'000);
    EXPECT_EQ(entries("feedback").size(), 0U);
    EXPECT_EQ(held(), 6'000);

    const auto removed = tocsin({"devices", "prune", "--app", "mairies", "--remove", "--json"});
    EXPECT_EQ(removed.exit_code, 0) << removed.err;
    EXPECT_EQ(number(json::parse(removed.out).as_object(), "removed"), 6'000);
    EXPECT_EQ(devices_known(), 0);
    std::set<std::string> reported;
    for (const std::string& document : entries("feedback")) {
        const json::object one = json::parse(document).as_object();
        EXPECT_EQ(one.at("event").as_string(), event);
        reported.emplace(one.at("token").as_string());
    }
    EXPECT_EQ(reported.size(), 6'000U);

    const auto back = tocsin({"devices", "restore", "--app", "mairies", "--since", "1h", "--json"});
    EXPECT_EQ(back.exit_code, 0) << back.err;
    EXPECT_EQ(number(json::parse(back.out).as_object(), "restored"), 6'000);
    EXPECT_EQ(devices_known(), 6'000);
    change_providers(all_well);
    expect_everybody_accepted(wait_for_result(publish_to(all)), all);
}

TEST_F(RemovalBrakeTest, ThreeHundredOfAThousandAreRemovedBeforeTheResultAlsoWhereNobodyEverDied) {
    crowd all;
    all.count = 1'000;
    register_crowds({all});
    auto& only = launch("only");
    wait_until_ready(only);
    expect_everybody_accepted(wait_for_result(publish_to(all)), all);
    json::array gone_apns;
    json::array gone_fcm;
    for (std::size_t n = 0; n < 300; ++n) {
        (crowd::on_apns(n) ? gone_apns : gone_fcm).emplace_back(crowd::token(n));
    }
    change_providers(json::serialize(json::object{
        {"apns", json::object{{"dead_tokens", gone_apns}}},
        {"fcm", json::object{{"dead_tokens", gone_fcm}}}}));
    const json::object result = wait_for_result(publish_to(all));
    EXPECT_EQ(entries("feedback").size(), 300U);
    EXPECT_EQ(devices_known(), 700);
    EXPECT_EQ(number(result, "dead"), 300);
    EXPECT_TRUE(questions().empty());

    const auto code_of = [this](std::vector<std::string> words) {
        return tocsin(std::move(words)).exit_code;
    };
    EXPECT_EQ(code_of({"devices", "prune", "--remove"}), 2) << "of which app?";
    EXPECT_EQ(code_of({"devices", "prune", "--app", "mairies", "--remove", "--keep"}), 2);
    EXPECT_EQ(code_of({"devices", "prune", "--app", "mairies", "--platform", "sms", "--keep"}), 2);
    EXPECT_EQ(code_of({"devices", "restore", "--app", "mairies", "--since", "lately"}), 2);
    EXPECT_EQ(code_of({"devices", "restore", "--app", "mairies", "--since", "2100-01-01T00:00:00Z"}), 1);
    const auto counted = tocsin({"devices", "restore", "--app", "mairies", "--dry-run", "--json"});
    EXPECT_EQ(number(json::parse(counted.out).as_object(), "restored"), 300);
    EXPECT_EQ(devices_known(), 700);
}

TEST_F(RemovalBrakeTest, AVillageThatDiesWhollyIsRemovedWithItsResult) {
    crowd village;
    village.commune = "21054";
    village.count = 5;
    register_crowds({village});
    change_providers(everybody_gone);
    auto& only = launch("only");
    wait_until_ready(only);
    const auto begun = std::chrono::steady_clock::now();
    const json::object result = wait_for_result(publish_to(village));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
    EXPECT_EQ(number(result, "dead"), 5);
    EXPECT_EQ(entries("feedback").size(), 5U);
    EXPECT_EQ(devices_known(), 0);
}

}  // namespace
}  // namespace tocsin
