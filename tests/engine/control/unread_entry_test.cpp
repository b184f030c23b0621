#include "engine/control/unread_entry.hpp"

#include "tests/support/redis_fixture.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

class UnreadEntryTest : public testing::redis_fixture {
protected:
    /// An entry with this document; its id.
    std::string add(const std::string& document) {
        return server.cli({"XADD", keys.events(), "*", "event", document});
    }
    void add_others(int count) {
        server.cli(
            {"EVAL",
             "for n = 1, tonumber(ARGV[1]) do "
             "redis.call('XADD', KEYS[1], '*', 'event', '{\"id\":\"other-' .. n .. '\"}') end",
             "1", keys.events(), std::to_string(count)});
    }
    void make_group() { server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0", "MKSTREAM"}); }
    void read(int count) {
        server.cli(
            {"XREADGROUP", "GROUP", "tocsin", "a", "COUNT", std::to_string(count), "STREAMS", keys.events(),
             ">"});
    }
    void acknowledge(const std::string& entry) { server.cli({"XACK", keys.events(), "tocsin", entry}); }
    bool there(const std::string& event) {
        return run(stands_unread(redis, keys, event)).value() == unread_entry::there;
    }
};

TEST_F(UnreadEntryTest, WithoutAStreamOrAGroupNothingWasRead) {
    EXPECT_FALSE(there("crue"));
    add(R"({"id":"crue"})");
    EXPECT_TRUE(there("crue"));
    EXPECT_FALSE(there("cru"));
}

TEST_F(UnreadEntryTest, ItStandsThereUntilItIsAcknowledged) {
    make_group();
    const std::string entry = add(R"({"id":"crue"})");
    EXPECT_TRUE(there("crue")) << "unread";
    read(1);
    EXPECT_TRUE(there("crue")) << "read, and in some engine's hands";
    acknowledge(entry);
    EXPECT_FALSE(there("crue"));
}

TEST_F(UnreadEntryTest, IsFoundBehindMoreThanOneReadHolds) {
    make_group();
    add_others(100);
    const std::string pending = add(R"({"id":"pending"})");
    read(101);
    add_others(100);
    add(R"({"id":"unread"})");
    EXPECT_TRUE(there("pending"));
    EXPECT_TRUE(there("unread"));
    EXPECT_TRUE(there("other-100"));
    EXPECT_FALSE(there("other-101"));
    acknowledge(pending);
    EXPECT_FALSE(there("pending"));
}

TEST_F(UnreadEntryTest, AnEventWithoutAnIdHasThatOfItsEntryAndOneWithAnIdHasNot) {
    const std::string nameless = add(R"({"data":{"id":"inner"}})");
    const std::string named = add(R"({"id":"crue","data":{"a":"inner"}})");
    const std::string broken = add("{");
    const std::string odd = add(R"({"id":7})");
    EXPECT_TRUE(there(nameless));
    EXPECT_FALSE(there(named));
    EXPECT_TRUE(there(broken)) << "it will be a dead letter of that name";
    EXPECT_FALSE(there(odd));
    EXPECT_FALSE(there("inner")) << "a word in it is no id";
    EXPECT_FALSE(there("7"));
}

TEST_F(UnreadEntryTest, WhatIsNoStreamIsAnError) {
    server.cli({"SET", keys.events(), "no stream"});
    EXPECT_TRUE(run(stands_unread(redis, keys, "crue")).has_error());
}

}  // namespace
}  // namespace tocsin
