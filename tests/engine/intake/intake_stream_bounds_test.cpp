#include "engine/intake/intake_stream.hpp"
#include "tests/engine/intake/scripted_handler.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

std::vector<std::string> numbered(const std::string& word, std::size_t count) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back(word + "-" + std::to_string(i));
    }
    return out;
}

std::map<std::string, std::size_t> once_each(const std::vector<std::string>& words) {
    std::map<std::string, std::size_t> out;
    for (const std::string& word : words) {
        out[word] = 1;
    }
    return out;
}

/// A stream of whose entries more fail than there is room to remember. Its clock is the test's.
class IntakeBoundsTest : public testing::redis_fixture {
protected:
    ~IntakeBoundsTest() override {
        if (stream) {
            stream->stop();
        }
        reader.close();
        static_cast<void>(testing::loop_until(loop, [&] {
            clock.advance(1s);
            return ended;
        }));
    }
    void publish(const std::vector<std::string>& words) {
        redis::request add;
        for (const std::string& word : words) {
            add.add("XADD", keys.receipts(), "*", "receipt", word);
        }
        ASSERT_TRUE(run(redis.execute(std::move(add))).has_value());
    }
    /// Publishes one entry that can be handled, and lets time pass until it was.
    bool is_handled(const std::string& word) {
        publish({word});
        return passes_until([&] { return handler->handled.contains(word); });
    }
    void publish_failing(const std::vector<std::string>& words) {
        handler->fails.insert(words.begin(), words.end());
        publish(words);
    }
    void start(std::size_t room = intake_stream::most_suspects) {
        stream.emplace(reader, std::move(made), keys, how, letters, clock, log, room);
        ended = false;
        boost::asio::co_spawn(loop, stream->run(), [this](const std::exception_ptr&) { ended = true; });
    }

    /// Lets time pass until `done`.
    template <class Predicate>
    bool passes_until(Predicate done) {
        return testing::loop_until(loop, [&] {
            const bool waits = clock.next_waking() != time_point::max();
            clock.advance(waits ? clock.next_waking() - clock.now() : 10ms);
            return done();
        });
    }
    /// Lets the work go on, while the clock stands still, until the stream waits for the next round.
    bool waits_for_the_next_round() {
        return testing::loop_until(loop, [&] { return clock.next_waking() != time_point::max(); });
    }
    std::int64_t pending() {
        redis::request ask;
        ask.add("XPENDING", keys.receipts(), keyspace::group);
        return run(redis.execute(std::move(ask))).value().front()[0].integer().value_or(-1);
    }
    /// The entries that were put aside, and how often.
    std::map<std::string, std::size_t> put_aside() {
        redis::request ask;
        ask.add("XRANGE", keys.dead_letters(), "-", "+");
        const auto answer = run(redis.execute(std::move(ask))).value();
        std::map<std::string, std::size_t> out;
        for (std::size_t i = 0; i < answer.front().size(); ++i) {
            const json::value letter = json::parse(answer.front()[i][1][1].text());
            ++out[std::string(letter.at("payload").as_string())];
        }
        return out;
    }

    testing::manual_time clock;
    redis::client reader{loop.get_executor(), redis::parse_address(server.url()).value(), time, log};
    metrics numbers;
    dead_letters letters{redis, keys, 100'000, numbers.add_shard()};
    engine_settings how = [] {
        engine_settings out;
        out.instance = "one";
        return out;
    }();
    std::unique_ptr<testing::scripted_handler> made =
        std::make_unique<testing::scripted_handler>(redis, keys);
    testing::scripted_handler* handler = made.get();
    std::optional<intake_stream> stream;
    bool ended = true;
};

TEST_F(IntakeBoundsTest, OfThousandsThatFailNoMoreAreRememberedThanThereIsRoomFor) {
    const auto bad = numbered("bad", intake_stream::most_suspects + 700);
    publish_failing(bad);
    start();
    std::size_t most = 0;
    ASSERT_TRUE(passes_until([&] {
        most = std::max(most, stream->suspects());
        return handler->tried.size() == bad.size();
    }));
    EXPECT_EQ(most, intake_stream::most_suspects);
    EXPECT_EQ(pending(), static_cast<std::int64_t>(bad.size())) << "what is not remembered is not lost";

    handler->fails.clear();
    ASSERT_TRUE(passes_until([&] { return handler->handled.size() == bad.size(); }));
    EXPECT_EQ(handler->handled, once_each(bad));
    EXPECT_EQ(pending(), 0);
    EXPECT_EQ(stream->suspects(), 0U);
    EXPECT_TRUE(put_aside().empty());
}

TEST_F(IntakeBoundsTest, WhileThereIsNoRoomOneBatchARoundIsTakenFromTheStream) {
    handler->batch = 20;
    publish_failing(numbered("bad", 1'000));
    start(10);
    for (std::int64_t round = 1; round <= 5; ++round) {
        ASSERT_TRUE(waits_for_the_next_round());
        EXPECT_EQ(pending(), 20 * round);
        clock.advance(250ms);
    }
}

TEST_F(IntakeBoundsTest, GoodEntriesBehindMoreBadOnesThanThereIsRoomForAreHandled) {
    handler->batch = 50;
    const auto good = numbered("good", 300);
    publish_failing(numbered("bad", 300));
    publish(good);
    start(20);
    ASSERT_TRUE(passes_until([&] { return handler->handled.size() == good.size(); }));
    EXPECT_EQ(stream->suspects(), 20U) << "the room is still taken";
    EXPECT_EQ(handler->handled, once_each(good));
}

TEST_F(IntakeBoundsTest, GoodEntriesAreReadAtFullPaceWhileThereIsNoRoom) {
    handler->batch = 20;
    publish_failing(numbered("bad", 20));
    start(10);
    ASSERT_TRUE(waits_for_the_next_round());
    const auto good = numbered("good", 500);
    publish(good);
    clock.advance(250ms);
    EXPECT_TRUE(testing::loop_until(
        loop, [&] { return handler->handled.size() == good.size(); }, 5s))
        << "in one round";
}

TEST_F(IntakeBoundsTest, EachEntryIsHandledOrPutAsideOnceHoweverManyFail) {
    handler->batch = 50;
    const auto bad = numbered("bad", 250);
    auto good = numbered("good", 250);
    handler->fails.insert(bad.begin(), bad.end());
    std::vector<std::string> mixed;
    for (std::size_t i = 0; i < bad.size(); ++i) {
        mixed.push_back(bad[i]);
        mixed.push_back(good[i]);
    }
    publish(mixed);
    start(20);
    // The verdict on each needs others that were handled after it failed.
    for (int more = 0; more < 2'000 && put_aside().size() < bad.size(); ++more) {
        good.push_back("later-" + std::to_string(more));
        ASSERT_TRUE(is_handled(good.back()));
    }
    EXPECT_EQ(put_aside(), once_each(bad));
    EXPECT_EQ(handler->handled, once_each(good));
    EXPECT_EQ(pending(), 0);
    EXPECT_EQ(stream->suspects(), 0U);
}

TEST_F(IntakeBoundsTest, WhatThereWasNoRoomForIsJudgedOnlyByWhatItDoesOnceThereIs) {
    publish_failing({"remembered", "unremembered"});
    start(1);
    for (int more = 0; more < 2'000 && put_aside().empty(); ++more) {
        ASSERT_TRUE(is_handled("good-" + std::to_string(more)));
    }
    ASSERT_EQ(put_aside(), once_each({"remembered"}));

    // Two calls a round: with all the others, and alone.
    const std::size_t before = handler->tried["unremembered"];
    ASSERT_TRUE(is_handled("last"));
    ASSERT_TRUE(passes_until([&] { return handler->tried["unremembered"] >= before + 2; }));
    handler->fails.clear();
    ASSERT_TRUE(passes_until([&] { return handler->handled.contains("unremembered"); }));
    EXPECT_EQ(put_aside(), once_each({"remembered"}));
}

TEST_F(IntakeBoundsTest, WhatThereWasNoRoomForIsTriedAgainOnceNothingElseIsPending) {
    // An older entry, that another engine has read and holds for too long, comes when there is no more room.
    handler->takeover_after = 10min;
    publish_failing({"older"});
    server.cli({"XGROUP", "CREATE", keys.receipts(), "tocsin", "0"});
    server.cli({"XREADGROUP", "GROUP", "tocsin", "two", "STREAMS", keys.receipts(), ">"});
    start(1);
    publish_failing({"newer"});
    ASSERT_TRUE(passes_until([&] { return stream->suspects() == 1; }));
    const std::string held = server.cli({"XPENDING", keys.receipts(), "tocsin", "-", "+", "1", "two"});
    const std::string older = held.substr(0, held.find('\n'));
    server.cli({"XCLAIM", keys.receipts(), "tocsin", "two", "0", older, "IDLE", "3600000"});
    clock.advance(10min);
    ASSERT_TRUE(passes_until([&] { return handler->tried.contains("older"); }));

    handler->fails.erase("newer");
    ASSERT_TRUE(passes_until([&] { return handler->handled.contains("newer"); }));
    EXPECT_TRUE(passes_until([&] { return stream->suspects() == 1; })) << "the older one has the room now";
    handler->fails.clear();
    EXPECT_TRUE(passes_until([&] { return handler->handled.contains("older"); }));
}

TEST_F(IntakeBoundsTest, WhatAnotherHasSeenToTakesNoRoom) {
    publish_failing({"bad"});
    start(1);
    ASSERT_TRUE(passes_until([&] { return stream->suspects() == 1; }));
    const std::string read = server.cli({"XPENDING", keys.receipts(), "tocsin", "-", "+", "1"});
    server.cli({"XACK", keys.receipts(), "tocsin", read.substr(0, read.find('\n'))});
    EXPECT_TRUE(passes_until([&] { return stream->suspects() == 0; }));
    EXPECT_EQ(pending(), 0);
}

TEST_F(IntakeBoundsTest, RoundsThatTakeLongerThanATakeoverStillReadWhatIsNew) {
    handler->batch = 2;
    handler->takeover_after = 0ms;
    // A round is three calls for each two of them, and longer than what lies between two takeovers.
    handler->on_handle = [&] { clock.advance(600ms); };
    publish_failing(numbered("bad", 4));
    start(1);
    ASSERT_TRUE(testing::loop_until(loop, [&] { return handler->tried["bad-3"] > 4; }));
    publish({"good"});
    EXPECT_TRUE(testing::loop_until(
        loop, [&] { return handler->handled.contains("good"); }, 5s));
}

}  // namespace
}  // namespace tocsin
