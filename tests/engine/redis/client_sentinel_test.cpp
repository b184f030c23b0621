#include "tests/engine/redis/client_fixture.hpp"

namespace tocsin::redis {
namespace {

using testing::redis_server;
using testing::redis_server_options;
using namespace std::chrono_literals;

redis_server_options with_a_port(std::vector<std::string> extra = {}) {
    redis_server_options out;
    out.tcp = true;
    out.password = "sesame";
    out.extra = {"--masterauth", "sesame", "--repl-diskless-sync-delay", "0"};
    out.extra.insert(out.extra.end(), extra.begin(), extra.end());
    return out;
}

redis_server_options sentinel_of(const redis_server& master, const std::string& password) {
    redis_server_options out;
    out.tcp = true;
    out.password = password;
    out.config = {
        "sentinel monitor communes 127.0.0.1 " + std::to_string(master.port()) + " 1",
        "sentinel auth-pass communes sesame", "sentinel down-after-milliseconds communes 300",
        "sentinel failover-timeout communes 4000"};
    out.extra = {"--sentinel"};
    return out;
}

/// A master, its replica, and one Sentinel that knows both.
class RedisClientSentinel : public redis_client_test {
protected:
    void SetUp() override {
        wait_for(replica, {"INFO", "replication"}, "master_link_status:up");
        wait_for(sentinel, {"SENTINEL", "master", "communes"}, "num-slaves\n1");
        wait_for(sentinel, {"SENTINEL", "replicas", "communes"}, "master-link-status\nok");
    }

    void wait_for(const redis_server& server, const std::vector<std::string>& what, std::string_view answer) {
        ASSERT_TRUE(poll_until([&] { return server.cli(what).find(answer) != std::string::npos; }))
            << server.cli(what) << server.log();
    }
    /// How many have all that was written over this connection, once one does: a replica that is just
    /// connected gets nothing new for up to a second.
    std::int64_t replicas_that_have_it(client& redis) {
        return ask(redis, command("WAIT", 1, 10'000)).value().front().integer().value_or(0);
    }
    [[nodiscard]] std::string url() const {
        // Somebody who does not answer comes first, for there is more than one Sentinel in real life.
        return "redis+sentinel://:sesame@127.0.0.1:1,127.0.0.1:" + std::to_string(sentinel.port()) +
               "/communes/2?sentinel_password=guard";
    }

    redis_server master{with_a_port()};
    redis_server replica{with_a_port({"--replicaof", "127.0.0.1", std::to_string(master.port())})};
    redis_server sentinel{sentinel_of(master, "guard")};
};

TEST_F(RedisClientSentinel, FindsTheMasterAndItsDatabase) {
    const auto redis = connect(url());
    EXPECT_FALSE(redis->is_cluster());
    EXPECT_EQ(text(*redis, command("SET", "k", "v")), "OK");
    EXPECT_NE(master.cli({"INFO", "keyspace"}).find("db2:keys=1"), std::string::npos);
    EXPECT_NE(log.details.find(std::to_string(master.port())), std::string::npos) << log.details;
}

TEST_F(RedisClientSentinel, FollowsTheReplicaThatTakesOverFromADeadMaster) {
    const auto redis = connect(url());
    ASSERT_EQ(text(*redis, command("SET", "k", "kept")), "OK");
    ASSERT_EQ(replicas_that_have_it(*redis), 1);
    const auto in_flight = start(*redis, command("BLPOP", "nothing", 0));
    run_until_blocked(master);
    master.kill();
    EXPECT_EQ(wait(in_flight).error(), redis_errc::connection_lost);
    EXPECT_EQ(text(*redis, command("GET", "k")), "kept");
    EXPECT_EQ(text(*redis, command("SET", "k", "new")), "OK");
    EXPECT_NE(log.details.find(std::to_string(replica.port())), std::string::npos) << log.details;
}

TEST_F(RedisClientSentinel, FollowsAFailoverThatAnOperatorAskedFor) {
    const auto redis = connect(url());
    ASSERT_EQ(text(*redis, command("SET", "k", "1")), "OK");
    ASSERT_EQ(replicas_that_have_it(*redis), 1);
    sentinel.cli({"SENTINEL", "FAILOVER", "communes"});
    wait_for(sentinel, {"SENTINEL", "get-master-addr-by-name", "communes"}, std::to_string(replica.port()));
    wait_for(replica, {"ROLE"}, "master");
    // What the Sentinel does itself, some ten seconds later.
    master.cli({"REPLICAOF", "127.0.0.1", std::to_string(replica.port())});
    // Whatever we were told meanwhile, in the end we write to the new master.
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while (text(*redis, command("INCR", "count")) != "" ||
           log.details.find(std::to_string(replica.port())) == std::string::npos) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log.details;
    }
    EXPECT_EQ(text(*redis, command("GET", "k")), "1");
}

TEST_F(RedisClientSentinel, AMasterThatWasDemotedUnderTheConnectionIsLeft) {
    const auto redis = connect(url());
    ASSERT_EQ(text(*redis, command("SET", "k", "1")), "OK");
    // As after a partition: the connection stays, the role does not.
    replica.cli({"REPLICAOF", "NO", "ONE"});
    master.cli({"REPLICAOF", "127.0.0.1", std::to_string(replica.port())});
    wait_for(sentinel, {"SENTINEL", "master", "communes"}, "communes");
    EXPECT_EQ(ask(*redis, command("SET", "k", "2")).error(), redis_errc::connection_lost);
}

TEST_F(RedisClientSentinel, AReplicaIsNotTakenForTheMaster) {
    const redis_server fooled(sentinel_of(replica, ""));
    client_options options;
    options.reply_timeout = 400ms;
    const auto redis =
        connect("redis+sentinel://:sesame@127.0.0.1:" + std::to_string(fooled.port()) + "/communes", options);
    EXPECT_EQ(ask(*redis, command("PING")).error(), redis_errc::unreachable);
    EXPECT_NE(log.details.find("not a master"), std::string::npos) << log.details;
}

TEST_F(RedisClientSentinel, SaysWhichSentinelRefusedAndWhy) {
    const std::string at = "127.0.0.1:" + std::to_string(sentinel.port());
    const auto locked = connect("redis+sentinel://:sesame@" + at + "/communes");
    EXPECT_EQ(ask(*locked, command("PING")).error(), redis_errc::refused);
    EXPECT_NE(log.details.find("Sentinel " + at + ": NOAUTH"), std::string::npos) << log.details;
    client_options options;
    options.reply_timeout = 300ms;
    const auto unknown = connect("redis+sentinel://" + at + "/villages?sentinel_password=guard", options);
    EXPECT_EQ(ask(*unknown, command("PING")).error(), redis_errc::unreachable);
    EXPECT_NE(log.details.find("knows no master called \"villages\""), std::string::npos) << log.details;
}

}  // namespace
}  // namespace tocsin::redis
