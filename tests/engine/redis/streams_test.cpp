#include "engine/redis/streams.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/pipeline.hpp"
#include "engine/redis/reply_reader.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

replies answer(std::string_view wire) {
    reply_reader reader;
    replies all;
    reader.feed(wire);
    EXPECT_EQ(reader.next(all).value(), reply_reader::progress::complete);
    return all;
}

std::string words(request command) {
    pipeline line;
    line.push(std::make_shared<operation>(std::move(command)));
    std::string wire;
    line.take_output(wire, 1024);
    // A request has the form of an array reply, so the reader takes it apart.
    const replies parsed = answer(wire);
    std::string out;
    for (std::size_t i = 0; i < parsed.front().size(); ++i) {
        out += (i == 0 ? "" : " ") + std::string(parsed.front()[i].text());
    }
    return out;
}

constexpr std::string_view two_entries =
    "*2\r\n"
    "*2\r\n$3\r\n1-0\r\n*4\r\n$5\r\nevent\r\n$2\r\n{}\r\n$1\r\nn\r\n$1\r\n7\r\n"
    "*2\r\n$3\r\n1-1\r\n*-1\r\n";

void expect_two_entries(const std::vector<stream_entry>& entries) {
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].id, "1-0");
    EXPECT_FALSE(entries[0].deleted);
    EXPECT_EQ(entries[0].field("event"), "{}");
    EXPECT_EQ(entries[0].field("n"), "7");
    EXPECT_EQ(entries[0].field("7"), std::nullopt);
    EXPECT_EQ(entries[1].id, "1-1");
    EXPECT_TRUE(entries[1].deleted);
    EXPECT_EQ(entries[1].field("event"), std::nullopt);
}

TEST(RedisEntryId, ReadsAndWritesBothParts) {
    const auto id = parse_entry_id("1700000000000-18446744073709551615");
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->ms, 1700000000000U);
    EXPECT_EQ(id->to_string(), "1700000000000-18446744073709551615");
}

TEST(RedisEntryId, OrdersByTimeAndThenBySequence) {
    EXPECT_LT(*parse_entry_id("9-5"), *parse_entry_id("10-0"));
    EXPECT_LT(*parse_entry_id("10-9"), *parse_entry_id("10-10"));
    EXPECT_EQ(*parse_entry_id("10-9"), (entry_id{10, 9}));
}

TEST(RedisEntryId, RefusesWhatIsNotAFullId) {
    for (const char* text :
         {"", "-", "1", "1-", "-1", "1-x", "x-1", "1-2-3", "*", "$", "18446744073709551616-0"}) {
        EXPECT_FALSE(parse_entry_id(text).has_value()) << text;
    }
}

TEST(RedisStreams, ReadsEntriesAndDeletedOnes) {
    const replies got = answer(two_entries);
    expect_two_entries(parse_entries(got.front()).value());
}

TEST(RedisStreams, ReadsABatchPerStream) {
    const replies got =
        answer("*2\r\n*2\r\n$1\r\na\r\n" + std::string(two_entries) + "*2\r\n$1\r\nb\r\n*0\r\n");
    const auto batches = parse_batches(got.front()).value();
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].stream, "a");
    expect_two_entries(batches[0].entries);
    EXPECT_EQ(batches[1].stream, "b");
    EXPECT_TRUE(batches[1].entries.empty());
}

TEST(RedisStreams, NothingInTimeIsNoBatches) {
    const replies got = answer("*-1\r\n");
    EXPECT_TRUE(parse_batches(got.front()).value().empty());
}

TEST(RedisStreams, ReadsClaimedEntriesOfBothVersions) {
    const replies seven = answer("*3\r\n$3\r\n0-0\r\n" + std::string(two_entries) + "*1\r\n$3\r\n9-9\r\n");
    const auto claimed = parse_claimed(seven.front()).value();
    EXPECT_EQ(claimed.next, "0-0");
    expect_two_entries(claimed.entries);
    EXPECT_EQ(claimed.deleted, std::vector<std::string>{"9-9"});

    const replies six = answer("*2\r\n$3\r\n5-0\r\n*1\r\n*-1\r\n");
    const auto older = parse_claimed(six.front()).value();
    EXPECT_EQ(older.next, "5-0");
    EXPECT_TRUE(older.entries.empty());
    EXPECT_TRUE(older.deleted.empty());
}

TEST(RedisStreams, RefusesOtherForms) {
    for (const char* wire :
         {":1\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n$3\r\n1-0\r\n*1\r\n+x\r\n",
          "*1\r\n*2\r\n$3\r\n1-0\r\n:1\r\n"}) {
        const replies got = answer(wire);
        EXPECT_EQ(parse_entries(got.front()).error(), redis_errc::unexpected_reply) << wire;
        EXPECT_EQ(parse_batches(got.front()).error(), redis_errc::unexpected_reply) << wire;
        EXPECT_EQ(parse_claimed(got.front()).error(), redis_errc::unexpected_reply) << wire;
    }
    const replies gone = answer("-NOGROUP no\r\n");
    EXPECT_EQ(parse_entries(gone.front()).error(), redis_errc::declined);
    EXPECT_EQ(parse_batches(gone.front()).error(), redis_errc::declined);
    EXPECT_EQ(parse_claimed(gone.front()).error(), redis_errc::declined);
}

TEST(RedisStreams, BuildsReadsOfAGroup) {
    const std::vector<std::string> streams{"s", "t"};
    group_reader how{"g", "me", 50, std::nullopt};
    EXPECT_EQ(words(read_group(how, streams)), "XREADGROUP GROUP g me COUNT 50 STREAMS s t > >");
    EXPECT_EQ(words(read_group(how, streams, "0")), "XREADGROUP GROUP g me COUNT 50 STREAMS s t 0 0");
    how.block = std::chrono::seconds(2);
    EXPECT_EQ(words(read_group(how, streams)), "XREADGROUP GROUP g me COUNT 50 BLOCK 2000 STREAMS s t > >");
}

TEST(RedisStreams, NeverBlocksForEver) {
    const std::vector<std::string> streams{"s"};
    const group_reader how{"g", "me", 1, std::chrono::milliseconds(0)};
    EXPECT_EQ(words(read_group(how, streams)), "XREADGROUP GROUP g me COUNT 1 BLOCK 1 STREAMS s >");
}

TEST(RedisStreams, BuildsAClaim) {
    const group_reader how{"g", "me", 10, std::nullopt};
    EXPECT_EQ(
        words(claim_idle(how, "s", std::chrono::seconds(60), "5-0")), "XAUTOCLAIM s g me 60000 5-0 COUNT 10");
}

}  // namespace
}  // namespace tocsin::redis
