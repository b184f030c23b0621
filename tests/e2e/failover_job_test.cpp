#include "tests/e2e/engine_fixture.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <poll.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using testing::expect_sums_agree;
using testing::fcm_token;
using testing::number;
using testing::redis_server;
using testing::redis_server_options;
using testing::registration_line;

/// The main job on a master that a Sentinel watches, with one replica.
class FailoverJobTest : public testing::engine_fixture {
protected:
    FailoverJobTest() : replica(follower()), sentinel(watcher()) {
        options.redis_url = "redis+sentinel://127.0.0.1:" + std::to_string(sentinel.port()) + "/communes";
        wait_until(sentinel, {"SENTINEL", "master", "communes"}, "num-slaves\n1");
        wait_until(sentinel, {"SENTINEL", "replicas", "communes"}, "master-link-status\nok");
    }

    std::string ask_redis(const std::vector<std::string>& command) override { return master->cli(command); }

    redis_server_options follower() {
        redis.cli({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
        redis_server_options out;
        out.tcp = true;
        out.extra = {"--replicaof", "127.0.0.1", std::to_string(redis.port())};
        return out;
    }
    redis_server_options watcher() const {
        redis_server_options out;
        out.tcp = true;
        out.config = {
            "sentinel monitor communes 127.0.0.1 " + std::to_string(redis.port()) + " 1",
            "sentinel down-after-milliseconds communes 300", "sentinel failover-timeout communes 4000"};
        out.extra = {"--sentinel"};
        return out;
    }
    static void wait_until(
        const redis_server& server, const std::vector<std::string>& what, const std::string& answer) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        const auto says_so = [&] {
            try {
                return server.cli(what).find(answer) != std::string::npos;
            } catch (const std::runtime_error&) {
                return false;  // A server that changes its role hangs up on its clients.
            }
        };
        while (!says_so()) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error(what.front() + " does not say " + answer + "\n" + server.log());
            }
            poll(nullptr, 0, 5);
        }
    }
    static std::uint64_t offset(const redis_server& server) {
        const std::string name = "master_repl_offset:";
        const std::string info = server.cli({"INFO", "replication"});
        return std::stoull(info.substr(info.find(name) + name.size()));
    }
    void wait_until_replicated() const {
        const std::uint64_t wanted = offset(redis);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (offset(replica) < wanted) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            poll(nullptr, 0, 5);
        }
    }

    redis_server replica;
    redis_server sentinel;
    const redis_server* master = &redis;
};

TEST_F(FailoverJobTest, TheEngineGoesOnWithTheReplicaThatTookOver) {
    start_engine();
    constexpr std::size_t devices = 200;
    std::string lines;
    for (std::size_t n = 0; n < devices; ++n) {
        lines += registration_line("mairies", "fcm", fcm_token(n), {"commune:21231"});
    }
    import(lines);
    const std::string event = R"({"audience":["commune:21231"],"notification":{"title":"Test"}})";
    EXPECT_EQ(number(wait_for_result(publish(event)), "accepted"), devices);

    wait_until_replicated();
    redis.kill();
    wait_until(replica, {"ROLE"}, "master");
    master = &replica;
    const json::object result = wait_for_result(publish(event));
    expect_sums_agree(result);
    EXPECT_EQ(number(result, "accepted"), devices);
    EXPECT_EQ(tocsin({"devices", "count"}).exit_code, 0);
    EXPECT_EQ(stop_engine(), 0);
}

}  // namespace
}  // namespace tocsin
