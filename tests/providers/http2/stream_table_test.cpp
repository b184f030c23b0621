#include "providers/http2/stream_table.hpp"

#include "tests/support/manual_time.hpp"

#include <array>
#include <chrono>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

TEST(StreamTable, SlotsAreDistinctAndStayWhereTheyAre) {
    stream_table table;
    std::vector<stream_slot*> taken;
    for (std::uint32_t i = 0; i < 200; ++i) {
        taken.push_back(&table.take());
        taken.back()->id = i;
    }
    EXPECT_EQ(std::set<stream_slot*>(taken.begin(), taken.end()).size(), taken.size());
    for (std::uint32_t i = 0; i < taken.size(); ++i) {
        EXPECT_EQ(taken[i]->id, i);
    }
}

TEST(StreamTable, ASlotThatComesBackIsTakenAgainWithNothingOfItsFormerStream) {
    stream_table table;
    stream_slot& used = table.take();
    int anything = 0;
    used.context = &anything;
    used.written_at = time_point{} + 1s;
    used.body_sent = false;
    used.granted = 1;
    used.sent = 2;
    used.unacknowledged = 3;
    table.give_back(used);
    const stream_slot& again = table.take();
    ASSERT_EQ(&again, &used);
    EXPECT_EQ(again.who, nullptr);
    EXPECT_EQ(again.context, nullptr);
    EXPECT_EQ(again.written_at, time_point{});
    EXPECT_TRUE(again.body_sent);
    EXPECT_EQ(again.granted, 0);
    EXPECT_EQ(again.sent, 0);
    EXPECT_EQ(again.unacknowledged, 0U);
}

class SubmissionOrderTest : public ::testing::Test {
protected:
    SubmissionOrderTest() {
        for (std::size_t i = 0; i < slots.size(); ++i) {
            slots[i].begins_at = i * 100;
            order.push_back(slots[i]);
        }
    }
    /// The ids of those in the order, found from its head.
    [[nodiscard]] std::vector<std::ptrdiff_t> walk() const {
        std::vector<std::ptrdiff_t> out;
        for (const stream_slot* at = order.oldest(); at != nullptr; at = at->newer) {
            out.push_back(at - slots.data());
        }
        return out;
    }
    [[nodiscard]] std::vector<std::ptrdiff_t> written() const {
        std::vector<std::ptrdiff_t> out;
        for (const stream_slot& one : slots) {
            if (one.written_at != time_point{}) {
                out.push_back(&one - slots.data());
            }
        }
        return out;
    }

    using ids = std::vector<std::ptrdiff_t>;
    const time_point now = testing::manual_time().now();
    std::array<stream_slot, 4> slots;
    submission_order order;
};

TEST_F(SubmissionOrderTest, TheOldestIsAtItsHeadWhoeverLeaves) {
    EXPECT_EQ(walk(), (ids{0, 1, 2, 3}));
    order.remove(slots[1]);
    EXPECT_EQ(walk(), (ids{0, 2, 3}));
    order.remove(slots[0]);
    EXPECT_EQ(walk(), (ids{2, 3}));
    order.remove(slots[3]);
    EXPECT_EQ(walk(), (ids{2}));
    EXPECT_EQ(order.size(), 1U);
    EXPECT_FALSE(slots[3].waiting);
    order.push_back(slots[0]);
    EXPECT_EQ(walk(), (ids{2, 0})) << "the end was found again";
    order.remove(slots[2]);
    order.remove(slots[0]);
    EXPECT_EQ(order.oldest(), nullptr);
    EXPECT_EQ(order.size(), 0U);
    order.push_back(slots[1]);
    EXPECT_EQ(walk(), (ids{1}));
}

TEST_F(SubmissionOrderTest, OneIsWrittenOnceAtTheTimeOfItsOwnWrite) {
    order.remove(slots[3]);
    order.mark_written(now);
    EXPECT_EQ(written(), (ids{0, 1, 2}));
    EXPECT_FALSE(order.has_unwritten());
    order.push_back(slots[3]);
    EXPECT_TRUE(order.has_unwritten());
    order.mark_written(now + 1s);
    EXPECT_EQ(slots[2].written_at, now);
    EXPECT_EQ(slots[3].written_at, now + 1s);
}

TEST_F(SubmissionOrderTest, WhoLeavesUnwrittenKeepsNobodyBehindItFromBeingWritten) {
    order.remove(slots[0]);
    EXPECT_TRUE(order.has_unwritten());
    order.mark_written(now);
    EXPECT_EQ(written(), (ids{1, 2, 3}));
    order.push_back(slots[0]);
    order.remove(slots[0]);
    EXPECT_FALSE(order.has_unwritten());
}

TEST_F(SubmissionOrderTest, WhatBeginsAtOrBehindAByteIsTakenBack) {
    order.mark_written(now);
    order.take_back(201);
    EXPECT_EQ(written(), (ids{0, 1, 2}));
    order.take_back(200);
    EXPECT_EQ(written(), (ids{0, 1}));
    EXPECT_FALSE(order.has_unwritten()) << "it is never to be written again";
    order.take_back(0);
    EXPECT_EQ(written(), ids());
}

}  // namespace
}  // namespace tocsin::http2
