#include "engine/delivery/shard_room.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const target fcm{"mairies", platform::fcm};
const target apns{"mairies", platform::apns};

shard_room::kind kind_of(const target& which, priority urgency = priority::normal) {
    return {which, urgency};
}

/// An engine of two threads, of which each works on four pages of a kind at the same time.
class ShardRoomTest : public ::testing::Test {
protected:
    std::optional<std::size_t> give(
        const std::string& event, const std::string& entry, std::uint32_t pages, const target& which = fcm,
        priority urgency = priority::normal) {
        return room.hand_out({event, which, entry}, urgency, pages);
    }
    std::uint32_t wanted(const std::string& event, const target& which = fcm) {
        return room.pages_to_claim(event, kind_of(which));
    }

    shard_room room{2, 4};
};

TEST_F(ShardRoomTest, AShardGoesToTheThreadThatHasFewestPagesOfItsKind) {
    EXPECT_EQ(give("a", "1-0", 3), 0U);
    EXPECT_EQ(give("a", "2-0", 1), 1U);
    EXPECT_EQ(give("a", "3-0", 1), 1U);
    EXPECT_EQ(give("a", "4-0", 1), 1U);
    EXPECT_EQ(room.thread_for(kind_of(fcm, priority::critical)), 0U) << "of that kind neither has any";
}

TEST_F(ShardRoomTest, TargetsAreSharedOutEvenlyAndThoseOfEachPlatform) {
    std::map<std::pair<platform, std::size_t>, std::size_t> targets_of;
    for (int app = 0; app < 100; ++app) {
        for (const platform on : {platform::apns, platform::fcm}) {
            ++targets_of[{on, room.thread_for(kind_of({"ville-" + std::to_string(app), on}))}];
        }
    }
    EXPECT_EQ(targets_of.size(), 4U);
    for (const auto& [where, targets] : targets_of) {
        EXPECT_EQ(targets, 50U) << to_string(where.first) << " on thread " << where.second;
    }
}

TEST_F(ShardRoomTest, SmallEventsOfATargetGoWhereItsConnectionsAre) {
    const target other{"ville", platform::fcm};
    const std::size_t own = room.thread_for(kind_of(fcm));
    ASSERT_NE(room.thread_for(kind_of(other)), own);
    for (const priority urgency : {priority::normal, priority::critical}) {
        for (int event = 0; event < 3; ++event) {
            const std::string id = std::to_string(event);
            EXPECT_EQ(give(id, "1-0", 1, fcm, urgency), own);
            EXPECT_EQ(give(id, "1-0", 1, other, urgency), 1 - own);
            EXPECT_TRUE(room.left({id, fcm, "1-0"}));
            EXPECT_TRUE(room.left({id, other, "1-0"}));
        }
    }
}

TEST_F(ShardRoomTest, AnotherThreadOpensAConnectionWhereTheOwnOneHasMuchMoreToDo) {
    const std::size_t own = room.thread_for(kind_of(fcm));
    ASSERT_EQ(room.thread_for(kind_of(apns)), 1 - own);
    // Targets whose own thread it is, each with an event.
    std::size_t given = 0;
    for (int app = 0; room.thread_for(kind_of(fcm)) == own; ++app) {
        ASSERT_LT(app, 100);
        const target busy{"ville-" + std::to_string(app), platform::fcm};
        if (room.thread_for(kind_of(busy)) == own) {
            ASSERT_EQ(give("a", "1-0", 1, busy), own);
            ++given;
        }
    }
    EXPECT_GT(given, 4U);
    EXPECT_LT(given, 20U);
}

TEST_F(ShardRoomTest, AShardThatComesAgainIsNotHandedOutTwice) {
    EXPECT_TRUE(give("a", "1-0", 3));
    EXPECT_FALSE(give("a", "1-0", 3));
    EXPECT_EQ(room.held("a", fcm), 1U);
    EXPECT_TRUE(give("b", "1-0", 3)) << "entries are numbered by event and target";
    EXPECT_TRUE(give("a", "1-0", 3, apns));
}

TEST_F(ShardRoomTest, TwiceWhatAThreadWorksOnIsClaimedForEach) {
    EXPECT_EQ(wanted("a"), 16U);
    give("a", "1-0", 5);
    EXPECT_EQ(wanted("a"), 11U);
    give("a", "2-0", 8);
    EXPECT_EQ(wanted("a"), 3U);
    give("a", "3-0", 3);
    EXPECT_EQ(wanted("a"), 0U);
    EXPECT_EQ(wanted("a", apns), 16U) << "each kind has room of its own";
    EXPECT_EQ(room.pages_to_claim("a", kind_of(fcm, priority::critical)), 16U);
}

TEST_F(ShardRoomTest, WhatOneThreadHasTooMuchIsNoRoomLessForTheOther) {
    give("a", "1-0", 16);
    EXPECT_EQ(wanted("a"), 8U);
}

TEST_F(ShardRoomTest, WhoHasLittleGetsInAmongThoseWhoHaveAllTheRoom) {
    give("nation", "1-0", 8);
    give("nation", "2-0", 8);
    EXPECT_EQ(wanted("nation"), 0U);
    EXPECT_FALSE(room.is_full(kind_of(fcm)));
    EXPECT_EQ(wanted("village"), 4U);
    give("village", "1-0", 3);
    EXPECT_EQ(wanted("village"), 1U);
    give("village", "2-0", 1);
    EXPECT_EQ(wanted("village"), 0U) << "it has what a thread works on";
}

TEST_F(ShardRoomTest, FourTimesWhatAThreadWorksOnIsAll) {
    for (const char* const event : {"a", "b", "c", "d"}) {
        give(event, "1-0", 8);
    }
    EXPECT_TRUE(room.is_full(kind_of(fcm)));
    EXPECT_EQ(wanted("village"), 0U);
    EXPECT_FALSE(room.is_full(kind_of(apns)));
}

TEST_F(ShardRoomTest, WhatHasLeftMakesRoomOnce) {
    give("a", "1-0", 8);
    give("a", "2-0", 8);
    EXPECT_TRUE(room.left({"a", fcm, "1-0"}));
    EXPECT_EQ(wanted("a"), 8U);
    EXPECT_EQ(room.held("a", fcm), 1U);
    EXPECT_FALSE(room.left({"a", fcm, "1-0"}));
    EXPECT_FALSE(room.left({"a", apns, "2-0"}));
    EXPECT_FALSE(room.left({"b", fcm, "2-0"}));
    EXPECT_EQ(wanted("a"), 8U);
    EXPECT_EQ(give("a", "3-0", 1), 0U) << "to the thread that it has left";
}

}  // namespace
}  // namespace tocsin
