#include "engine/redis/pipeline.hpp"

#include "engine/redis/error.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::redis {
namespace {

using operation_ptr = std::shared_ptr<operation>;

class RedisPipeline : public ::testing::Test {
protected:
    operation_ptr push(request what) {
        auto made = std::make_shared<operation>(std::move(what));
        line.push(made);
        return made;
    }
    operation_ptr push(std::string_view command) {
        request one;
        one.add(command);
        return push(std::move(one));
    }
    std::string output(std::size_t limit = 1024 * 1024) {
        std::string out;
        line.take_output(out, limit);
        return out;
    }
    static std::size_t count(std::string_view text, std::string_view word) {
        std::size_t found = 0;
        for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
            ++found;
        }
        return found;
    }

    const script first{"first", "return 1"};
    const script second{"second", "return 2"};
    pipeline line;
};

TEST_F(RedisPipeline, GathersEverythingInOrder) {
    push("A");
    push("B");
    EXPECT_EQ(output(), "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n");
    EXPECT_FALSE(line.has_output());
    EXPECT_EQ(line.queued_bytes(), 0U);
}

TEST_F(RedisPipeline, LeavesForLaterWhatIsOverTheLimit) {
    push("A");
    const auto later = push("B");
    EXPECT_EQ(output(1), "*1\r\n$1\r\nA\r\n");
    EXPECT_TRUE(line.has_output());
    EXPECT_TRUE(later->queued);
    EXPECT_FALSE(later->ran);
}

TEST_F(RedisPipeline, AnswersInOrderWhenAllRepliesAreThere) {
    request two;
    two.add("A").add("B");
    const auto pair = push(std::move(two));
    const auto single = push("C");
    output();
    ASSERT_TRUE(line.feed("+a\r\n").has_value());
    EXPECT_FALSE(pair->done);
    ASSERT_TRUE(line.feed("+b\r\n+c\r\n").has_value());
    ASSERT_TRUE(pair->done);
    ASSERT_TRUE(single->done);
    EXPECT_EQ(pair->answers[0].text(), "a");
    EXPECT_EQ(pair->answers[1].text(), "b");
    EXPECT_EQ(single->answers[0].text(), "c");
    EXPECT_FALSE(line.waiting());
}

TEST_F(RedisPipeline, DropsTheRepliesOfTheAbandoned) {
    const auto gone = push("A");
    const auto stays = push("B");
    output();
    line.abandon(*gone);
    ASSERT_TRUE(line.feed("+a\r\n+b\r\n").has_value());
    EXPECT_FALSE(gone->done);
    ASSERT_TRUE(stays->done);
    EXPECT_EQ(stays->answers[0].text(), "b");
}

TEST_F(RedisPipeline, NeverWritesWhatWasAbandonedBefore) {
    push("A");
    const auto middle = push("B");
    push("C");
    line.abandon(*middle);
    EXPECT_EQ(output(), "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nC\r\n");
    EXPECT_EQ(line.queued_bytes(), 0U);
}

TEST_F(RedisPipeline, AQueueOfTheAbandonedTakesNoRoom) {
    for (int i = 0; i < 100; ++i) {
        const auto one = push("A");
        line.abandon(*one);
    }
    EXPECT_FALSE(line.has_output());
    EXPECT_EQ(line.queued_bytes(), 0U);
}

TEST_F(RedisPipeline, AReplyToNothingIsAProtocolError) {
    EXPECT_EQ(line.feed("+hello\r\n").error(), redis_errc::protocol);
}

TEST_F(RedisPipeline, ALossFailsWhatWasWrittenAndKeepsTheRest) {
    const auto head = push("A");
    const auto next = push("B");
    output();
    const auto unwritten = push("C");
    line.disconnected(redis_errc::timed_out);
    EXPECT_EQ(head->failure, redis_errc::timed_out);
    EXPECT_EQ(next->failure, redis_errc::connection_lost);
    EXPECT_FALSE(unwritten->done);
    EXPECT_EQ(output(), "*1\r\n$1\r\nC\r\n");
    ASSERT_TRUE(line.feed("+c\r\n").has_value());
    EXPECT_EQ(unwritten->answers[0].text(), "c");
}

TEST_F(RedisPipeline, ALossInTheMiddleOfAReplyLeavesNoTraceOfIt) {
    push("A");
    output();
    ASSERT_TRUE(line.feed("*2\r\n:1\r\n").has_value());
    line.disconnected(redis_errc::connection_lost);
    const auto after = push("B");
    output();
    ASSERT_TRUE(line.feed("+b\r\n").has_value());
    EXPECT_EQ(after->answers[0].text(), "b");
}

TEST_F(RedisPipeline, FailsWhatWaitsWhenAsked) {
    const auto waits = push("A");
    line.fail_queued(redis_errc::closed);
    EXPECT_EQ(waits->failure, redis_errc::closed);
    EXPECT_EQ(line.queued_bytes(), 0U);
}

TEST_F(RedisPipeline, TeachesAScriptOncePerConnection) {
    request call;
    call.add_script(first, {}, {});
    request same;
    same.add_script(first, {}, {});
    push(std::move(call));
    push(std::move(same));
    EXPECT_EQ(count(output(), "SCRIPT"), 1U);
    line.disconnected(redis_errc::connection_lost);
    request again;
    again.add_script(first, {}, {});
    push(std::move(again));
    EXPECT_EQ(count(output(), "SCRIPT"), 1U);
}

TEST_F(RedisPipeline, RepeatsOnlyTheScriptCallsThatWereUnknown) {
    request mixed;
    mixed.add_script(first, {}, {}).add("GET", "k").add_script(second, {}, {}).add_script(first, {}, {});
    const auto asked = push(std::move(mixed));
    output();
    // Both lessons, then: unknown, a value, known, unknown.
    ASSERT_TRUE(line.feed("+sha\r\n+sha\r\n-NOSCRIPT x\r\n$1\r\nv\r\n:2\r\n-NOSCRIPT x\r\n").has_value());
    EXPECT_FALSE(asked->done);
    const std::string repeated = output();
    EXPECT_EQ(count(repeated, "SCRIPT"), 1U);
    EXPECT_EQ(count(repeated, "EVALSHA"), 2U);
    EXPECT_EQ(count(repeated, first.sha()), 2U);
    EXPECT_EQ(count(repeated, "GET"), 0U);
    ASSERT_TRUE(line.feed("+sha\r\n:10\r\n:11\r\n").has_value());
    ASSERT_TRUE(asked->done);
    ASSERT_EQ(asked->answers.size(), 4U);
    EXPECT_EQ(asked->answers[0].integer(), 10);
    EXPECT_EQ(asked->answers[1].text(), "v");
    EXPECT_EQ(asked->answers[2].integer(), 2);
    EXPECT_EQ(asked->answers[3].integer(), 11);
}

TEST_F(RedisPipeline, ARepeatedCallGoesBeforeWhatWaits) {
    request call;
    call.add_script(first, {}, {});
    push(std::move(call));
    output();
    push("A");
    ASSERT_TRUE(line.feed("+sha\r\n-NOSCRIPT x\r\n").has_value());
    const std::string out = output();
    EXPECT_LT(out.find("EVALSHA"), out.find("$1\r\nA"));
}

TEST_F(RedisPipeline, AScriptThatDoesNotLoadIsAnsweredWithTheReason) {
    request call;
    call.add_script(first, {}, {});
    const auto asked = push(std::move(call));
    output();
    ASSERT_TRUE(line.feed("-ERR Error compiling script\r\n-NOSCRIPT x\r\n").has_value());
    output();
    ASSERT_TRUE(line.feed("-ERR Error compiling script\r\n-NOSCRIPT x\r\n").has_value());
    ASSERT_TRUE(asked->done);
    EXPECT_FALSE(asked->failure);
    EXPECT_EQ(asked->answers[0].text(), "ERR Error compiling script");
}

TEST_F(RedisPipeline, GivesUpOnAScriptThatRedisKeepsForgetting) {
    request call;
    call.add_script(first, {}, {});
    const auto asked = push(std::move(call));
    int rounds = 0;
    for (; line.has_output() && rounds < 20; ++rounds) {
        output();
        ASSERT_TRUE(line.feed("+sha\r\n-NOSCRIPT x\r\n").has_value());
    }
    EXPECT_LT(rounds, 20);
    ASSERT_TRUE(asked->done);
    EXPECT_EQ(asked->failure, redis_errc::unexpected_reply);
}

TEST_F(RedisPipeline, ACallThatWaitsToBeRepeatedIsLostWithTheConnection) {
    request call;
    call.add_script(first, {}, {});
    const auto asked = push(std::move(call));
    output();
    ASSERT_TRUE(line.feed("+sha\r\n-NOSCRIPT x\r\n").has_value());
    line.disconnected(redis_errc::connection_lost);
    EXPECT_EQ(asked->failure, redis_errc::connection_lost);
    EXPECT_FALSE(line.has_output());
    EXPECT_EQ(line.queued_bytes(), 0U);
}

TEST_F(RedisPipeline, TheDelayOfTheHeadIsThatOfItsRequest) {
    request slow;
    slow.add("XREAD");
    slow.expect_delay(std::chrono::milliseconds(700));
    push(std::move(slow));
    push("A");
    output();
    EXPECT_EQ(line.head_delay(), std::chrono::milliseconds(700));
    ASSERT_TRUE(line.feed("$-1\r\n").has_value());
    EXPECT_EQ(line.head_delay(), std::chrono::milliseconds(0));
}

TEST_F(RedisPipeline, AServerThatBecameAReplicaIsLostWhereThatIsWanted) {
    const std::string refusal = "-READONLY You can't write against a read only replica.\r\n";
    const auto tolerated = push("SET");
    output();
    EXPECT_TRUE(line.feed(refusal).has_value());
    EXPECT_TRUE(tolerated->answers.front().is_error());

    line.treat_replica_as_lost(true);
    const auto told = push("SET");
    const auto behind = push("GET");
    output();
    EXPECT_EQ(line.feed(refusal).error(), redis_errc::connection_lost);
    line.disconnected(redis_errc::connection_lost);
    EXPECT_EQ(told->failure, redis_errc::connection_lost);
    EXPECT_EQ(behind->failure, redis_errc::connection_lost);
}

}  // namespace
}  // namespace tocsin::redis
