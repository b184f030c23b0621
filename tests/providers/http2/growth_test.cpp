#include "providers/http2/growth.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tocsin::http2 {
namespace {

using namespace std::chrono_literals;

demand of(std::size_t known, duration round_trip, bool urgent = false, std::size_t streams = 100) {
    demand out;
    out.known = known;
    out.round_trip = round_trip;
    out.urgent = urgent;
    out.streams_of_one = streams;
    return out;
}

TEST(Growth, AVillageIsServedByOneConnectionHoweverUrgentItIs) {
    EXPECT_EQ(connections_for(of(120, 0ms)), 1U);
    EXPECT_EQ(connections_for(of(161, 0ms, true)), 1U);
    EXPECT_EQ(connections_for(of(161, 50ms)), 1U);
    EXPECT_EQ(connections_for(of(0, 50ms)), 1U);
}

TEST(Growth, AnAlertToATownIsGivenAtOnceWhatItsStreamsCanUse) {
    EXPECT_EQ(connections_for(of(750, 0ms, true)), 4U);
    EXPECT_GE(connections_for(of(30'000, 0ms, true)), 32U);
    EXPECT_GE(connections_for(of(30'000, 0ms, true, 1000)), 4U);
}

TEST(Growth, TheLongerTheRoundTripTheMoreConnectionsAreOfUse) {
    std::size_t before = 0;
    for (const duration round_trip : {1ms, 5ms, 20ms, 50ms, 100ms}) {
        const std::size_t wanted = connections_for(of(30'000, round_trip));
        EXPECT_GT(wanted, before);
        before = wanted;
    }
}

TEST(Growth, AProviderThatAnswersAtOnceNeedsFewForAnyNumberOfPushes) {
    EXPECT_LE(connections_for(of(1'000'000, 1ms)), 2U);
    EXPECT_LE(connections_for(of(1'000'000, 500us)), 2U);
}

TEST(Growth, WhatNobodyHasMeasuredYetOpensLessThanEverything) {
    const std::size_t at_first = connections_for(of(100'000, 0ms));
    EXPECT_GT(at_first, 4U);
    EXPECT_LT(at_first, connections_for(of(100'000, 50ms)));
}

TEST(Growth, AConnectionWithoutStreamsDivides) {
    EXPECT_GE(connections_for(of(100, 50ms, false, 0)), 1U);
}

}  // namespace
}  // namespace tocsin::http2
