#include "tools/tocsin/paused_lanes.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

lane_status lane(const char* app, lane_bound bound, std::string because = {}) {
    lane_status out;
    out.which = {app, platform::apns};
    out.bound = bound;
    out.paused_because = std::move(because);
    return out;
}

TEST(PausedLanes, OnlyACredentialWaitsForSomebody) {
    EXPECT_EQ(paused_lanes({}), "");
    for (std::size_t i = 0; i < lane_bound_count; ++i) {
        const auto bound = static_cast<lane_bound>(i);
        EXPECT_EQ(paused_lanes({lane("mairies", bound, "Why")}).empty(), bound != lane_bound::credential)
            << to_string(bound);
    }
}

TEST(PausedLanes, EachIsNamedOnceHoweverManyThreadsHaveOne) {
    const lane_status dijon = lane("dijon", lane_bound::credential, "BadCertificate");
    const lane_status lyon = lane("lyon", lane_bound::credential, "InvalidProviderToken");
    EXPECT_EQ(
        paused_lanes({lyon, dijon, dijon}),
        "dijon/apns is paused: BadCertificate; lyon/apns is paused: InvalidProviderToken");
}

TEST(PausedLanes, OneWithoutAReasonIsNotPausedForNothing) {
    EXPECT_EQ(paused_lanes({lane("dijon", lane_bound::credential)}), "dijon/apns waits for its credential");
}

}  // namespace
}  // namespace tocsin::cli
