#include "engine/redis/error_replies.hpp"

#include "engine/redis/reply_reader.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

TEST(ErrorReplies, EveryClassIsKnownByItsWordAlsoInAScript) {
    const std::vector<std::pair<std::string, std::string>> said{
        {"OOM command not allowed when used memory > 'maxmemory'.", "OOM"},
        {"ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed", "OOM"},
        {"OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:1.", "OOM"},
        {"MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.", "MISCONF"},
        {"BUSY Redis is busy running a script.", "BUSY"},
        {"READONLY You can't write against a read only replica.", "READONLY"},
        {"ERR Error running script: -READONLY You can't write against a read only replica.", "READONLY"},
        {"NOPERM this user has no permissions to run the 'xadd' command", "NOPERM"},
        {"WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE"},
        {"NOGROUP No such key 'tocsin:events' or consumer group 'tocsin'", "NOGROUP"},
        {"LOADING Redis is loading the dataset in memory", "LOADING"},
        {"MASTERDOWN Link with MASTER is down", "MASTERDOWN"},
        {"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"},
        {"CLUSTERDOWN The cluster is down", "CLUSTERDOWN"},
        {"MOVED 3999 127.0.0.1:6381", "MOVED"},
        {"ASK 3999 127.0.0.1:6381", "ASK"},
        {"CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT"},
        {"ERR Script attempted to access a non local key in a cluster node", "CROSSSLOT"},
        {"UNBLOCKED the stream key no longer exists", "UNBLOCKED"},
        {"IOERR error or timeout writing to target instance", "IOERR"},
        {"NEWCLASS of a Redis to come", "NEWCLASS"},
        {"ERR unknown command 'hvals'", "ERR"},
        {"Err something", "ERR"},
        {"something that mentions BUSYNESS", "ERR"},
        {"", "ERR"}};
    for (const auto& [text, kind] : said) {
        EXPECT_EQ(error_class(text), kind) << text;
        EXPECT_FALSE(advice_for(error_class(text)).empty()) << text;
    }
}

TEST(ErrorReplies, EveryErrorThatReachesTheCallerCountsButForThoseOfANormalLife) {
    const auto noted = [](const std::string& text) {
        reply_reader reader;
        replies all;
        reader.feed("-" + text + "\r\n");
        EXPECT_TRUE(reader.next(all).has_value());
        error_replies errors;
        errors.note(all, time_point{});
        return errors.count();
    };
    for (const std::string text :
         {"MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381", "CROSSSLOT Keys", "UNBLOCKED the stream",
          "OOM command", "ERR unknown command", "NEWCLASS"}) {
        EXPECT_EQ(noted(text), 1U) << text;
    }
    for (const std::string text :
         {"NOSCRIPT No matching script", "BUSYGROUP Consumer Group name already exists", "ERR no such key"}) {
        EXPECT_EQ(noted(text), 0U) << text;
    }
}

}  // namespace
}  // namespace tocsin::redis
