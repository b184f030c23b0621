#include "engine/control/control_state.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

const target mairies_fcm{"mairies", platform::fcm};
const target dijon_apns{"dijon", platform::apns};

TEST(ControlState, AHoldCoversWhatItNamesAndNothingElse) {
    const hold_selector everything;
    const hold_selector app{"mairies", {}};
    const hold_selector one{"mairies", platform::fcm};
    EXPECT_TRUE(everything.covers(dijon_apns));
    EXPECT_TRUE(app.covers(mairies_fcm));
    EXPECT_FALSE(app.covers(dijon_apns));
    EXPECT_FALSE(one.covers(target{"mairies", platform::apns}));
    EXPECT_TRUE(everything.covers(one));
    EXPECT_TRUE(app.covers(one));
    EXPECT_FALSE(one.covers(app));
}

TEST(ControlState, SelectorsAreReadAsTheyAreWritten) {
    for (const hold_selector& which :
         {hold_selector{}, hold_selector{"a.b-c", {}}, hold_selector{"mairies", platform::apns},
          hold_selector{"", platform::fcm}}) {
        EXPECT_EQ(parse_hold_selector(to_string(which)), which);
    }
    EXPECT_FALSE(parse_hold_selector("mairies"));
    EXPECT_FALSE(parse_hold_selector("mairies/huawei"));
    EXPECT_FALSE(parse_hold_selector("/apns"));
}

TEST(ControlState, WhatCannotBeReadIsLeftOut) {
    control_state state;
    read_control_field(state, rate_field(mairies_fcm), "500");
    read_control_field(state, rate_field(dijon_apns), "many");
    read_control_field(state, "pause:nonsense", "1");
    read_control_field(state, "of a later version", "1");
    read_control_field(state, quota_field("fcm:/v1/projects/p"), "1700000000000");
    EXPECT_EQ(state.rates.size(), 1U);
    EXPECT_EQ(state.rates.at(mairies_fcm), 500U);
    EXPECT_TRUE(state.holds.empty());
    EXPECT_EQ(state.quotas.size(), 1U);
}

}  // namespace
}  // namespace tocsin
