#include "engine/followers_watch.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/audience/device_changes.hpp"
#include "tests/engine/delivery/removal_stage.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Dijon is there. Whatever else devices follow is not.
class FollowersWatchTest : public testing::redis_fixture {
protected:
    FollowersWatchTest() { known.set_apps({app("dijon"), app("mairies")}); }

    static served_app app(std::string id) { return {std::move(id), true, {}, {{platform::fcm, nullptr}}}; }
    void enroll(const std::string& token, std::vector<territory> follow, const std::string& app = "mairies") {
        device_change one = testing::put(token, std::move(follow));
        one.app = app;
        EXPECT_TRUE(run(store.apply({std::move(one)})).has_value());
    }
    void look() {
        run([](followers_watch& who, time_point now) -> boost::asio::awaitable<bool> {
            co_await who.look(now);
            co_return true;
        }(watch, clock.now()));
    }
    double outside(const std::string& app = "mairies") {
        return shard.gauge(metric::followers_outside, {app, "fcm"}).read();
    }
    int warnings() { return told.events["devices.follow_unknown_communes"]; }

    testing::manual_time clock;
    testing::remembering_log told;
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n21231,Dijon,9000,21,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    event_preparer known{places, known_platforms(), event_limits{}, clock};
    metrics numbers;
    metrics_shard& shard = numbers.add_shard();
    device_store store{
        redis,
        keys,
        known_platforms(),
        {[](commune_id) { return 100U; }, [](std::string_view) { return 100ULL; }}};
    followers_watch watch{store, known, told, shard};
};

TEST_F(FollowersWatchTest, WhoFollowsACommuneThatIsGoneIsCountedAndSaidOnce) {
    enroll("a", {testing::place("21231")});
    look();
    EXPECT_EQ(outside(), 0);
    EXPECT_EQ(warnings(), 0);
    enroll("b", {testing::place("21231"), testing::place("21999")});
    enroll("c", {testing::place("21999")});
    clock.advance(10min);
    look();
    EXPECT_EQ(outside(), 2);
    EXPECT_EQ(warnings(), 1);
    EXPECT_NE(told.last.find("territories=21999 "), std::string::npos) << told.last;
    clock.advance(10min);
    look();
    EXPECT_EQ(warnings(), 1) << "it is known by now";
    enroll("d", {testing::place("21998")});
    clock.advance(10min);
    look();
    EXPECT_EQ(outside(), 3);
    EXPECT_EQ(warnings(), 2) << "another commune is news";
}

TEST_F(FollowersWatchTest, TheyAreCountedEveryTenMinutes) {
    look();
    enroll("a", {testing::place("21999")});
    clock.advance(10min - 1ns);
    look();
    EXPECT_EQ(outside(), 0);
    clock.advance(1ns);
    look();
    EXPECT_EQ(outside(), 1);
}

TEST_F(FollowersWatchTest, OfManyCommunesTwentyAreNamed) {
    for (int n = 0; n < 21; ++n) {
        enroll("device-" + std::to_string(n), {testing::place(std::to_string(21'900 + n))});
    }
    look();
    EXPECT_EQ(outside(), 21);
    EXPECT_NE(told.last.find("21919 …"), std::string::npos) << told.last;
    EXPECT_EQ(told.last.find("21920"), std::string::npos) << told.last;
}

TEST_F(FollowersWatchTest, WhatAnotherProgramHasWrittenHidesOnlyTheAppThatItConcerns) {
    enroll("a", {testing::place("21999")}, "mairies");
    server.cli({"SET", keys.rosters("dijon"), "x"});
    look();
    EXPECT_EQ(outside("mairies"), 1);
    enroll("b", {testing::place("21999")}, "mairies");
    look();
    EXPECT_EQ(outside("mairies"), 1) << "and it is not counted again with every call";
}

TEST_F(FollowersWatchTest, AnAppThatIsTakenOutOfTheConfigurationHasNobodyOutside) {
    enroll("a", {testing::place("21999")});
    look();
    ASSERT_EQ(outside(), 1);
    known.set_apps({app("dijon")});
    clock.advance(10min);
    look();
    EXPECT_EQ(outside(), 0);
    known.set_apps({app("mairies")});
    clock.advance(10min);
    look();
    EXPECT_EQ(outside(), 1);
    EXPECT_EQ(warnings(), 2) << "it is news again";
}

}  // namespace
}  // namespace tocsin
