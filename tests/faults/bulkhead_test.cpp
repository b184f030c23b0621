#include "tests/faults/fault_fixture.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

// One app's provider takes requests and never answers: that is nobody else's trouble.

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::crowd;
using testing::eventually;

class BulkheadTest : public testing::fault_fixture {
protected:
    /// The simulator for everybody, and a second one, that is silent, as FCM of `dijon` alone. Both work in
    /// one directory and so with the same keys.
    void start_simulators() {
        sim::simulator_options beside = options;
        beside.ports = {0, 0, 0, 0, 0};
        auto started = sim::simulator::start(beside);
        ASSERT_TRUE(started.has_value());
        silent = std::move(*started);
        ASSERT_TRUE(
            silent->change(boost::json::parse(R"({"all":{"faults":{"silence_share":1}}})")).has_value());
        start_simulator();
        const auto file = providers->configuration_file();
        std::ifstream in(file);
        std::string text{std::istreambuf_iterator<char>(in), {}};
        const std::size_t dijon = text.find("id = \"dijon\"");
        ASSERT_NE(dijon, std::string::npos);
        const std::string theirs = ":" + std::to_string(providers->ports().fcm);
        const std::size_t url = text.find(theirs, dijon);
        ASSERT_NE(url, std::string::npos);
        text.replace(url, theirs.size(), ":" + std::to_string(silent->ports().fcm));
        std::ofstream(file) << text;
    }

    std::unique_ptr<sim::simulator> silent;
};

TEST_F(BulkheadTest, AProviderThatNeverAnswersHoldsUpItsOwnAppAlone) {
    options.apps[1].communes = {"01002"};
    start_simulators();
    crowd unheard;
    unheard.app = "dijon";
    unheard.commune = "01002";  // Small: three thousand devices are one page, and more than the streams.
    unheard.count = 3'000;
    crowd others;
    others.first = unheard.count;
    others.count = 3'000;
    register_crowds({unheard, others});
    auto& only = launch("only");
    wait_until_ready(only);
    const std::string waits = publish_to(unheard);
    const auto bound_by_streams = [&] {
        const auto at = lane(only, "dijon", "fcm");
        return !at.empty() && at.at("bound_by").as_string() == "streams";
    };
    ASSERT_TRUE(eventually(bound_by_streams, 30s));

    const std::string goes_on = publish_to(others);
    expect_everybody_accepted(wait_for_result(goes_on), others);
    EXPECT_GT(silent->stats().at("fcm").at("silenced").to_number<std::uint64_t>(), 0U);
    EXPECT_TRUE(eventually(bound_by_streams, 5s));
    // What may have been sent is asked about again, and never answered: it is cancelled.
    ASSERT_EQ(tocsin({"cancel", waits}).exit_code, 0);
    testing::expect_sums_agree(wait_for_result(waits));
}

}  // namespace
}  // namespace tocsin
