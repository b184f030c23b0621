#include "engine/delivery/lane_numbers.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

class LaneNumbersTest : public ::testing::Test {
protected:
    [[nodiscard]] std::uint64_t count(metric which, std::string_view label) {
        return shard.counter(which, {"dijon", "fcm", label}).read();
    }

    metrics all;
    metrics_shard& shard = all.add_shard();
    lane_numbers subject{shard, {"dijon", platform::fcm}};
};

TEST_F(LaneNumbersTest, EachOutcomeIsCountedUnderItsName) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        for (std::size_t times = 0; times <= i; ++times) {
            subject.ended(static_cast<outcome>(i));
        }
    }
    for (std::size_t i = 0; i < outcome_count; ++i) {
        EXPECT_EQ(count(metric::pushes_total, outcome_names[i]), i + 1) << outcome_names[i];
    }
}

TEST_F(LaneNumbersTest, TimeIsCountedUnderWhatBindsTheLaneAndAnIdleOneIsBoundByNothing) {
    subject.bound(lane_bound::rate, 1500us);
    subject.bound(lane_bound::rate, 1500us);
    subject.bound(lane_bound::operator_hold, 7us);
    subject.bound(lane_bound::idle, 1h);
    EXPECT_EQ(count(metric::throttled_seconds_total, "rate"), 3'000U);
    EXPECT_EQ(count(metric::throttled_seconds_total, "operator"), 7U);
    EXPECT_EQ(all.exposition().find("cause=\"idle\""), std::string::npos);
}

TEST_F(LaneNumbersTest, APeerThatInventsReasonsFillsOneRowWithThem) {
    for (int i = 0; i < 70; ++i) {
        subject.retried("Reason" + std::to_string(i));
    }
    subject.retried("Reason0");
    subject.retried("Reason63");
    subject.retried("Reason64");
    EXPECT_EQ(count(metric::retries_total, "Reason0"), 2U);
    EXPECT_EQ(count(metric::retries_total, "Reason63"), 2U) << "the last that has a row of its own";
    EXPECT_EQ(count(metric::retries_total, "Other"), 7U);
    EXPECT_EQ(all.exposition().find("Reason64"), std::string::npos);
}

TEST_F(LaneNumbersTest, AnAnswerThatSeemsToComeBeforeItsRequestTookNoTime) {
    subject.answered_after(-1s);
    subject.answered_after(2s);
    const std::string page = all.exposition();
    EXPECT_NE(page.find("push_seconds_sum{app=\"dijon\",platform=\"fcm\"} 2\n"), std::string::npos) << page;
    EXPECT_NE(page.find("push_seconds_count{app=\"dijon\",platform=\"fcm\"} 2\n"), std::string::npos);
}

}  // namespace
}  // namespace tocsin
