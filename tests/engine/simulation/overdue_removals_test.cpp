#include "engine/audience/device_store.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/simulation/blocking_redis.hpp"
#include "tests/engine/simulation/simulated_engine.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Dead devices that looked unusual wait for the end of their event, which may be hours away.

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const territories& places() {
    static const territories loaded = territories::parse(
                                          "insee,name,population,department,epci\n"
                                          "21054,Beaune,9000,21,\n",
                                          "epci,name,type,communes,population\n")
                                          .value();
    return loaded;
}

class OverdueRemovalsTest : public ::testing::Test {
protected:
    OverdueRemovalsTest() {
        std::vector<device_change> devices;
        for (const char* const name : {"gone-1", "gone-2", "gone-3", "gone-4", "gone-5", "slow"}) {
            device_change& one = devices.emplace_back();
            one.app = "mairies";
            one.where = platform::fcm;
            one.which.token = name;
            one.which.follow.push_back({*parse_commune_id("21054"), {}});
        }
        EXPECT_TRUE(testing::run_to_end(loop, store.apply(std::move(devices))).has_value());
        engine_settings how;
        how.instance = "a";
        how.threads = 1;
        engine = std::make_unique<testing::simulated_engine>(
            testing::simulated_engine::surroundings{
                places(), keys, time, log, redis, {platform::fcm}, quiet_hours::make({}).value()},
            how);
        work_off();
    }

    static verdict answer_for(const push& item) {
        verdict out;
        if (item.token == "slow") {
            out.status = 429;
            out.action = reaction::retry_here;
            out.retry_after = 10min;
            out.told = true;
        } else {
            out.status = 404;
            out.action = reaction::drop_token;
            out.reason = "UNREGISTERED";
        }
        return out;
    }

    void work_off() { engine->work_off(answer_for, lost); }
    void pass(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            time.advance(1s);
            for (int j = 0; j < 3; ++j) {
                work_off();
            }
        }
    }

    std::uint64_t devices() {
        return testing::run_to_end(loop, store.count("mairies", platform::fcm)).value();
    }
    std::int64_t length(const std::string& stream) {
        redis::request ask;
        ask.add("XLEN", stream);
        return redis.ask(std::move(ask)).front().integer().value();
    }

    testing::redis_server server;
    testing::blocking_redis redis{server.socket_path()};
    testing::direct_redis direct{redis};
    boost::asio::io_context loop{1};
    keyspace keys{"tocsin"};
    testing::manual_time time;
    null_logger log;
    testing::late_requests lost;
    device_store store{
        direct,
        keys,
        known_platforms(),
        {[](commune_id commune) { return places().population(commune); },
         [](std::string_view) { return places().total_population(); }}};
    std::unique_ptr<testing::simulated_engine> engine;
};

TEST_F(OverdueRemovalsTest, AVillageWhoseLastDeviceIsTriedAgainForLongIsCleanedWithinAMinute) {
    redis::request add;
    add.add(
        "XADD", keys.events(), "*", "event",
        R"({"id":"crue","audience":["commune:21054"],"notification":{"body":"Crue"}})");
    ASSERT_FALSE(redis.ask(std::move(add)).front().is_error());
    pass(10);
    EXPECT_EQ(devices(), 6U) << "all that answered are dead: that may be a fault, if more comes";
    pass(30);
    EXPECT_EQ(devices(), 1U);
    EXPECT_EQ(length(keys.feedback()), 5);
    EXPECT_EQ(length(keys.results()), 0) << "the event goes on";
}

}  // namespace
}  // namespace tocsin
