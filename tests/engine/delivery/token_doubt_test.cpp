#include "engine/delivery/token_doubt.hpp"

#include "tests/engine/delivery/page_fixture.hpp"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class TokenDoubtTest : public ::testing::Test {
protected:
    std::unique_ptr<page> make(std::size_t count) {
        return testing::make_page(testing::make_event(time), count, content);
    }
    void keep(page& of, std::size_t first, std::size_t count) {
        for (std::size_t i = first; i < first + count; ++i) {
            doubt.keep(of.pushes()[i], "BadDeviceToken", time.now());
        }
    }

    testing::manual_time time;
    testing::plain_message content;
    token_doubt doubt{{}};
};

TEST_F(TokenDoubtTest, HandsBackWhatItKeptOfOnePageAlone) {
    const auto one = make(3);
    const auto other = make(3);
    keep(*one, 0, 3);
    keep(*other, 0, 1);
    EXPECT_TRUE(one->only_trials_left());
    EXPECT_EQ(doubt.release(*one).size(), 3U);
    EXPECT_FALSE(one->only_trials_left());
    EXPECT_EQ(doubt.kept(), 1U);
    EXPECT_EQ(doubt.last_reason(), "BadDeviceToken");
    EXPECT_EQ(doubt.release().size(), 1U);
    EXPECT_EQ(doubt.last_reason(), "");
}

TEST_F(TokenDoubtTest, ATownOfThemIsImplausibleWithoutASingleSuccess) {
    const auto town = make(20);
    keep(*town, 0, 19);
    EXPECT_FALSE(doubt.implausible(0));
    keep(*town, 19, 1);
    EXPECT_TRUE(doubt.implausible(0));
    EXPECT_TRUE(doubt.in_doubt());
}

TEST_F(TokenDoubtTest, AfterATripAHandfulIsTriedAndASuccessEndsTheDoubt) {
    EXPECT_EQ(doubt.trip(), 1min);
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(doubt.may_send());
        doubt.sent();
    }
    EXPECT_FALSE(doubt.may_send());
    doubt.accepted(time.now());
    EXPECT_TRUE(doubt.may_send());
    EXPECT_FALSE(doubt.in_doubt());
    EXPECT_EQ(doubt.trip(), 1min);
}

TEST_F(TokenDoubtTest, AHandfulThatSaidNothingIsFollowedByAnother) {
    EXPECT_EQ(doubt.trip(), 1min);
    for (int i = 0; i < 5; ++i) {
        doubt.sent();
    }
    doubt.look(1);
    EXPECT_FALSE(doubt.may_send());
    EXPECT_FALSE(doubt.implausible(1));
    EXPECT_TRUE(doubt.implausible(0));
    doubt.look(0);
    EXPECT_TRUE(doubt.may_send());
}

TEST_F(TokenDoubtTest, EachTripWaitsTwiceAsLongUpToAQuarterOfAnHour) {
    EXPECT_EQ(doubt.trip(), 1min);
    EXPECT_EQ(doubt.trip(), 2min);
    EXPECT_EQ(doubt.trip(), 4min);
    EXPECT_EQ(doubt.trip(), 8min);
    EXPECT_EQ(doubt.trip(), 16min);
    EXPECT_EQ(doubt.trip(), 16min);
    doubt.forget();
    EXPECT_TRUE(doubt.may_send());
    EXPECT_EQ(doubt.trip(), 1min);
}

}  // namespace
}  // namespace tocsin
