#include "engine/delivery/removal_hold.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

removal_hold some_hold() {
    removal_hold out;
    out.since = 1'795'000'000'000;
    out.event = "crue \"2026\"";
    out.seen = {10, 5'000};
    out.usual = {98'800, 1'200};
    out.limit = 0.25;
    return out;
}

TEST(RemovalHold, IsReadBackAsItWasWritten) {
    const auto back = decode_hold(encode_hold(some_hold()));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->since, 1'795'000'000'000);
    EXPECT_EQ(back->event, "crue \"2026\"");
    EXPECT_EQ(back->seen.accepted, 10U);
    EXPECT_EQ(back->seen.dead, 5'000U);
    EXPECT_EQ(back->usual.accepted, 98'800U);
    EXPECT_EQ(back->usual.dead, 1'200U);
    EXPECT_EQ(back->limit, 0.25);
}

TEST(RemovalHold, WhatIsNoObjectIsNoneAndWhatMakesNoSenseInItIsLeftOut) {
    for (const char* const text : {"", "x", "[]", "1", "{", "\xff"}) {
        EXPECT_FALSE(decode_hold(text)) << text;
    }
    const auto odd =
        decode_hold(R"({"since":"now","event":7,"accepted":-1,"dead":1.5,"limit":"a lot","more":{}})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->since, 0);
    EXPECT_EQ(odd->event, "");
    EXPECT_EQ(odd->seen.answers(), 0U);
    EXPECT_EQ(odd->limit, 0);
}

TEST(RemovalHold, IsToldWithWhatIsUsualOnceThatIsKnown) {
    const target which{"mairies", platform::fcm};
    removal_hold why = some_hold();
    EXPECT_EQ(
        sentence_about(which, why),
        "the provider calls 5000 of 5010 devices of mairies/fcm gone (usually 1.2 %)");
    why.usual = {answers_to_know - 2, 1};
    EXPECT_EQ(
        sentence_about(which, why),
        "the provider calls 5000 of 5010 devices of mairies/fcm gone (what is usual is not known yet)");
    why.usual = {answers_to_know - 1, 1};
    EXPECT_NE(sentence_about(which, why).find("usually 0.1 %"), std::string::npos);
}

}  // namespace
}  // namespace tocsin
