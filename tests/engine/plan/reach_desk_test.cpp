#include "engine/plan/reach_desk.hpp"

#include "engine/audience/audience.hpp"
#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/json/parse.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class ReachDeskTest : public testing::redis_fixture {
protected:
    ReachDeskTest() {
        std::vector<selector> selectors{{selector_kind::commune, "21231"}, {selector_kind::commune, "21054"}};
        redis::request write;
        write.add(
            "HSET", keys.ledger("crue"), "entry", "1-0", "state", "finished", "receipts", "1",
            "receipts_until", until, "targeted", 12, "o:mairies/fcm:accepted", 10, "c:21231", 10, "l:21231",
            2, "w:displayed:21231", 7, "w:opened:21231", 3, ledger_names::audience,
            audience::resolve(known_platforms(), selectors, places).value().encode());
        write.add("ZADD", keys.receipts_open(), until, "crue");
        EXPECT_TRUE(run(redis.execute(std::move(write))).has_value());
    }
    std::vector<json::object> documents() {
        std::istringstream lines(server.cli({"XRANGE", keys.reach(), "-", "+"}));
        std::vector<json::object> out;
        std::string line;
        for (int i = 0; std::getline(lines, line); ++i) {
            if (i % 3 == 2) {
                out.push_back(json::parse(line).as_object());
            }
        }
        return out;
    }
    void publish_due() { ASSERT_TRUE(run(desk.publish_due()).has_value()); }

    const std::int64_t until = 1'795'000'000'000;
    testing::manual_time now;
    territories places = territories::load({}).value();
    reach_desk desk{redis, keys, places, {1'000, 24h}, now, log};
};

TEST_F(ReachDeskTest, TheDocumentComesWhenTheWindowEndsAndOnce) {
    now.set_wall(wall_time(std::chrono::milliseconds(until)));
    publish_due();
    EXPECT_TRUE(documents().empty());
    now.set_wall(wall_time(std::chrono::milliseconds(until + 1)));
    publish_due();
    publish_due();
    ASSERT_EQ(documents().size(), 1U);
    const json::object document = documents().front();
    EXPECT_EQ(document.at("event").as_string(), "crue");
    EXPECT_EQ(document.at("targeted").as_int64(), 12);
    EXPECT_EQ(document.at("accepted").as_int64(), 10);
    EXPECT_EQ(document.at("received").as_int64(), 0);
    EXPECT_EQ(document.at("displayed").as_int64(), 7);
    EXPECT_EQ(document.at("opened").as_int64(), 3);
    const json::object& dijon = document.at("communes").at("21231").as_object();
    EXPECT_EQ(dijon.at("targeted").as_int64(), 12);
    EXPECT_EQ(dijon.at("accepted").as_int64(), 10);
    EXPECT_EQ(dijon.at("displayed").as_int64(), 7);
    const double population = dijon.at("population").to_number<double>();
    EXPECT_NEAR(dijon.at("confirmed_reach").to_number<double>(), 7 / population, 5e-5);
    EXPECT_EQ(document.at("communes").at("21054").at("targeted").as_int64(), 0);
    EXPECT_GT(document.at("population").to_number<double>(), population);
    EXPECT_EQ(server.cli({"ZCARD", keys.receipts_open()}), "0");
    EXPECT_GT(std::stol(server.cli({"PTTL", keys.ledger("crue")})), 0);
}

TEST_F(ReachDeskTest, WhoeverGoesOnAfterAnEngineThatDiedOnTheWayPublishesNoSecondOne) {
    now.set_wall(wall_time(std::chrono::milliseconds(until + 1)));
    publish_due();
    // Died before it was taken off the list.
    server.cli({"ZADD", keys.receipts_open(), std::to_string(until), "crue"});
    publish_due();
    EXPECT_EQ(documents().size(), 1U);
    EXPECT_EQ(server.cli({"ZCARD", keys.receipts_open()}), "0");
}

TEST_F(ReachDeskTest, ADocumentThatCannotBePublishedForNowIsPublishedOnceItCanBe) {
    now.set_wall(wall_time(std::chrono::milliseconds(until + 1)));
    server.cli({"SET", keys.reach(), "of another program"});
    EXPECT_TRUE(run(desk.publish_due()).has_error());
    server.cli({"DEL", keys.reach()});
    publish_due();
    EXPECT_EQ(documents().size(), 1U);
}

TEST_F(ReachDeskTest, WhatWasHandedInBeforeTheEndIsCountedFirst) {
    now.set_wall(wall_time(std::chrono::milliseconds(until + 60'000)));
    const std::string entry = std::to_string(until) + "-0";
    server.cli({"XGROUP", "CREATE", keys.receipts(), "tocsin", "0", "MKSTREAM"});
    server.cli({"XADD", keys.receipts(), entry, "receipt", "{}"});
    publish_due();
    EXPECT_TRUE(documents().empty()) << "nobody has read it yet";
    server.cli({"XREADGROUP", "GROUP", "tocsin", "a", "STREAMS", keys.receipts(), ">"});
    publish_due();
    EXPECT_TRUE(documents().empty()) << "somebody is counting it";
    server.cli({"XACK", keys.receipts(), "tocsin", entry});
    server.cli({"XADD", keys.receipts(), std::to_string(until + 1) + "-0", "receipt", "{}"});
    publish_due();
    EXPECT_EQ(documents().size(), 1U);
}

TEST_F(ReachDeskTest, AnEventThatRedisHasForgottenHoldsUpNoOther) {
    redis::request more;
    more.add("ZADD", keys.receipts_open(), 5, "forgotten");
    ASSERT_TRUE(run(redis.execute(std::move(more))).has_value());
    now.set_wall(wall_time(std::chrono::milliseconds(until + 1)));
    publish_due();
    EXPECT_EQ(documents().size(), 1U);
    EXPECT_EQ(server.cli({"ZCARD", keys.receipts_open()}), "0");
}

}  // namespace
}  // namespace tocsin
