#include "engine/removals_watch.hpp"

#include "providers/known_platforms.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

removal_book::open_question question(const std::string& app) {
    removal_book::open_question out;
    out.which = {app, platform::fcm};
    out.why.seen = {100, 900};
    return out;
}

TEST(SentenceAboutRemovals, NamesTheFirstFiveAndSaysWhatToDo) {
    EXPECT_EQ(sentence_about({}), "");
    std::vector<removal_book::open_question> open;
    for (const char* const app : {"a", "b", "c", "d", "e", "f", "g"}) {
        open.push_back(question(app));
    }
    const std::string one = sentence_about({open.front()});
    EXPECT_EQ(
        one,
        "the provider calls 900 of 1000 devices of a/fcm gone (what is usual is not known yet). They stay in "
        "the "
        "store until you decide: tocsin devices prune");
    const std::string all = sentence_about(open);
    EXPECT_NE(all.find("a/fcm"), std::string::npos);
    EXPECT_NE(all.find("e/fcm"), std::string::npos);
    EXPECT_EQ(all.find("f/fcm"), std::string::npos);
    EXPECT_NE(all.find("; and 2 more. They stay"), std::string::npos) << all;
}

class RemovalsWatchTest : public testing::redis_fixture {
protected:
    RemovalsWatchTest() {
        known.set_apps(
            {{"dijon", true, {}, {{platform::fcm, nullptr}}},
             {"mairies", true, {}, {{platform::fcm, nullptr}}}});
    }

    void look() {
        run([](removals_watch& who) -> boost::asio::awaitable<bool> {
            co_await who.look();
            co_return true;
        }(watch));
    }
    void hold(const std::string& app, std::size_t devices) {
        std::vector<held_device> held;
        for (std::size_t n = 0; n < devices; ++n) {
            held.push_back({app + "-" + std::to_string(n), "entry", "UNREGISTERED", "crue"});
        }
        const target which{app, platform::fcm};
        ASSERT_TRUE(run(book.hold(which, question(app).why, std::move(held))).has_value());
    }
    double held(const std::string& app) { return shard.gauge(metric::held_removals, {app, "fcm"}).read(); }
    /// Something of 1970 that is kept of an app's removed devices.
    void keep_for_too_long(const std::string& app) {
        server.cli({"XADD", keys.removed_devices(app, platform::fcm), "1000-0", "devices", "old"});
    }
    std::string kept(const std::string& app) {
        return server.cli({"XLEN", keys.removed_devices(app, platform::fcm)});
    }

    testing::manual_time clock;
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n21231,Dijon,9000,21,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    event_preparer known{places, known_platforms(), event_limits{}, clock};
    metrics numbers;
    metrics_shard& shard = numbers.add_shard();
    health_flag flag{"not known yet"};
    removal_book book{redis, keys, clock};
    removals_watch watch{redis, keys, known, clock, shard, flag, 24h};
};

TEST_F(RemovalsWatchTest, AQuestionIsToldUntilItIsAnswered) {
    look();
    EXPECT_EQ(flag.problem(), "");
    hold("mairies", 3);
    hold("dijon", 2);
    look();
    EXPECT_NE(flag.problem().find("mairies/fcm"), std::string::npos) << flag.problem();
    EXPECT_EQ(held("mairies"), 3);
    EXPECT_EQ(held("dijon"), 2);
    const target which{"mairies", platform::fcm};
    ASSERT_TRUE(run(book.keep(which)).has_value());
    look();
    EXPECT_EQ(flag.problem().find("mairies/fcm"), std::string::npos) << flag.problem();
    EXPECT_NE(flag.problem().find("dijon/fcm"), std::string::npos) << flag.problem();
    EXPECT_EQ(held("mairies"), 0);
    EXPECT_EQ(held("dijon"), 2);
}

TEST_F(RemovalsWatchTest, WithoutAnAnswerNothingChanges) {
    hold("mairies", 3);
    look();
    const std::string before = flag.problem();
    server.cli({"RENAME", keys.removals_held(), "elsewhere"});
    server.cli({"SET", keys.removals_held(), "x"});
    look();
    EXPECT_EQ(flag.problem(), before);
    EXPECT_EQ(held("mairies"), 3);
}

TEST_F(RemovalsWatchTest, WhatIsKeptForTooLongGoesEveryTenMinutes) {
    keep_for_too_long("mairies");
    look();
    EXPECT_EQ(kept("mairies"), "0");
    server.cli({"DEL", keys.removed_devices("mairies", platform::fcm)});
    keep_for_too_long("mairies");
    clock.advance(10min - 1ns);
    look();
    EXPECT_EQ(kept("mairies"), "1");
    clock.advance(1ns);
    look();
    EXPECT_EQ(kept("mairies"), "0");
}

TEST_F(RemovalsWatchTest, WhatAnotherProgramHasWrittenOfOneAppKeepsNothingOfTheOthers) {
    server.cli({"SET", keys.removed_devices("dijon", platform::fcm), "x"});
    keep_for_too_long("mairies");
    look();
    EXPECT_EQ(kept("mairies"), "0");
}

}  // namespace
}  // namespace tocsin
