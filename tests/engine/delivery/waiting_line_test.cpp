#include "engine/delivery/waiting_line.hpp"

#include <array>
#include <chrono>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

TEST(PushQueue, IsFirstInFirstOutButForWhatGoesToItsHead) {
    std::array<push, 3> items;
    push_queue queue;
    queue.push_back(items[0]);
    queue.push_back(items[1]);
    queue.push_front(items[2]);
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.pop_front(), &items[2]);
    EXPECT_EQ(queue.pop_front(), &items[0]);
    EXPECT_EQ(queue.pop_front(), &items[1]);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pop_front(), nullptr);
    // The end of an emptied queue is forgotten.
    queue.push_back(items[1]);
    EXPECT_EQ(queue.pop_front(), &items[1]);
}

TEST(WaitingLine, CriticalGoesFirstAndTheOthersTakeTurnsByWeight) {
    std::vector<push> items(400);
    std::map<const push*, priority> urgency;
    waiting_line line;
    std::size_t next = 0;
    for (const priority each : {priority::low, priority::normal, priority::high}) {
        for (int i = 0; i < 100; ++i, ++next) {
            urgency[&items[next]] = each;
            line.push_back(items[next], each);
        }
    }
    push alert;
    line.push_back(alert, priority::critical);
    EXPECT_EQ(line.critical(), 1U);
    EXPECT_EQ(line.pop(), &alert);
    std::map<priority, int> went;
    for (int i = 0; i < 42; ++i) {
        ++went[urgency.at(line.pop())];
    }
    EXPECT_EQ(went[priority::high], 32);
    EXPECT_EQ(went[priority::normal], 8);
    EXPECT_EQ(went[priority::low], 2);
    EXPECT_EQ(line.waiting(), 300U - 42U);
}

TEST(WaitingLine, ThePreferredGoesFirstOfTheMostUrgentThatHaveOneAndTheOrderOfTheRestStays) {
    std::array<push, 6> items;
    waiting_line line;
    for (std::size_t i = 0; i < 3; ++i) {
        line.push_back(items[i], priority::high);
        line.push_back(items[i + 3], priority::low);
    }
    const auto prefer = [&line](const push* which) {
        return line.pop_lowest([which](const push& item) { return &item == which ? 0U : 1U; });
    };
    EXPECT_EQ(prefer(&items[1]), &items[1]);
    EXPECT_EQ(prefer(&items[5]), &items[5]);
    EXPECT_EQ(line.waiting(), 4U);
    EXPECT_EQ(prefer(nullptr), &items[0]) << "there is none";
    EXPECT_EQ(line.pop(), &items[2]);
    EXPECT_EQ(line.pop(), &items[3]);
    EXPECT_EQ(line.pop(), &items[4]);
    EXPECT_EQ(prefer(&items[0]), nullptr);
}

TEST(WaitingLine, OnePriorityAloneHasAllTurns) {
    std::vector<push> items(50);
    waiting_line line;
    for (push& item : items) {
        line.push_back(item, priority::low);
    }
    for (push& item : items) {
        EXPECT_EQ(line.pop(), &item);
    }
    EXPECT_EQ(line.pop(), nullptr);
}

TEST(WaitingLine, WhatWaitsForItsMomentComesForwardThen) {
    std::array<push, 3> items;
    waiting_line line;
    line.push_later(items[0], priority::normal, start + 2s);
    line.push_later(items[1], priority::normal, start + 1s);
    line.push_back(items[2], priority::normal);
    EXPECT_EQ(line.waiting(), 1U);
    EXPECT_EQ(line.next_due(), start + 1s);
    line.bring_forward(start + 1s);
    EXPECT_EQ(line.pop(), &items[1]);
    EXPECT_EQ(line.next_due(), start + 2s);
    EXPECT_EQ(line.pop(), &items[2]);
    EXPECT_EQ(line.pop(), nullptr);
    const auto last = line.pop_delayed();
    EXPECT_EQ(last.item, &items[0]);
    EXPECT_EQ(last.due, start + 2s);
    EXPECT_EQ(line.pop_delayed().item, nullptr);
    EXPECT_EQ(line.next_due(), time_point::max());
}

TEST(WaitingLine, RemovesWhatIsUnwantedAndKeepsTheOrderOfTheRest) {
    std::array<push, 6> items;
    waiting_line line;
    for (std::size_t i = 0; i < 4; ++i) {
        items[i].variant = static_cast<std::uint16_t>(i);
        line.push_back(items[i], priority::high);
    }
    for (std::size_t i = 4; i < 6; ++i) {
        items[i].variant = static_cast<std::uint16_t>(i);
        line.push_later(items[i], priority::high, start + i * 1s);
    }
    line.remove_if([](const push& item) { return item.variant % 2 == 0; });
    EXPECT_EQ(line.waiting(), 2U);
    EXPECT_EQ(line.pop(), &items[1]);
    EXPECT_EQ(line.pop(), &items[3]);
    EXPECT_EQ(line.next_due(), start + 5s);
}

}  // namespace
}  // namespace tocsin
