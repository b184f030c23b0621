#include "providers/http2/turns.hpp"

#include "engine/core/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST(Rhythm, NothingWaitsWhereLittleIsUnderWay) {
    rhythm of;
    EXPECT_FALSE(of.busy());
    of.count(0, 64);
    EXPECT_FALSE(of.busy());
}

TEST(Rhythm, CountsTheOpenStreamsOfAllConnectionsOfTheThread) {
    rhythm of;
    of.count(0, 40);
    of.count(0, 40);
    EXPECT_TRUE(of.busy());
    of.count(40, 10);
    EXPECT_FALSE(of.busy());
    EXPECT_EQ(of.open(), 50U);
    of.count(10, 0);
    of.count(40, 0);
    EXPECT_EQ(of.open(), 0U);
}

TEST(Rhythm, ATurnIsATenthOfTheRoundTripWithinLimits) {
    rhythm of;
    EXPECT_EQ(of.period(), 1ms) << "before anybody was answered";
    const auto settle_at = [&of](duration round_trip) {
        for (int i = 0; i < 1'000; ++i) {
            of.answered(round_trip);
        }
    };
    settle_at(50ms);
    EXPECT_GT(of.period(), 4900us);
    EXPECT_LE(of.period(), 5000us);
    settle_at(300us);
    EXPECT_EQ(of.period(), 1ms);
    settle_at(10s);
    EXPECT_EQ(of.period(), 6ms);
}

TEST(Rhythm, OneStrangeAnswerChangesLittle) {
    rhythm of;
    for (int i = 0; i < 1'000; ++i) {
        of.answered(40ms);
    }
    const duration before = of.period();
    of.answered(80ms);
    EXPECT_LT(of.period(), before * 103 / 100);
}

struct recorded_taker final : turn_taker {
    [[nodiscard]] bool take_turn() noexcept override {
        ++turns_taken;
        EXPECT_TRUE(of == nullptr || of->under_way());
        if (leaves != nullptr) {
            of->leave(*leaves);
        }
        return --wanted > 0;
    }
    turns* of = nullptr;
    turn_taker* leaves = nullptr;
    int wanted = 1;
    int turns_taken = 0;
};

TEST(Turns, AllTakePartForAsLongAsOneWantsAnother) {
    boost::asio::io_context loop;
    const system_time_source time;
    const auto rounds = std::make_shared<turns>(loop.get_executor(), time);
    recorded_taker short_of;
    recorded_taker long_of;
    long_of.of = rounds.get();
    long_of.wanted = 5;
    rounds->join(short_of);
    rounds->join(long_of);
    EXPECT_FALSE(rounds->under_way());
    rounds->expect();
    rounds->expect();
    loop.run();  // Ends when nobody expects anything any more.
    EXPECT_EQ(long_of.turns_taken, 5);
    EXPECT_EQ(short_of.turns_taken, 5);
    EXPECT_FALSE(rounds->under_way());
}

TEST(Turns, WhoLeavesDuringATurnIsNotCalledAnyMore) {
    boost::asio::io_context loop;
    const system_time_source time;
    const auto rounds = std::make_shared<turns>(loop.get_executor(), time);
    recorded_taker first;
    recorded_taker second;
    first.of = rounds.get();
    first.leaves = &second;
    first.wanted = 3;
    rounds->join(first);
    rounds->join(second);
    rounds->expect();
    loop.run();
    EXPECT_EQ(first.turns_taken, 3);
    EXPECT_EQ(second.turns_taken, 0);
}

TEST(Turns, AreOverWhenTheyAreGone) {
    boost::asio::io_context loop;
    const system_time_source time;
    auto rounds = std::make_shared<turns>(loop.get_executor(), time);
    recorded_taker taker;
    rounds->join(taker);
    rounds->expect();
    rounds.reset();
    loop.run();
    EXPECT_EQ(taker.turns_taken, 0);
}

}  // namespace
}  // namespace tocsin::http2
