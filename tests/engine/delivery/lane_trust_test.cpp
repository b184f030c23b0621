#include "engine/delivery/lane_trust.hpp"

#include "tests/support/manual_time.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class LaneTrustTest : public ::testing::Test {
protected:
    lane_facts facts(bool sandbox = false, const std::string& token = "asking") {
        lane_facts out;
        trust.tell(out, sandbox, token, time.now());
        return out;
    }
    void trouble(const std::string& token, bool told = false, bool sandbox = false) {
        trust.note_trouble(sandbox, token, told, time.now());
    }

    testing::manual_time time;
    lane_trust trust;
};

TEST_F(LaneTrustTest, AtFirstNothingIsKnown) {
    const lane_facts known = facts();
    EXPECT_FALSE(known.works);
    EXPECT_FALSE(known.other_kind_works);
    EXPECT_FALSE(known.provider_unheard);
    EXPECT_EQ(known.credential_complaints + known.provider_complaints + known.suspects, 0U);
}

TEST_F(LaneTrustTest, ComplaintsCountUntilSomethingOfThatKindIsAccepted) {
    for (int i = 0; i < 2; ++i) {
        trust.note(false, complaint::credential);
        trust.note(false, complaint::token);
        trust.note(false, complaint::none);
    }
    trust.note(true, complaint::credential);
    EXPECT_EQ(facts().credential_complaints, 2U);
    EXPECT_EQ(facts().suspects, 2U);
    EXPECT_EQ(facts(true).credential_complaints, 1U);
    trust.accepted(true, time.now());
    EXPECT_EQ(facts(true).credential_complaints, 0U);
    EXPECT_EQ(facts().credential_complaints, 2U)
        << "one environment can be set up wrong while the other works";
    trust.accepted(false, time.now());
    EXPECT_EQ(facts().credential_complaints, 0U);
    EXPECT_EQ(facts().suspects, 0U);
}

TEST_F(LaneTrustTest, ItWorksForTenMinutesAfterAnAcceptance) {
    trust.accepted(false, time.now());
    time.advance(10min - 1ns);
    EXPECT_TRUE(facts().works);
    EXPECT_TRUE(facts(true).other_kind_works);
    EXPECT_FALSE(facts(true).works);
    time.advance(1ns);
    EXPECT_FALSE(facts().works);
    EXPECT_FALSE(facts(true).other_kind_works);
}

TEST_F(LaneTrustTest, AProvidersTroubleIsWhatOtherDevicesComplainOf) {
    trouble("a");
    trouble("a");
    trouble("b", true);
    trouble("asking", true);
    EXPECT_EQ(facts().provider_complaints, 2U) << "each device counts once, and the asking one not";
    EXPECT_EQ(facts().provider_told, 1U);
    EXPECT_EQ(facts(false, "another").provider_complaints, 3U);
    EXPECT_EQ(facts(false, "another").provider_told, 2U);
    trouble("a", true);
    EXPECT_EQ(facts().provider_told, 2U) << "it was told the second time";
    EXPECT_EQ(facts(true).provider_complaints, 0U);
}

TEST_F(LaneTrustTest, MoreComplainersThanItTakesToPauseAreNotRemembered) {
    for (std::uint32_t i = 0; i < 2 * provider_complaints_to_pause; ++i) {
        trouble("device-" + std::to_string(i));
    }
    EXPECT_EQ(facts().provider_complaints, provider_complaints_to_pause);
}

TEST_F(LaneTrustTest, TroubleLastsUntilAnAnswerShowsThatTheProviderServes) {
    trouble("a");
    time.advance(3min);
    trouble("b");
    EXPECT_EQ(facts().provider_complaints, 2U);
    trust.served(false, time.now());
    EXPECT_EQ(facts().provider_complaints, 0U);
    time.advance(1min);
    trouble("a");
    EXPECT_EQ(facts().provider_complaints, 1U);
}

TEST_F(LaneTrustTest, AComplaintOfTwentyMinutesAgoWasOfAnotherTrouble) {
    trouble("a");
    time.advance(20min);
    trouble("b");
    EXPECT_EQ(facts().provider_complaints, 2U);
    time.advance(20min + 1ns);
    trouble("c");
    EXPECT_EQ(facts().provider_complaints, 1U);
}

TEST_F(LaneTrustTest, AProviderIsUnheardUnlessItServedTheOtherEnvironmentSince) {
    EXPECT_FALSE(facts().provider_unheard);
    trust.served(true, time.now());
    time.advance(1s);
    trouble("a");
    EXPECT_TRUE(facts().provider_unheard) << "that was before";
    time.advance(1s);
    trust.served(true, time.now());
    EXPECT_FALSE(facts().provider_unheard);
    EXPECT_FALSE(facts(true).provider_unheard);
}

TEST_F(LaneTrustTest, WhatWasCorrectedIsForgotten) {
    trust.accepted(true, time.now());
    trust.note(false, complaint::credential);
    trouble("a");
    trust.forget();
    const lane_facts known = facts();
    EXPECT_EQ(known.credential_complaints + known.provider_complaints, 0U);
    EXPECT_FALSE(known.other_kind_works);
    EXPECT_FALSE(known.provider_unheard);
}

}  // namespace
}  // namespace tocsin
