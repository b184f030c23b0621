#include "providers/http2/open_streams.hpp"

#include "providers/http2/stream_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

class OpenStreamsTest : public ::testing::Test {
protected:
    /// Opens the next stream, as a client does.
    std::uint32_t open() {
        stream_slot& slot = slots.take();
        slot.id = next;
        next += 2;
        streams.add(slot);
        expected.emplace(slot.id, &slot);
        return slot.id;
    }
    void close(std::uint32_t id) {
        stream_slot* const slot = expected.at(id);
        streams.remove(*slot);
        slots.give_back(*slot);
        expected.erase(id);
    }
    void expect_exactly_those() const {
        ASSERT_EQ(streams.size(), expected.size());
        ASSERT_EQ(streams.empty(), expected.empty());
        for (std::uint32_t id = 1; id < next + 4; id += 2) {
            const auto known = expected.find(id);
            ASSERT_EQ(streams.find(id), known == expected.end() ? nullptr : known->second) << id;
        }
        std::multiset<std::uint32_t> visited;
        streams.for_each([&](stream_slot& each) {
            EXPECT_EQ(expected.at(each.id), &each);
            visited.insert(each.id);
        });
        EXPECT_EQ(visited.size(), expected.size());
        EXPECT_EQ(std::set<std::uint32_t>(visited.begin(), visited.end()).size(), expected.size());
    }

    stream_table slots;
    open_streams<stream_slot, &stream_slot::id> streams;
    std::map<std::uint32_t, stream_slot*> expected;
    std::uint32_t next = 1;
};

TEST_F(OpenStreamsTest, NothingIsFoundWhereNothingIsOpen) {
    for (const std::uint32_t id : {0U, 1U, 2U, 3U, 0x7fffffffU}) {
        EXPECT_EQ(streams.find(id), nullptr) << id;
    }
    EXPECT_TRUE(streams.empty());
}

TEST_F(OpenStreamsTest, AnEvenIdIsNeverFoundInThePlaceOfAnOddOne) {
    open();
    EXPECT_EQ(streams.find(0), nullptr);
    EXPECT_EQ(streams.find(2), nullptr);
}

TEST_F(OpenStreamsTest, AllAreFoundHoweverManyAreOpen) {
    for (int i = 0; i < 1'500; ++i) {
        open();
    }
    expect_exactly_those();
}

TEST_F(OpenStreamsTest, AStreamThatIsNeverAnsweredIsFoundAfterAnyNumberOfOthers) {
    const std::uint32_t oldest = open();
    for (int i = 0; i < 3'000; ++i) {
        close(open());
        ASSERT_NE(streams.find(oldest), nullptr);
    }
    expect_exactly_those();
    close(oldest);
    expect_exactly_those();
}

TEST_F(OpenStreamsTest, ThePlaceOfAnOldStreamIsUsedAgainWhileOneThatCameAfterItIsStillKeptAside) {
    const std::uint32_t oldest = open();
    std::vector<std::uint32_t> same_place;
    for (int i = 1; i <= 3 * 32; ++i) {  // The places at first.
        const std::uint32_t id = open();
        if (i % 32 == 0) {
            same_place.push_back(id);
        } else {
            close(id);
        }
    }
    expect_exactly_those();
    close(oldest);
    expect_exactly_those();
    for (int i = 1; i <= 32; ++i) {
        const std::uint32_t id = open();
        if (i % 32 != 0) {
            close(id);
        }
    }
    expect_exactly_those();
    for (const std::uint32_t id : same_place) {
        close(id);
        expect_exactly_those();
    }
}

TEST_F(OpenStreamsTest, WhateverIsOpenedAndClosedInAnyOrderExactlyTheOpenOnesAreFound) {
    std::mt19937 random(2'026);
    for (const std::uint32_t most : {1U, 7U, 16U, 100U, 1'000U}) {
        for (int step = 0; step < 20'000; ++step) {
            if (expected.size() < most && random() % 2 == 0) {
                open();
            } else if (!expected.empty()) {
                // Mostly one of the oldest; now and then it is left to grow old.
                auto which = expected.begin();
                std::advance(which, random() % std::min<std::size_t>(expected.size(), 8));
                close(which->first);
            }
        }
        ASSERT_NO_FATAL_FAILURE(expect_exactly_those());
    }
}

TEST_F(OpenStreamsTest, TheLastIdsOfAConnectionAreFound) {
    next = 0x7fffffffU - 64;
    std::vector<std::uint32_t> ids;
    for (int i = 0; i < 32; ++i) {
        ids.push_back(open());
    }
    for (const std::uint32_t id : ids) {
        EXPECT_EQ(streams.find(id), expected.at(id));
    }
}

}  // namespace
}  // namespace tocsin::http2
