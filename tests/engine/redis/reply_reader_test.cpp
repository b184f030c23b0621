#include "engine/redis/reply_reader.hpp"

#include "engine/redis/error.hpp"

#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

using progress = reply_reader::progress;

/// Reads all of `bytes`, `step` bytes at a time, and drains after each.
result<replies> read_all(std::string_view bytes, std::size_t step = reply_reader::chunk_size) {
    reply_reader reader;
    replies all;
    while (!bytes.empty()) {
        reader.feed(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            const auto done = reader.next(all);
            if (done.has_error()) {
                return done.error();
            }
            if (*done == progress::more_bytes) {
                break;
            }
        }
    }
    EXPECT_TRUE(reader.idle());
    return all;
}

constexpr std::string_view every_kind =
    "+OK\r\n"
    "-ERR no such thing\r\n"
    ":-42\r\n"
    "$5\r\nhello\r\n"
    "$0\r\n\r\n"
    "$-1\r\n"
    "*-1\r\n"
    "*0\r\n"
    "*3\r\n*2\r\n$1\r\na\r\n:1\r\n$-1\r\n*1\r\n*1\r\n+deep\r\n";

void expect_every_kind(const replies& got) {
    ASSERT_EQ(got.size(), 9U);
    EXPECT_EQ(got[0].type(), reply_type::status);
    EXPECT_EQ(got[0].text(), "OK");
    EXPECT_TRUE(got[1].is_error());
    EXPECT_EQ(got[1].text(), "ERR no such thing");
    EXPECT_EQ(got[2].integer(), -42);
    EXPECT_EQ(got[3].text(), "hello");
    EXPECT_EQ(got[4].type(), reply_type::string);
    EXPECT_EQ(got[4].text(), "");
    EXPECT_TRUE(got[5].is_nil());
    EXPECT_TRUE(got[6].is_nil());
    EXPECT_TRUE(got[7].is_array());
    EXPECT_EQ(got[7].size(), 0U);
    const reply nested = got[8];
    ASSERT_EQ(nested.size(), 3U);
    EXPECT_EQ(nested[0][0].text(), "a");
    EXPECT_EQ(nested[0][1].integer(), 1);
    EXPECT_TRUE(nested[1].is_nil());
    EXPECT_EQ(nested[2][0][0].text(), "deep");
    EXPECT_EQ(got.first_error(), "ERR no such thing");
}

TEST(RedisReplyReader, ReadsEveryKindOfReply) {
    expect_every_kind(read_all(every_kind).value());
}

TEST(RedisReplyReader, ReadsBytesThatComeOneAtATime) {
    expect_every_kind(read_all(every_kind, 1).value());
}

TEST(RedisReplyReader, AReplyCutAnywhereReadsTheSame) {
    for (std::size_t step = 2; step < every_kind.size(); ++step) {
        expect_every_kind(read_all(every_kind, step).value());
    }
}

TEST(RedisReplyReader, ViewsTakenAfterAMoveAreGood) {
    replies first = read_all(every_kind).value();
    const replies second = std::move(first);
    expect_every_kind(second);
}

TEST(RedisReplyReader, KeepsAnyByte) {
    const std::string raw("\0\r\n*\xff", 5);
    const replies got = read_all("$5\r\n" + raw + "\r\n").value();
    EXPECT_EQ(got.front().text(), raw);
}

TEST(RedisReplyReader, ReadsAValueOfManyMegabytes) {
    const std::string big(std::size_t{5} * 1024 * 1024, 'x');
    const replies got = read_all('$' + std::to_string(big.size()) + "\r\n" + big + "\r\n").value();
    EXPECT_EQ(got.front().text(), big);
}

TEST(RedisReplyReader, ReadsAnArrayOfAHundredThousand) {
    constexpr std::size_t count = 100'000;
    std::string wire = '*' + std::to_string(count) + "\r\n";
    for (std::size_t i = 0; i < count; ++i) {
        wire += ':' + std::to_string(i) + "\r\n";
    }
    const replies got = read_all(wire).value();
    ASSERT_EQ(got.front().size(), count);
    EXPECT_EQ(got.front()[0].integer(), 0);
    EXPECT_EQ(got.front()[count - 1].integer(), count - 1);
}

std::string nested(std::size_t depth) {
    std::string wire;
    for (std::size_t i = 0; i < depth; ++i) {
        wire += "*1\r\n";
    }
    return wire + ":7\r\n";
}

TEST(RedisReplyReader, ReadsArraysSevenDeepAndRefusesMore) {
    const replies got = read_all(nested(7)).value();
    reply inner = got.front();
    while (inner.is_array()) {
        inner = inner[0];
    }
    EXPECT_EQ(inner.integer(), 7);
    EXPECT_EQ(read_all(nested(9)).error(), redis_errc::protocol);
}

TEST(RedisReplyReader, RefusesWhatIsNotResp2) {
    EXPECT_EQ(read_all("HTTP/1.1 400 Bad Request\r\n").error(), redis_errc::protocol);
    EXPECT_EQ(read_all("%1\r\n+a\r\n+b\r\n").error(), redis_errc::protocol);
    EXPECT_EQ(read_all(":12x\r\n").error(), redis_errc::protocol);
    EXPECT_EQ(read_all("\x15\x03\x01").error(), redis_errc::protocol);
}

TEST(RedisReplyReader, RefusesAnArrayLargerThanMemoryIsWorth) {
    EXPECT_EQ(read_all("*2000000000\r\n").error(), redis_errc::protocol);
}

TEST(RedisReplyReader, IsAsNewAfterAReset) {
    reply_reader reader;
    replies none;
    reader.feed("*2\r\n:1\r\n");
    EXPECT_EQ(reader.next(none).value(), progress::more_bytes);
    EXPECT_FALSE(reader.idle());
    reader.reset();
    EXPECT_TRUE(reader.idle());
    replies fresh;
    reader.feed("+OK\r\n");
    EXPECT_EQ(reader.next(fresh).value(), progress::complete);
    EXPECT_EQ(fresh.front().text(), "OK");
}

TEST(RedisReply, AStringThatIsANumberReadsAsOne) {
    const replies got = read_all("$2\r\n17\r\n$3\r\n17x\r\n+17\r\n$0\r\n\r\n").value();
    EXPECT_EQ(got[0].integer(), 17);
    EXPECT_EQ(got[1].integer(), std::nullopt);
    EXPECT_EQ(got[2].integer(), std::nullopt);
    EXPECT_EQ(got[3].integer(), std::nullopt);
}

}  // namespace
}  // namespace tocsin::redis
