#include "engine/redis/slot.hpp"
#include "tests/engine/redis/client_fixture.hpp"
#include "tests/support/redis_cluster.hpp"

#include <algorithm>

namespace tocsin::redis {
namespace {

using testing::redis_cluster;
using namespace std::chrono_literals;

class RedisClientCluster : public redis_client_test {
protected:
    /// A key of node `number` in the beginning, with `name` in it.
    static std::string key_of(std::size_t number, const std::string& name = "k") {
        for (int i = 0;; ++i) {
            std::string key = name + std::to_string(i);
            if (redis_cluster::owner(key_slot(key)) == number) {
                return key;
            }
        }
    }
    std::size_t count_event(std::string_view event) const {
        return static_cast<std::size_t>(std::ranges::count(log.events, event));
    }
};

TEST_F(RedisClientCluster, SpreadsTheCommandsOfOneRequestAndAnswersInTheirOrder) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    EXPECT_TRUE(redis->is_cluster());
    request write;
    request read;
    for (int i = 0; i < 300; ++i) {
        write.add("HSET", "h" + std::to_string(i), "number", i, "name", std::string(50, 'x'));
        read.add("HGETALL", "h" + std::to_string(i));
    }
    ASSERT_FALSE(ask(*redis, std::move(write)).value().first_error());
    const auto got = ask(*redis, std::move(read)).value();
    ASSERT_EQ(got.size(), 300U);
    for (std::size_t i = 0; i < 300; ++i) {
        ASSERT_EQ(got[i].size(), 4U) << i;
        EXPECT_EQ(got[i][1].integer(), static_cast<std::int64_t>(i));
    }
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        EXPECT_GT(std::stoi(cluster.node(node).cli({"DBSIZE"})), 50) << node;
    }
    EXPECT_EQ(cluster.errors("MOVED"), 0U);
}

TEST_F(RedisClientCluster, ABigPipelineOfOneSlotComesBackWhole) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url(2));  // One seed is enough.
    request write;
    request read;
    for (int i = 0; i < 64; ++i) {
        write.add(
            "SET", "{roster}:" + std::to_string(i), std::string(20'000, static_cast<char>('a' + i % 26)));
        read.add("GET", "{roster}:" + std::to_string(i));
    }
    ASSERT_FALSE(ask(*redis, std::move(write)).value().first_error());
    const auto got = ask(*redis, std::move(read)).value();
    ASSERT_EQ(got.size(), 64U);
    for (std::size_t i = 0; i < 64; ++i) {
        EXPECT_EQ(got[i].text(), std::string(20'000, static_cast<char>('a' + i % 26)));
    }
}

TEST_F(RedisClientCluster, AScriptRunsInTheSlotOfItsKeys) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    const script add("add", "return redis.call('INCRBY', KEYS[1], ARGV[1])");
    request calls;
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        const std::vector<std::string> keys{key_of(node)};
        const std::vector<std::string> arguments{std::to_string(node + 10)};
        calls.add_script(add, keys, arguments);
    }
    const auto got = ask(*redis, std::move(calls)).value();
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        EXPECT_EQ(got[node].integer(), static_cast<std::int64_t>(node + 10));
        EXPECT_EQ(cluster.node(node).cli({"GET", key_of(node)}), std::to_string(node + 10));
        cluster.node(node).cli({"SCRIPT", "FLUSH"});
    }
    // What a node has forgotten is taught again.
    request again;
    const std::vector<std::string> keys{key_of(1)};
    const std::vector<std::string> one{"1"};
    again.add("PING").add_script(add, keys, one);
    EXPECT_EQ(ask(*redis, std::move(again)).value()[1].integer(), 12);
}

TEST_F(RedisClientCluster, KeylessCommandsReachOneMasterOrAll) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    request what;
    what.add("PING").add("CONFIG", "SET", "hash-max-listpack-entries", 321).add("GET", key_of(2));
    const auto got = ask(*redis, std::move(what)).value();
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0].text(), "PONG");
    EXPECT_EQ(got[1].text(), "OK");
    EXPECT_TRUE(got[2].is_nil());
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        EXPECT_EQ(
            cluster.node(node).cli({"CONFIG", "GET", "hash-max-listpack-entries"}),
            "hash-max-listpack-entries\n321");
    }
    EXPECT_EQ(ask(*redis, command("MULTI")).error(), redis_errc::not_routable);
}

TEST_F(RedisClientCluster, AKeylessCommandBesideAKeyReachesTheNodeOfThatKey) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        request what;
        what.add("SET", key_of(node), "1");
        what.add("ROLE").beside(key_of(node)).add("WAIT", 0, 0).beside(key_of(node));
        what.add("CONFIG", "GET", "port").beside(key_of(node));
        const auto got = ask(*redis, std::move(what)).value();
        ASSERT_EQ(got.size(), 4U);
        EXPECT_EQ(got[1][0].text(), "master");
        EXPECT_EQ(got[2].integer(), 0);
        EXPECT_EQ(got[3][1].text(), std::to_string(cluster.node(node).port()));
    }
}

TEST_F(RedisClientCluster, FollowsASlotThatMigratesWhileItIsInUse) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    const std::string moved = "{town}:moved";
    const std::string stays = "{town}:stays";
    const std::uint16_t slot = key_slot(moved);
    const std::size_t from = redis_cluster::owner(slot);
    const std::size_t to = (from + 1) % redis_cluster::masters;
    const script append("append", "return redis.call('APPEND', KEYS[1], ARGV[1])");
    const auto write = [&] {
        const std::vector<std::string> one{moved};
        const std::vector<std::string> other{stays};
        const std::vector<std::string> arguments{"x"};
        request both;
        both.add_script(append, one, arguments)
            .add("INCR", "{town}:new")
            .add_script(append, other, arguments);
        const auto got = ask(*redis, std::move(both));
        EXPECT_TRUE(got.has_value() && !got->first_error()) << (got.has_value() ? *got->first_error() : "");
        return got.has_value() ? got->front().integer().value_or(0) : 0;
    };
    EXPECT_EQ(write(), 1);
    cluster.begin_migration(slot, from, to);
    cluster.move_key(moved, from, to);
    // One key is there already, one is not, one is still here.
    EXPECT_EQ(write(), 2);
    EXPECT_GT(cluster.errors("ASK"), 0U);
    EXPECT_EQ(cluster.errors("MOVED"), 0U);
    cluster.move_key(stays, from, to);
    cluster.move_key("{town}:new", from, to);
    cluster.end_migration(slot, to);
    EXPECT_EQ(write(), 3);
    EXPECT_GT(cluster.errors("MOVED"), 0U);
    EXPECT_EQ(cluster.node(to).cli({"GET", stays}), "xxx");
    EXPECT_EQ(cluster.node(to).cli({"GET", "{town}:new"}), "3");
    // The lesson was learnt: not one more redirection.
    const std::size_t before = cluster.errors("MOVED");
    EXPECT_EQ(write(), 4);
    EXPECT_EQ(cluster.errors("MOVED"), before);
    EXPECT_EQ(redis->errors(), 0U);
}

TEST_F(RedisClientCluster, AScriptOverKeysThatAreHalfMovedWaitsForTheOtherHalf) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    const std::string one = "{half}:1";
    const std::string two = "{half}:2";
    const std::uint16_t slot = key_slot(one);
    const std::size_t from = redis_cluster::owner(slot);
    const std::size_t to = (from + 1) % redis_cluster::masters;
    ASSERT_EQ(text(*redis, command("MSET", one, "1", two, "2")), "OK");
    cluster.begin_migration(slot, from, to);
    cluster.move_key(one, from, to);
    const auto waits = start(*redis, command("MGET", one, two));
    ASSERT_TRUE(poll_until([&] { return cluster.errors("TRYAGAIN") >= 2; }));
    EXPECT_FALSE(waits->answer.has_value());
    cluster.move_key(two, from, to);
    cluster.end_migration(slot, to);
    const auto got = wait(waits).value();
    ASSERT_EQ(got.front().size(), 2U);
    EXPECT_EQ(got.front()[1].text(), "2");
}

TEST_F(RedisClientCluster, ABlockedReaderFollowsItsStreamToAnotherNode) {
    const redis_cluster cluster;
    const auto reader = connect(cluster.url());
    const auto writer = connect(cluster.url());
    const std::uint16_t slot = key_slot("s");
    const std::size_t from = redis_cluster::owner(slot);
    const std::size_t to = (from + 1) % redis_cluster::masters;
    ASSERT_EQ(text(*writer, command("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")), "OK");
    request read = command("XREADGROUP", "GROUP", "g", "c", "BLOCK", 20'000, "STREAMS", "s", ">");
    read.expect_delay(20s);
    const auto blocked = start(*reader, std::move(read));
    run_until_blocked(cluster.node(from));
    cluster.begin_migration(slot, from, to);
    cluster.move_key("s", from, to);
    cluster.end_migration(slot, to);
    EXPECT_FALSE(ask(*writer, command("XADD", "s", "*", "event", "e")).value().first_error());
    const auto got = wait(blocked).value();
    ASSERT_TRUE(got.front().is_array()) << got.front().text();
    EXPECT_EQ(got.front()[0][0].text(), "s");
}

TEST_F(RedisClientCluster, FollowsTheReplicaThatTakesOverFromADeadMaster) {
    redis_cluster cluster(1);
    const auto redis = connect(cluster.url());
    const std::string key = key_of(0);
    ASSERT_EQ(text(*redis, command("SET", key, "kept")), "OK");
    const auto& replica = cluster.node(redis_cluster::masters);
    ASSERT_TRUE(poll_until([&] { return replica.cli({"DBSIZE"}) == "1"; }));
    const auto in_flight = start(*redis, command("BLPOP", key_of(0, "list"), 0));
    run_until_blocked(cluster.node(0));
    cluster.node(0).kill();
    EXPECT_EQ(wait(in_flight).error(), redis_errc::connection_lost);
    // Other slots do not suffer.
    const auto waits = start(*redis, command("GET", key));
    EXPECT_FALSE(ask(*redis, command("GET", key_of(1))).value().first_error());
    EXPECT_FALSE(waits->answer.has_value());
    // Both are of one request: it waits as a whole, and runs as a whole.
    request both;
    both.add("GET", key_of(2)).add("GET", key);
    const auto mixed = start(*redis, std::move(both));
    ASSERT_TRUE(run_until([&] { return redis->errors() >= 2; }));
    // At once, where the nodes would first have to agree that the master is dead.
    replica.cli({"CLUSTER", "FAILOVER", "TAKEOVER"});
    EXPECT_EQ(wait(waits).value().front().text(), "kept");
    EXPECT_EQ(wait(mixed).value()[1].text(), "kept");
}

TEST_F(RedisClientCluster, WithoutTheMasterOfASlotARequestFailsInItsTime) {
    redis_cluster cluster;
    client_options options;
    options.reply_timeout = 600ms;
    const auto redis = connect(cluster.url(), options);
    ASSERT_EQ(text(*redis, command("SET", key_of(0), "v")), "OK");
    cluster.node(0).kill();
    ASSERT_TRUE(run_until([&] { return redis->errors() > 0; }));
    EXPECT_EQ(ask(*redis, command("GET", key_of(0))).error(), redis_errc::unreachable);
    // What was done for another slot cannot be undone by saying that nothing ran.
    request both;
    both.add("INCR", key_of(1)).add("INCR", key_of(0));
    EXPECT_EQ(ask(*redis, std::move(both)).error(), redis_errc::connection_lost);
}

TEST_F(RedisClientCluster, FindsTheClusterAgainAfterAllOfItWasAway) {
    testing::redis_server_options durable;
    durable.append_only = true;
    redis_cluster cluster(0, durable);
    const auto redis = connect(cluster.url());
    ASSERT_EQ(text(*redis, command("SET", "k", "v")), "OK");
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        cluster.node(node).kill();
    }
    const auto patient = start(*redis, command("GET", "k"));
    ASSERT_TRUE(run_until([&] { return redis->errors() >= 3; }));
    EXPECT_FALSE(patient->answer.has_value());
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        cluster.node(node).restart();
    }
    EXPECT_EQ(wait(patient).value().front().text(), "v");
}

TEST_F(RedisClientCluster, SpeaksTlsToEveryNodeWithItsPassword) {
    testing::redis_server_options options;
    options.tls = true;
    options.password = "sesame";
    const redis_cluster cluster(0, options);
    const auto redis = connect(cluster.url(), {}, cluster.node(0).ca_file());
    for (std::size_t node = 0; node < redis_cluster::masters; ++node) {
        EXPECT_EQ(text(*redis, command("SET", key_of(node), "v")), "OK");
    }
}

TEST_F(RedisClientCluster, AServerThatIsNoClusterIsARefusal) {
    testing::redis_server_options options;
    options.tcp = true;
    const testing::redis_server server(options);
    const auto redis = connect("redis+cluster://127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("cluster support disabled"), std::string::npos) << log.details;
    EXPECT_EQ(count_event("redis.cluster_not_found"), 1U);
}

TEST_F(RedisClientCluster, WithoutAnyNodeARequestFailsInItsTime) {
    client_options options;
    options.reply_timeout = 200ms;
    const auto redis = connect("redis+cluster://127.0.0.1:1,127.0.0.1:2", options);
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::unreachable);
    EXPECT_EQ(count_event("redis.cluster_not_found"), 1U);
    EXPECT_FALSE(redis->connected());
}

TEST_F(RedisClientCluster, CancellingAndClosingEndWhatWaits) {
    const redis_cluster cluster;
    const auto redis = connect(cluster.url());
    const auto cancelled = start(*redis, command("BLPOP", key_of(0), 0));
    run_until_blocked(cluster.node(0));
    cancelled->cancel.emit(boost::asio::cancellation_type::terminal);
    EXPECT_EQ(wait(cancelled).error(), boost::asio::error::operation_aborted);
    const auto lost = start(*redis, command("BLPOP", key_of(1), 0));
    run_until_blocked(cluster.node(1));
    redis->close();
    EXPECT_EQ(wait(lost).error(), redis_errc::connection_lost);
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::closed);
    loop.restart();
    loop.run_for(10s);
    EXPECT_TRUE(loop.stopped());
}

}  // namespace
}  // namespace tocsin::redis
