#include "engine/redis/slot.hpp"

#include "engine/redis/error.hpp"
#include "engine/redis/reply_reader.hpp"
#include "engine/redis/slot_map.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

replies read(std::string_view bytes) {
    reply_reader reader;
    replies out;
    reader.feed(bytes);
    EXPECT_EQ(reader.next(out).value(), reply_reader::progress::complete);
    return out;
}

const endpoint asked{"10.0.0.9", 7000};

TEST(RedisSlot, IsTheCrc16OfTheClusterSpecification) {
    EXPECT_EQ(key_slot("123456789"), 0x31C3);
    EXPECT_EQ(key_slot(""), 0);
    EXPECT_EQ(key_slot("foo"), 12182);
    EXPECT_EQ(key_slot(std::string("\xff\x00\x80", 3)), key_slot(std::string("{\xff\x00\x80}", 5)));
}

TEST(RedisSlot, HashesOnlyWhatStandsInTheFirstBraces) {
    EXPECT_EQ(hash_tag("{user1000}.following"), "user1000");
    EXPECT_EQ(hash_tag("foo{bar}{zap}"), "bar");
    EXPECT_EQ(hash_tag("foo{{bar}}zap"), "{bar");
    EXPECT_EQ(hash_tag("tocsin:{e:crue}:ledger"), "e:crue");
    EXPECT_EQ(key_slot("tocsin:{e:crue}:ledger"), key_slot("tocsin:{e:crue}:shards:mairies/fcm"));
}

TEST(RedisSlot, EmptyOrOpenBracesAreNoTag) {
    EXPECT_EQ(hash_tag("foo{}{bar}"), "foo{}{bar}");
    EXPECT_EQ(hash_tag("foo{bar"), "foo{bar");
    EXPECT_EQ(hash_tag("}foo{"), "}foo{");
}

TEST(RedisSlotMap, KnowsTheMasterOfEachSlot) {
    const replies answer = read(
        "*2\r\n"
        "*4\r\n:0\r\n:99\r\n*3\r\n$8\r\n10.0.0.1\r\n:7001\r\n$1\r\na\r\n"
        "*3\r\n$8\r\n10.0.0.3\r\n:7003\r\n$1\r\nc\r\n"
        "*3\r\n:101\r\n:16383\r\n*4\r\n$8\r\n10.0.0.2\r\n:7002\r\n$1\r\nb\r\n*0\r\n");
    const slot_map map = slot_map::parse(answer.front(), asked).value();
    ASSERT_EQ(map.masters().size(), 2U);
    EXPECT_EQ(map.masters()[map.owner(0).value()], (endpoint{"10.0.0.1", 7001}));
    EXPECT_EQ(map.masters()[map.owner(99).value()], (endpoint{"10.0.0.1", 7001}));
    EXPECT_FALSE(map.owner(100).has_value());
    EXPECT_EQ(map.masters()[map.owner(16383).value()], (endpoint{"10.0.0.2", 7002}));
}

TEST(RedisSlotMap, ANodeThatDoesNotKnowItsAddressIsTheOneThatWasAsked) {
    const replies null = read("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$-1\r\n:7000\r\n$1\r\na\r\n");
    EXPECT_EQ(slot_map::parse(null.front(), asked).value().masters().front(), asked);
    const replies unknown = read("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$1\r\n?\r\n:7000\r\n$1\r\na\r\n");
    EXPECT_EQ(slot_map::parse(unknown.front(), asked).value().masters().front(), asked);
}

TEST(RedisSlotMap, FollowsASlotThatHasMoved) {
    const replies answer = read("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$1\r\nh\r\n:7000\r\n$1\r\na\r\n");
    slot_map map = slot_map::parse(answer.front(), asked).value();
    map.move(5, {"new", 7005});
    EXPECT_EQ(map.masters()[map.owner(5).value()], (endpoint{"new", 7005}));
    EXPECT_EQ(map.masters()[map.owner(6).value()], (endpoint{"h", 7000}));
}

TEST(RedisSlotMap, RefusesWhatIsNoAnswerToClusterSlots) {
    for (const char* bytes :
         {"+OK\r\n", "*1\r\n:1\r\n", "*1\r\n*3\r\n:9\r\n:3\r\n*2\r\n$1\r\nh\r\n:1\r\n",
          "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
          "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:0\r\n",
          "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n"}) {
        const replies answer = read(bytes);
        EXPECT_EQ(slot_map::parse(answer.front(), asked).error(), redis_errc::unexpected_reply) << bytes;
    }
}

TEST(RedisRedirection, ReadsMovedAndAsk) {
    const auto moved = parse_redirection("MOVED 3999 127.0.0.1:6381", asked);
    ASSERT_TRUE(moved.has_value());
    EXPECT_FALSE(moved->ask);
    EXPECT_EQ(moved->slot, 3999);
    EXPECT_EQ(moved->to, (endpoint{"127.0.0.1", 6381}));
    const auto ask = parse_redirection("ASK 1 ::1:6381", asked);
    ASSERT_TRUE(ask.has_value());
    EXPECT_TRUE(ask->ask);
    EXPECT_EQ(ask->to, (endpoint{"::1", 6381}));
    EXPECT_EQ(parse_redirection("MOVED 3999 :6381", asked)->to, (endpoint{"10.0.0.9", 6381}));
}

TEST(RedisRedirection, AnythingElseIsNone) {
    for (const char* text :
         {"ERR MOVED 1 h:1", "MOVED", "MOVED 1", "MOVED x h:1", "MOVED 16384 h:1", "MOVED 1 h:0", "MOVED 1 h",
          "TRYAGAIN Multiple keys request during rehashing of slot"}) {
        EXPECT_FALSE(parse_redirection(text, asked).has_value()) << text;
    }
}

}  // namespace
}  // namespace tocsin::redis
