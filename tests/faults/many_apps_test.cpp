#include "tests/faults/fault_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

// Towns with apps of their own, all alerted in the same moment by an engine that has no connection yet.

namespace tocsin {
namespace {

using testing::crowd;

class ManyAppsTest : public testing::fault_fixture {
protected:
    /// So many apps, each with a team, a key, a topic and a project of its own, and its crowd.
    std::vector<crowd> make_apps(std::size_t apps, std::size_t devices) {
        options.apps.clear();
        std::vector<crowd> out;
        for (std::size_t i = 0; i < apps; ++i) {
            const std::string number = std::to_string(100 + i);
            sim::app_options one;
            one.id = "town-" + number;
            one.communes = {"21231"};
            one.topic = "fr.example.town" + number;
            one.team_id = "TEAM000" + number;
            one.key_id = "KEY0000" + number;
            one.project_id = "town-" + number;
            options.apps.push_back(one);
            crowd whom;
            whom.app = one.id;
            whom.first = i * devices;
            whom.count = devices;
            out.push_back(whom);
        }
        return out;
    }
    [[nodiscard]] std::uint64_t connections(std::string_view provider) const {
        return providers->stats().at(provider).at("connections").to_number<std::uint64_t>();
    }
};

TEST_F(ManyAppsTest, AlertedAtOnceTheyOpenWhatTheyNeedAndNoMore) {
    constexpr std::size_t apps = 24;
    const auto crowds = make_apps(apps, 60);
    start_simulator();
    register_crowds(crowds);
    threads = 2;
    pages_in_flight = 16;
    wait_until_ready(launch("only"));
    ASSERT_EQ(connections("apns") + connections("fcm"), 0U);
    std::vector<std::string> events;
    for (const crowd& whom : crowds) {
        events.push_back(publish_to(whom, R"(,"priority":"critical")"));
    }
    for (std::size_t i = 0; i < apps; ++i) {
        expect_everybody_accepted(wait_for_result(events[i]), crowds[i]);
    }
    // A key is used on connections of its own; FCM's are everybody's. Some are dialled in vain: an alert's
    // first connection is opened before it is known which thread will send it.
    EXPECT_GE(connections("apns"), apps);
    EXPECT_LE(connections("apns"), 3 * apps);
    EXPECT_LE(connections("fcm"), 2 * 15U) << "all apps together have some fifteen hundred pushes";
}

}  // namespace
}  // namespace tocsin
