#include "engine/redis/request.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/pipeline.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

/// What the commands look like on the wire.
std::string wire_form(request commands) {
    pipeline line;
    line.push(std::make_shared<operation>(std::move(commands)));
    std::string out;
    line.take_output(out, 1024);
    return out;
}

TEST(RedisRequest, WritesCommandsAsArraysOfBulkStrings) {
    request commands;
    commands.add("SET", "key", "value").add("PING");
    EXPECT_EQ(commands.count(), 2U);
    EXPECT_EQ(
        wire_form(std::move(commands)),
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\n");
}

TEST(RedisRequest, MixesStringsAndIntegers) {
    request commands;
    commands.add("X", -7, std::numeric_limits<std::uint64_t>::max(), std::string("s"));
    EXPECT_EQ(
        wire_form(std::move(commands)),
        "*4\r\n$1\r\nX\r\n$2\r\n-7\r\n$20\r\n18446744073709551615\r\n$1\r\ns\r\n");
}

TEST(RedisRequest, KeepsAnyByte) {
    const std::string raw("\0\r\n$\xff", 5);
    request commands;
    commands.add("SET", "", raw);
    EXPECT_EQ(wire_form(std::move(commands)), "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\n" + raw + "\r\n");
}

TEST(RedisRequest, BuildsACommandOfUnknownLength) {
    const std::vector<std::string> keys{"a", "b"};
    request commands;
    commands.begin(1 + keys.size()).append("DEL");
    for (const std::string& key : keys) {
        commands.append(key);
    }
    EXPECT_EQ(commands.count(), 1U);
    EXPECT_EQ(wire_form(std::move(commands)), "*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST(RedisScript, IsNamedByTheSha1OfItsSource) {
    const script one("one", "return 1");
    EXPECT_EQ(one.sha(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST(RedisScript, IsTaughtBeforeItsFirstCall) {
    const script one("one", "return 1");
    const std::vector<std::string> keys{"k"};
    const std::vector<std::string> arguments{"a"};
    request commands;
    commands.add_script(one, keys, arguments);
    EXPECT_EQ(
        wire_form(std::move(commands)),
        "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n"
        "*5\r\n$7\r\nEVALSHA\r\n$40\r\n" +
            one.sha() + "\r\n$1\r\n1\r\n$1\r\nk\r\n$1\r\na\r\n");
}

TEST(RedisError, EveryCodeHasASentenceOfItsOwn) {
    std::vector<std::string> sentences;
    for (int code = 1; code <= static_cast<int>(redis_errc::damaged); ++code) {
        sentences.push_back(redis_category().message(code));
        EXPECT_NE(sentences.back(), redis_category().message(0)) << code;
    }
    std::sort(sentences.begin(), sentences.end());
    EXPECT_EQ(std::adjacent_find(sentences.begin(), sentences.end()), sentences.end());
}

}  // namespace
}  // namespace tocsin::redis
