#include "providers/webpush/service_state.hpp"

#include <gtest/gtest.h>

namespace tocsin::webpush {
namespace {

using namespace std::chrono_literals;

class ServiceStateTest : public ::testing::Test {
protected:
    time_point now{1h};
    service_state subject;

    void refuse(std::uint32_t times, std::optional<std::chrono::milliseconds> told = {}) {
        for (std::uint32_t i = 0; i < times; ++i) {
            static_cast<void>(subject.refused(now, told));
        }
    }
};

TEST_F(ServiceStateTest, SingleDevicesThatAreThrottledDoNotSilenceAService) {
    for (int i = 0; i < 100; ++i) {
        refuse(service_state::refusals_to_pause - 1, 60s);
        subject.accepted();
    }
    EXPECT_EQ(subject.wait(now), 0ms);
}

TEST_F(ServiceStateTest, AServiceThatTurnsEverythingAwayIsLeftAloneAsLongAsItSays) {
    refuse(service_state::refusals_to_pause, 120s);
    EXPECT_EQ(subject.wait(now), 120s);
    EXPECT_EQ(subject.wait(now + 119s), 1s);
    EXPECT_EQ(subject.wait(now + 120s), 0ms);
}

TEST_F(ServiceStateTest, AfterAPauseItIsProbedUntilItTakesSomething) {
    refuse(service_state::refusals_to_pause, 5s);
    now += 5s;
    EXPECT_EQ(subject.most_in_flight(), service_state::probes);
    refuse(1, 5s);
    EXPECT_EQ(subject.wait(now), 5s);
    now += 5s;
    subject.accepted();
    EXPECT_GT(subject.most_in_flight(), 1'000U);
}

TEST_F(ServiceStateTest, WithoutAWordOfItsOwnThePausesGrow) {
    std::chrono::milliseconds last = 0ms;
    for (int i = 0; i < 5; ++i) {
        refuse(service_state::refusals_to_pause);
        EXPECT_GT(subject.wait(now), last);
        last = subject.wait(now);
        now += last;
    }
    for (int i = 0; i < 50; ++i) {
        refuse(service_state::refusals_to_pause);
        EXPECT_LE(subject.wait(now), 30s);
        now += subject.wait(now);
    }
}

TEST_F(ServiceStateTest, UntilTheCredentialIsKnownToBeGoodLittleIsSent) {
    EXPECT_EQ(subject.most_in_flight(), service_state::most_unproven);
    subject.accepted();
    EXPECT_GT(subject.most_in_flight(), 1'000U);
    EXPECT_FALSE(subject.denied());
    EXPECT_FALSE(subject.denied());
    subject.accepted();
    EXPECT_FALSE(subject.denied()) << "one device that subscribed with another key says nothing";
    EXPECT_FALSE(subject.denied());
    EXPECT_TRUE(subject.denied());
    EXPECT_EQ(subject.most_in_flight(), service_state::most_unproven);
}

TEST_F(ServiceStateTest, OneThatCannotBeReachedIsSentToOnceThereIsAConnection) {
    subject.lost(now);
    EXPECT_FALSE(subject.reachable());
    EXPECT_GT(subject.wait(now), 0ms);
    subject.found(now);
    EXPECT_TRUE(subject.reachable());
    EXPECT_EQ(subject.wait(now), 0ms);
}

TEST_F(ServiceStateTest, AConnectionDoesNotEndThePauseThatTheServiceAskedFor) {
    refuse(service_state::refusals_to_pause, 60s);
    subject.found(now);
    EXPECT_EQ(subject.wait(now), 60s);
}

}  // namespace
}  // namespace tocsin::webpush
