#include "engine/intake/intake_stream.hpp"

#include "engine/redis/error.hpp"
#include "tests/engine/intake/scripted_handler.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class IntakeStreamTest : public testing::redis_fixture {
protected:
    IntakeStreamTest() {
        auto made = std::make_unique<testing::scripted_handler>(redis, keys);
        handler = made.get();
        how.instance = "one";
        stream.emplace(reader, std::move(made), keys, how, letters, time, log);
    }
    ~IntakeStreamTest() override {
        stream->stop();
        reader.close();
        loop.restart();
        loop.run_for(50ms);
    }
    void publish(const std::string& word) { server.cli({"XADD", keys.receipts(), "*", "receipt", word}); }
    void start() { boost::asio::co_spawn(loop, stream->run(), boost::asio::detached); }
    std::int64_t letters_posted() {
        redis::request ask;
        ask.add("XLEN", keys.dead_letters());
        return run(redis.execute(std::move(ask))).value().front().integer().value_or(0);
    }

    bool are_posted(std::int64_t wanted) {
        for (int tries = 0; tries < 100 && letters_posted() != wanted; ++tries) {
            loop.restart();
            loop.run_for(50ms);
        }
        return letters_posted() == wanted;
    }

    redis::client reader{loop.get_executor(), redis::parse_address(server.url()).value(), time, log};
    metrics numbers;
    dead_letters letters{redis, keys, 1'000, numbers.add_shard()};
    engine_settings how;
    testing::scripted_handler* handler = nullptr;
    std::optional<intake_stream> stream;
};

TEST_F(IntakeStreamTest, AnEntryThatAlwaysFailsHoldsUpNobodyAndIsPutAside) {
    handler->fails = {"bad", "worse"};
    for (const char* const word : {"first", "bad", "second", "worse", "third"}) {
        publish(word);
    }
    start();
    ASSERT_TRUE(testing::loop_until(loop, [&] { return handler->handled.size() == 3; }));
    EXPECT_TRUE(are_posted(2));
    EXPECT_EQ(server.cli({"XPENDING", keys.receipts(), "tocsin"}).substr(0, 1), "0");
}

TEST_F(IntakeStreamTest, AnEntryThatFailsIsTriedInRoundsWhileThoseBehindItAreRead) {
    handler->fails = {"bad"};
    publish("bad");
    start();
    loop.restart();
    loop.run_for(2s);
    // Alone it may be Redis' matter as well as its own.
    EXPECT_EQ(letters_posted(), 0);
    publish("behind");
    ASSERT_TRUE(testing::loop_until(loop, [&] { return handler->handled.contains("behind"); }));
    EXPECT_TRUE(are_posted(1));
    EXPECT_EQ(server.cli({"XPENDING", keys.receipts(), "tocsin"}).substr(0, 1), "0");
}

TEST_F(IntakeStreamTest, WhenNothingCanBeHandledNothingIsPutAside) {
    handler->fails = {"a", "b", "c"};
    handler->why = redis::redis_errc::damaged;
    for (const char* const word : {"a", "b", "c"}) {
        publish(word);
    }
    start();
    loop.restart();
    loop.run_for(2s);
    EXPECT_EQ(letters_posted(), 0);
    handler->fails.clear();
    EXPECT_TRUE(testing::loop_until(loop, [&] { return handler->handled.size() == 3; }));
    EXPECT_EQ(letters_posted(), 0);
}

TEST_F(IntakeStreamTest, WhatRedisDeclinesIsNoEntrysFault) {
    handler->fails = {"large"};
    handler->why = redis::redis_errc::declined;
    for (const char* const word : {"before", "large"}) {
        publish(word);
    }
    start();
    loop.restart();
    loop.run_for(2s);
    EXPECT_EQ(letters_posted(), 0);
    handler->fails.clear();
    EXPECT_TRUE(testing::loop_until(loop, [&] { return handler->handled.size() == 2; }));
}

TEST_F(IntakeStreamTest, WhatFailsSinceRedisIsAwayIsNeverPutAside) {
    publish("away");
    start();
    loop.restart();
    loop.run_for(2s);
    EXPECT_EQ(letters_posted(), 0);
    handler->away = false;
    EXPECT_TRUE(testing::loop_until(loop, [&] { return handler->handled.contains("away"); }));
}

TEST(DeadLetter, IsShorterThanRedisTakesHoweverLongAndHowWrittenTheEntryIs) {
    const refusal why{"too_large", std::string(1'000'000, 'x')};
    for (const std::string& payload :
         {std::string(12 * 1024 * 1024, '\x01'), std::string(70 * 1024 * 1024, 'a'),
          std::string(3 * 1024 * 1024, '\xff'), std::string("é") + std::string(20 * 1024 * 1024, '\xc3')}) {
        const std::string letter = letter_document("s", "1-0", why, payload);
        EXPECT_LE(letter.size(), 512U * 1024);
        const json::value read = json::parse(letter);
        EXPECT_EQ(read.at("payload_bytes").to_number<std::size_t>(), payload.size());
        EXPECT_EQ(read.at("payload_sha256").as_string().size(), 64U);
        EXPECT_FALSE(read.at("payload").as_string().empty());
    }
}

}  // namespace
}  // namespace tocsin
