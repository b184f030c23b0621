#include "providers/webpush/key_reserve.hpp"

#include "tests/support/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most = 40;

class KeyReserveTest : public ::testing::Test {
protected:
    void poll() {
        loop.restart();
        loop.poll();
    }
    void pass(duration how_long) {
        poll();
        time.advance(how_long);
        poll();
    }
    std::size_t take(std::size_t wanted) { return subject->take(std::span(taken).first(wanted)); }

    testing::manual_time time;  // The loop's timers look at it until the loop is gone.
    boost::asio::io_context loop{1};
    std::shared_ptr<key_reserve> subject =
        std::make_shared<key_reserve>(loop.get_executor(), time, encryptor::create().value(), most);
    std::array<ephemeral_key, 2 * most> taken;
};

TEST_F(KeyReserveTest, FillsItselfSomeMomentsAfterItIsToldTo) {
    subject->replenish();
    pass(key_reserve::rest - 1ms);
    EXPECT_EQ(subject->size(), 0U);
    pass(1ms);
    EXPECT_EQ(subject->size(), most);
}

TEST_F(KeyReserveTest, MakesAFewKeysATurnOfItsLoop) {
    subject->replenish();
    poll();
    time.advance(key_reserve::rest);
    loop.restart();
    std::size_t before = 0;
    std::size_t turns = 0;
    while (loop.poll_one() != 0) {
        EXPECT_LE(subject->size() - before, 16U);
        turns += subject->size() != before ? 1U : 0U;
        before = subject->size();
    }
    EXPECT_EQ(before, most);
    EXPECT_EQ(turns, 3U);
}

TEST_F(KeyReserveTest, FillsItselfAgainOnlyWhenNoKeyHasBeenTakenForAWhile) {
    subject->replenish();
    pass(key_reserve::rest);
    EXPECT_EQ(take(10), 10U);
    pass(key_reserve::rest / 2);
    EXPECT_EQ(take(10), 10U);
    pass(key_reserve::rest / 2);
    EXPECT_EQ(subject->size(), most - 20);
    pass(key_reserve::rest);
    EXPECT_EQ(subject->size(), most);
}

TEST_F(KeyReserveTest, GivesEachKeyOnceAndNoMoreThanItHas) {
    std::set<std::string> points;
    for (int round = 0; round < 2; ++round) {
        subject->replenish();
        pass(2 * key_reserve::rest);
        const std::size_t given = take(taken.size());
        EXPECT_EQ(given, most);
        for (const ephemeral_key& each : std::span(taken).first(given)) {
            EXPECT_TRUE(points.emplace(each.point.begin(), each.point.end()).second);
        }
        EXPECT_EQ(take(1), 0U);
        pass(key_reserve::rest);
    }
}

TEST_F(KeyReserveTest, ThreadsThatTakeAtOnceGetKeysOfTheirOwn) {
    subject->replenish();
    pass(key_reserve::rest);
    std::array<std::array<ephemeral_key, most>, 2> of_each;
    std::array<std::size_t, 2> counts{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < 2; ++i) {
            threads.emplace_back([&, i] {
                while (subject->take(std::span(of_each[i]).subspan(counts[i], 1)) == 1) {
                    ++counts[i];
                }
            });
        }
    }
    EXPECT_EQ(counts[0] + counts[1], most);
    std::set<std::string> points;
    for (std::size_t i = 0; i < 2; ++i) {
        for (const ephemeral_key& each : std::span(of_each[i]).first(counts[i])) {
            EXPECT_TRUE(points.emplace(each.point.begin(), each.point.end()).second);
        }
    }
}

TEST_F(KeyReserveTest, MayGoWhileItFillsItself) {
    subject->replenish();
    poll();
    subject.reset();
    pass(key_reserve::rest);
}

}  // namespace
}  // namespace tocsin::webpush
