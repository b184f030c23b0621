#include "tools/tocsin/redis_examination.hpp"

#include "tests/support/redis_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

// A Redis that an engine cannot work with, or not for long, is told before an engine tries.

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using severity = redis_finding::severity;

/// All that is found, warnings in brackets.
std::string examine(const testing::redis_server& server, const std::string& url = {}) {
    boost::asio::io_context loop(1);
    const system_time_source time;
    null_logger log;
    redis::client redis(
        loop.get_executor(), redis::parse_address(url.empty() ? server.url() : url).value(), time, log);
    const auto findings = testing::run_to_end(loop, examine_redis(redis, keyspace("tocsin"))).value();
    std::string out;
    for (const redis_finding& one : findings) {
        out += one.how == severity::warning ? "(" + one.problem + ")\n" : one.problem + "\n";
    }
    redis.close();
    return out;
}

testing::redis_server_options durable(std::vector<std::string> extra = {}) {
    testing::redis_server_options out;
    out.append_only = true;
    out.extra = std::move(extra);
    return out;
}

TEST(RedisExamination, FindsNothingInARedisAsTheHowToHasItAndLeavesNothingBehind) {
    const testing::redis_server server(durable());
    EXPECT_EQ(examine(server), "");
    EXPECT_EQ(server.cli({"DBSIZE"}), "0");
}

TEST(RedisExamination, WarnsOfWhatARedisForgets) {
    testing::redis_server_options how;
    how.extra = {"--maxmemory-policy", "allkeys-lru"};
    const testing::redis_server server(how);
    const std::string found = examine(server);
    EXPECT_THAT(found, HasSubstr("(maxmemory-policy is allkeys-lru"));
    EXPECT_THAT(found, HasSubstr("(appendonly is off"));
}

TEST(RedisExamination, SaysWhatRedisDeclines) {
    const testing::redis_server server(durable());
    server.cli({"CONFIG", "SET", "maxmemory", "1"});
    EXPECT_THAT(examine(server), HasSubstr("Redis is full"));
    server.cli({"CONFIG", "SET", "maxmemory", "0"});
    server.cli({"CONFIG", "SET", "min-replicas-to-write", "1"});
    EXPECT_THAT(examine(server), HasSubstr("min-replicas-to-write"));
    server.cli({"CONFIG", "SET", "min-replicas-to-write", "0"});
    EXPECT_EQ(examine(server), "");
}

TEST(RedisExamination, NamesTheCommandsThatTheUserMayNotUse) {
    auto how = durable();
    how.tcp = true;
    how.users = {"half on >secret ~tocsin:* +@all -zadd -xautoclaim", "elsewhere on >secret ~other:* +@all"};
    const testing::redis_server server(how);
    const std::string address = server.url().substr(server.url().find("127."));
    EXPECT_THAT(
        examine(server, "redis://half:secret@" + address), HasSubstr("may not use ZADD XAUTOCLAIM: docs/"));
    EXPECT_THAT(examine(server, "redis://elsewhere:secret@" + address), HasSubstr("a right"));
}

TEST(RedisExamination, NamesKeysThatHoldSomethingElse) {
    const testing::redis_server server(durable());
    server.cli({"SET", "tocsin:running", "x"});
    server.cli({"HSET", "tocsin:events", "f", "v"});
    const std::string found = examine(server);
    EXPECT_THAT(found, HasSubstr("tocsin:running holds a string, where Tocsin keeps a zset"));
    EXPECT_THAT(found, HasSubstr("tocsin:events holds a hash, where Tocsin keeps a stream"));
}

}  // namespace
}  // namespace tocsin::cli
