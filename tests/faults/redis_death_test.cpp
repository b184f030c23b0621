#include "tests/faults/fault_fixture.hpp"

#include <chrono>

// Redis ends without warning and comes back with what it had acknowledged.

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::crowd;
using testing::number;

testing::redis_server_options durable() {
    testing::redis_server_options out;
    out.append_only = true;  // With appendfsync always: what was answered is on disk.
    return out;
}

class RedisDeathTest : public testing::fault_fixture {
protected:
    RedisDeathTest() : fault_fixture(durable()) {
        options.initial.of(sim::provider::fcm).delay = {sim::latency::shape::uniform, 5, 30};
        options.initial.of(sim::provider::apns).delay = {sim::latency::shape::uniform, 5, 30};
    }
};

TEST_F(RedisDeathTest, TwoKillsOfADurableRedisLoseNobodyAndRepeatNothing) {
    crowd all;
    all.count = 40'000;
    register_crowds({all});
    lease = std::chrono::seconds(30);  // Longer than Redis is away: nobody is to be taken for dead.
    auto& only = launch("one");
    const std::string event = publish_to(all);
    for (const std::size_t percent : {25U, 60U}) {
        wait_for_requests(all.count * percent / 100);
        redis.kill();
        redis.restart();
    }
    expect_everybody_accepted(wait_for_result(event), all);
    EXPECT_EQ(look_at(all).repeats, 0U);
    EXPECT_EQ(stop(only), 0);
}

TEST_F(RedisDeathTest, AnEventPublishedWhileNoEngineRunsOutlivesRedis) {
    crowd all;
    all.count = 2'000;
    register_crowds({all});
    const std::string event = publish_to(all);
    redis.kill();
    redis.restart();
    launch("one");
    const json::object result = wait_for_result(event);
    expect_everybody_accepted(result, all);
    EXPECT_EQ(number(result, "possible_duplicates"), 0);
}

}  // namespace
}  // namespace tocsin
