#include "engine/redis/command_route.hpp"

#include "engine/redis/command_list.hpp"
#include "engine/redis/reply_merger.hpp"
#include "engine/redis/reply_reader.hpp"
#include "engine/redis/streams.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

using destination = command_route::destination;

struct routed {
    destination to;
    std::string key;
};

/// The one command of a request.
routed route(request what) {
    command_list list(std::move(what));
    EXPECT_EQ(list.size(), 1U);
    const command_route found = route_command(list.words(0));
    return {found.to, std::string(found.key)};
}

template <class... Words>
routed route_of(const Words&... words) {
    request one;
    one.add(words...);
    return route(std::move(one));
}

TEST(RedisCommandRoute, MostCommandsHaveTheirKeyAfterTheirName) {
    EXPECT_EQ(route_of("HGETALL", "k").key, "k");
    EXPECT_EQ(route_of("XADD", "s", "MAXLEN", "~", 5, "*", "f", "v").key, "s");
    EXPECT_EQ(route_of("SETBIT", "bits", 7, 1).key, "bits");
    EXPECT_EQ(route_of("NOT.KNOWN.TO.US.AT.ALL", "k").key, "k");
    EXPECT_EQ(route_of("XAUTOCLAIM", "s", "g", "c", 1, "0-0").key, "s");
}

TEST(RedisCommandRoute, FindsTheKeysOfScripts) {
    const script one("one", "return 1");
    const std::vector<std::string> keys{"first", "second"};
    const std::vector<std::string> arguments{"a"};
    request eval;
    eval.add_script(one, keys, arguments);
    EXPECT_EQ(route(std::move(eval)).key, "first");
    request keyless;
    keyless.add_script(one, {}, arguments);
    EXPECT_EQ(route(std::move(keyless)).to, destination::any_master);
    EXPECT_EQ(route_of("EVAL", "return 1", "1", "k").key, "k");
    EXPECT_EQ(route_of("SINTERCARD", "2", "a", "b").key, "a");
    EXPECT_EQ(route_of("zunion", "2", "a", "b").key, "a");
}

TEST(RedisCommandRoute, FindsTheStreamOfARead) {
    const group_reader how{"streams", "group", 10, std::chrono::milliseconds(5)};
    const std::array<std::string, 1> streams{"tocsin:events"};
    EXPECT_EQ(route(read_group(how, streams)).key, "tocsin:events");
    EXPECT_EQ(route_of("XREAD", "COUNT", 1, "streams", "s", "0").key, "s");
    EXPECT_EQ(route_of("XINFO", "GROUPS", "s").key, "s");
    EXPECT_EQ(route_of("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM").key, "s");
    EXPECT_EQ(route_of("MEMORY", "USAGE", "k").key, "k");
}

TEST(RedisCommandRoute, KeylessCommandsGoToOneMasterOrToAll) {
    EXPECT_EQ(route_of("ping").to, destination::any_master);
    EXPECT_EQ(route_of("INFO", "memory").to, destination::any_master);
    EXPECT_EQ(route_of("CONFIG", "GET", "maxmemory").to, destination::any_master);
    EXPECT_EQ(route_of("CONFIG", "set", "maxmemory", 0).to, destination::every_master);
    EXPECT_EQ(route_of("SCRIPT", "FLUSH").to, destination::every_master);
    EXPECT_EQ(route_of("FLUSHALL").to, destination::every_master);
}

TEST(RedisCommandRoute, CommandsAboutAConnectionOrAllKeysGoNowhere) {
    for (const char* name : {"MULTI", "EXEC", "WATCH", "SELECT", "SUBSCRIBE", "SCAN", "KEYS"}) {
        EXPECT_EQ(route_of(name, "0").to, destination::nowhere) << name;
    }
}

TEST(RedisCommandList, TakesARequestApartAndPutsItTogetherAgain) {
    const script one("one", "return 1");
    const std::vector<std::string> keys{std::string("k\r\n\0$3", 6)};
    request what;
    what.add("SET", "a", "").add_script(one, keys, {}).add("GET", std::string(1000, 'x'));
    const std::size_t bytes = what.size_bytes();
    command_list list(std::move(what));
    ASSERT_EQ(list.size(), 3U);
    EXPECT_EQ(list.words(0)[2], "");
    EXPECT_EQ(list.words(1)[3], keys.front());
    EXPECT_EQ(list.words(2)[1].size(), 1000U);
    request again;
    for (std::size_t i = 0; i < list.size(); ++i) {
        list.append_to(again, i);
    }
    EXPECT_EQ(again.count(), 3U);
    EXPECT_EQ(again.size_bytes(), bytes);
}

TEST(RedisReplyMerger, PutsTheRepliesOfSeveralNodesInTheOrderAsked) {
    const auto read = [](std::string_view bytes) {
        reply_reader reader;
        replies out;
        reader.feed(bytes);
        while (reader.next(out).value() == reply_reader::progress::complete) {
        }
        return out;
    };
    replies small = read("$1\r\na\r\n*2\r\n:1\r\n*1\r\n$4\r\ndeep\r\n");
    replies large = read("*2\r\n$5\r\nlarge\r\n$10\r\n0123456789\r\n-ERR no\r\n$-1\r\n");
    const std::array<replies*, 2> parts{&small, &large};
    const std::array<reply_merger::source, 5> order{{{1, 2}, {0, 1}, {1, 0}, {0, 0}, {1, 1}}};
    const replies merged = reply_merger::merge(parts, order);
    ASSERT_EQ(merged.size(), 5U);
    EXPECT_TRUE(merged[0].is_nil());
    EXPECT_EQ(merged[1][0].integer(), 1);
    EXPECT_EQ(merged[1][1][0].text(), "deep");
    EXPECT_EQ(merged[2][1].text(), "0123456789");
    EXPECT_EQ(merged[3].text(), "a");
    EXPECT_EQ(merged.first_error(), "ERR no");
}

}  // namespace
}  // namespace tocsin::redis
