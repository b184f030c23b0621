#include "engine/plan/roll_call.hpp"

#include "tests/support/redis_fixture.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class RollCallTest : public testing::redis_fixture {
protected:
    std::size_t answer(roll_call& who, wall_time at) { return run(who.answer(at)).value(); }

    roll_call one{redis, keys, "one"};
    roll_call other{redis, keys, "other"};
    const wall_time now = time.wall_now();
};

TEST_F(RollCallTest, CountsWhoAnswersAndNobodyTwice) {
    EXPECT_EQ(answer(one, now), 1U);
    EXPECT_EQ(answer(other, now), 2U);
    EXPECT_EQ(answer(one, now + 1s), 2U);
}

TEST_F(RollCallTest, ForgetsWhoHasLeftAndSoonWhoHasDied) {
    EXPECT_EQ(answer(one, now), 1U);
    EXPECT_EQ(answer(other, now), 2U);
    ASSERT_TRUE(run(other.leave()).has_value());
    EXPECT_EQ(answer(one, now), 1U);
    EXPECT_EQ(answer(other, now), 2U);
    EXPECT_EQ(answer(one, now + 4s), 2U);
    EXPECT_EQ(answer(one, now + 6s), 1U);
}

}  // namespace
}  // namespace tocsin
