#include "engine/audience/device_store.hpp"
#include "engine/control/control_board.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/plan/report.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/simulation/blocking_redis.hpp"
#include "tests/engine/simulation/simulated_engine.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Whole nights of an engine on a clock that is moved by hand: who is sent to, and when.

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

wall_time at(std::string_view text) {
    return parse_rfc3339(text).value();
}

const territories& places() {
    static const territories loaded = territories::parse(
                                          "insee,name,population,department,epci\n"
                                          "75056,Paris,9000,75,\n"
                                          "97302,Cayenne,9000,973,\n"
                                          "98818,Nouméa,9000,988,\n",
                                          "epci,name,type,communes,population\n")
                                          .value();
    return loaded;
}

class CivilTimeTest : public ::testing::Test {
protected:
    CivilTimeTest() {
        quiet_hours_settings how;
        how.from = "21:30";
        how.to = "07:00";
        how.spread = 30s;
        quiet = quiet_hours::make(how).value();
        std::vector<device_change> devices;
        for (const char* const code : {"75056", "97302", "98818"}) {
            for (int i = 0; i < 20; ++i) {
                devices.push_back(device_of(std::string(code) + "-device-" + std::to_string(i), {code}));
            }
        }
        devices.push_back(device_of("97302-and-98818", {"97302", "98818"}));
        device_store store(
            direct, keys, known_platforms(),
            {[](commune_id commune) { return places().population(commune); },
             [](std::string_view) { return places().total_population(); }});
        EXPECT_TRUE(at_once(store.apply(std::move(devices))).has_value());
    }

    static device_change device_of(std::string token, const std::vector<std::string_view>& follow) {
        device_change out;
        out.app = "mairies";
        out.where = platform::fcm;
        out.which.token = std::move(token);
        for (const std::string_view code : follow) {
            out.which.follow.push_back({*parse_commune_id(code), {}});
        }
        return out;
    }

    template <class T>
    T at_once(boost::asio::awaitable<T> work) {
        return testing::run_to_end(loop, std::move(work));
    }

    void start() {
        engine_settings how;
        how.instance = "a";
        how.threads = 1;
        how.lease = 10s;
        engine = std::make_unique<testing::simulated_engine>(
            testing::simulated_engine::surroundings{places(), keys, time, log, redis, {platform::fcm}, quiet},
            how);
        work_off();
    }

    /// kill -9: what was on its way to Redis may or may not arrive.
    void kill() {
        for (const auto& one : engine->connections()) {
            one->die(0, lost);
        }
        engine.reset();
    }

    void publish(json::object document) {
        document.emplace("audience", json::array({"commune:75056", "commune:97302", "commune:98818"}));
        document.emplace("notification", json::object{{"body", "Marché de Noël"}});
        document.emplace("id", "agenda");
        redis::request add;
        add.add(
            "XADD", keys.events(), std::to_string(time.wall_now().time_since_epoch().count()) + "-*", "event",
            json::serialize(document));
        ASSERT_FALSE(redis.ask(std::move(add)).front().is_error());
        work_off();
    }

    /// Whatever can be done at this moment; every push is accepted at once.
    void work_off() {
        const auto accept = [this](const push& item) {
            sent[std::string(item.token)].push_back(time.wall_now());
            verdict fine;
            fine.status = 200;
            fine.action = reaction::accept;
            return fine;
        };
        engine->work_off(accept, lost);
    }

    void pass(duration how_long, duration step) {
        for (duration left = how_long; left > 0s; left -= step) {
            time.advance(step);
            for (int i = 0; i < 3; ++i) {
                work_off();
            }
        }
    }

    void pass_until(wall_time when) {
        if (when - time.wall_now() > 1min) {
            pass(when - 1min - time.wall_now(), when - 1min - time.wall_now());
        }
        pass(when - time.wall_now(), when - time.wall_now());
    }

    /// Of the devices of a commune: how many were sent to, and between which moments.
    struct wave_seen {
        std::size_t devices = 0;
        wall_time first = wall_time::max();
        wall_time last{};
    };
    wave_seen seen(std::string_view code) const {
        wave_seen out;
        for (const auto& [token, moments] : sent) {
            if (token.starts_with(code)) {
                EXPECT_EQ(moments.size(), 1U) << token << " was sent to more than once";
                ++out.devices;
                out.first = std::min(out.first, moments.front());
                out.last = std::max(out.last, moments.back());
            }
        }
        return out;
    }

    std::string ledger_field(std::string_view name) {
        redis::request ask;
        ask.add("HGET", keys.ledger("agenda"), name);
        return std::string(redis.ask(std::move(ask)).front().text());
    }

    json::object result() {
        redis::request ask;
        ask.add("XRANGE", keys.results(), "-", "+");
        const redis::replies got = redis.ask(std::move(ask));
        if (got.front().size() != 1) {
            return {};
        }
        return json::parse(got.front()[0][1][1].text()).as_object();
    }

    testing::redis_server server;
    testing::blocking_redis redis{server.socket_path()};
    testing::direct_redis direct{redis};
    boost::asio::io_context loop{1};
    keyspace keys{"tocsin"};
    testing::manual_time time;
    null_logger log;
    quiet_hours quiet;
    testing::late_requests lost;
    std::unique_ptr<testing::simulated_engine> engine;
    std::map<std::string, std::vector<wall_time>> sent;
};

// 02:00 in Paris, 22:00 in Cayenne, 12:00 in Nouméa.
constexpr std::string_view night = "2026-11-24T01:00:00Z";
const wall_time paris_morning = at("2026-11-24T06:00:00Z");
const wall_time cayenne_morning = at("2026-11-24T10:00:00Z");

TEST_F(CivilTimeTest, EachTerritoryIsSentToOnItsOwnMorningAndTheEventEndsWithTheLast) {
    time.set_wall(at(night));
    start();
    publish({{"ttl", 24 * 3600}});
    pass(30s, 1s);
    EXPECT_EQ(seen("98818").devices, 20U);
    EXPECT_EQ(sent.size(), 20U);

    pass_until(paris_morning - 1ms);
    EXPECT_EQ(sent.size(), 20U);
    pass(45s, 500ms);
    const wave_seen paris = seen("75056");
    EXPECT_EQ(paris.devices, 20U);
    EXPECT_GE(paris.first, paris_morning);
    EXPECT_LE(paris.first, paris_morning + 2s);
    EXPECT_GT(paris.last, paris_morning + 20s);
    EXPECT_LE(paris.last, paris_morning + 31s);
    EXPECT_EQ(sent.size(), 40U);
    EXPECT_EQ(ledger_field("state"), "running");

    pass_until(cayenne_morning - 1ms);
    EXPECT_EQ(sent.size(), 40U);
    pass(45s, 500ms);
    EXPECT_EQ(seen("97302").devices, 21U);  // With the one that follows Nouméa as well.
    EXPECT_GE(seen("97302").first, cayenne_morning);
    pass(5s, 1s);
    const json::object end = result();
    ASSERT_FALSE(end.empty());
    EXPECT_EQ(end.at("state").as_string(), "finished");
    EXPECT_EQ(end.at("targeted").as_int64(), 61);
    EXPECT_EQ(end.at("accepted").as_int64(), 61);
}

TEST_F(CivilTimeTest, DeathsOfTheEngineWhileTerritoriesWaitLoseNobodyAndSendNobodyEarly) {
    time.set_wall(at(night));
    start();
    publish({{"ttl", 24 * 3600}});
    kill();
    time.advance(1h);
    start();
    pass(60s, 1s);
    EXPECT_EQ(sent.size(), 20U);
    pass_until(paris_morning - 1s);
    kill();
    start();  // Just before the moment, with what was taken ahead in the hands of the dead.
    pass(500ms, 100ms);
    EXPECT_EQ(seen("75056").devices, 0U);
    pass(60s, 1s);
    EXPECT_EQ(seen("75056").devices, 20U);
    EXPECT_GE(seen("75056").first, paris_morning);
    kill();
    time.advance(cayenne_morning + 1h - time.wall_now());
    start();  // It slept through the moment.
    pass(60s, 1s);
    EXPECT_EQ(seen("97302").devices, 21U);
    EXPECT_EQ(result().at("accepted").as_int64(), 61);
}

TEST_F(CivilTimeTest, WhatIsCancelledAtNightIsNeverSent) {
    time.set_wall(at(night));
    start();
    publish({{"ttl", 24 * 3600}});
    pass(30s, 1s);
    control_board board(direct, keys);
    ASSERT_TRUE(at_once(board.cancel("agenda"))->cancelled());
    pass(10s, 1s);
    const json::object end = result();
    ASSERT_FALSE(end.empty());
    EXPECT_EQ(end.at("state").as_string(), "cancelled");
    EXPECT_EQ(end.at("accepted").as_int64(), 20);
    EXPECT_EQ(end.at("cancelled").as_int64(), 41);
    EXPECT_EQ(end.at("targeted").as_int64(), 61);
}

TEST_F(CivilTimeTest, WhatExpiresAtNightEndsAsExpired) {
    time.set_wall(at(night));
    start();
    publish({{"ttl", 3600}});
    pass(30s, 1s);
    EXPECT_EQ(sent.size(), 20U);
    EXPECT_TRUE(result().empty());
    pass_until(at(night) + 1h);
    pass(5s, 1s);
    const json::object end = result();
    ASSERT_FALSE(end.empty());
    EXPECT_EQ(end.at("state").as_string(), "expired");
    EXPECT_EQ(end.at("accepted").as_int64(), 20);
    EXPECT_EQ(end.at("expired").as_int64(), 41);
    EXPECT_EQ(sent.size(), 20U);
}

TEST_F(CivilTimeTest, AnAlertAndWhatIgnoresQuietHoursGoAtOnce) {
    time.set_wall(at(night));
    start();
    publish({{"quiet_hours", "ignore"}});
    pass(5s, 1s);
    EXPECT_EQ(sent.size(), 61U);
    sent.clear();
    publish({{"id", "crue"}, {"priority", "critical"}});
    pass(5s, 1s);
    EXPECT_EQ(sent.size(), 61U);
}

}  // namespace
}  // namespace tocsin
