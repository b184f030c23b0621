#include "tests/mistakes/given_answers.hpp"
#include "tests/mistakes/town.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// A wrong key, topic, environment, account or override of ours, or a proxy that answers in a provider's
// place: for minutes, everybody is answered the same, whatever that is. Nothing deletes on a guess: whoever
// lives is reached by the next event that is right.

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t a_city = 5'000;
#else
constexpr std::size_t a_city = 100'000;
#endif

struct mistaken_platform {
    const char* name;
    std::vector<given_answer> (*answers)();
};

struct mistake_case {
    mistaken_platform on;
    std::size_t devices;
};

void PrintTo(const mistake_case& given, std::ostream* out) {
    *out << given.on.name << " at " << given.devices;
}

const verdict& taken() {
    static const verdict out = [] {
        verdict made;
        made.action = reaction::accept;
        made.status = 200;
        return made;
    }();
    return out;
}

/// Two that the engine cannot tell apart, and counts under the same word.
bool alike(const given_answer& one, const given_answer& other) {
    constexpr std::uint32_t most_attempts = 5;
    constexpr std::uint16_t server_error = 500;
    for (std::uint32_t attempts = 0; attempts < most_attempts; ++attempts) {
        const verdict& a = one.to(attempts);
        const verdict& b = other.to(attempts);
        const bool same_kind =
            (a.status == 0) == (b.status == 0) && (a.status >= server_error) == (b.status >= server_error);
        if (a.action != b.action || a.reason != b.reason || a.retry_after != b.retry_after ||
            a.about_topic != b.about_topic || !same_kind) {
            return false;
        }
    }
    return one.certain == other.certain;
}

/// All that is answered on a platform; for a city, each kind once.
std::vector<given_answer> answers_for(const mistake_case& which) {
    std::vector<given_answer> out;
    for (const given_answer& one : which.on.answers()) {
        const bool known =
            std::ranges::any_of(out, [&](const given_answer& other) { return alike(one, other); });
        if (which.devices < a_city || !known) {
            out.push_back(one);
        }
    }
    return out;
}

class MistakesTest : public ::testing::TestWithParam<mistake_case> {
protected:
    /// Some minutes of the mistake, its correction, and an event that is right.
    static void live(town& here, std::size_t devices, const given_answer& what, std::size_t spared = 0) {
        here.publish();
        here.pass(5min, [&](std::size_t device, const push& item) -> const verdict& {
            const bool is_spared = spared != 0 && device % spared == 0;
            return is_spared ? taken() : what.to(item.attempts);
        });
        here.correct();
        const auto right = [](std::size_t, const push&) -> const verdict& { return taken(); };
        here.pass(2h, right);
        ASSERT_TRUE(here.over());
        std::size_t ended = 0;
        for (std::size_t i = 0; i < outcome_count; ++i) {
            ended += here.ended(static_cast<outcome>(i));
        }
        EXPECT_EQ(ended, devices) << "everybody has one outcome";

        here.keep_held();
        here.publish();
        here.pass(1min, right);
        ASSERT_TRUE(here.over());
        std::size_t missed = 0;
        for (std::size_t device = 0; device < devices; ++device) {
            missed += here.accepted(device) != (here.knows(device) ? 1 : 0) ? 1U : 0U;
        }
        EXPECT_EQ(missed, 0U) << "whoever is known is reached once";
    }

    [[nodiscard]] std::size_t devices() const { return GetParam().devices; }
};

TEST_P(MistakesTest, LoseNobodyWhateverEverybodyIsAnswered) {
    for (const given_answer& what : answers_for(GetParam())) {
        SCOPED_TRACE(what.name);
        town here(devices());
        live(here, devices(), what);
        // The certain word is taken for a village, and put to an operator for a city.
        const bool believed = what.certain && devices() < removal_limits{}.floor;
        ASSERT_EQ(here.in_store(), believed ? 0 : devices());
    }
}

class PartialMistakesTest : public MistakesTest {};

TEST_P(PartialMistakesTest, LoseNobodyWhileOneInTenIsServed) {
    constexpr std::size_t one_in = 10;
    for (const given_answer& what : answers_for(GetParam())) {
        SCOPED_TRACE(what.name);
        town here(devices());
        live(here, devices(), what, one_in);
        ASSERT_TRUE(what.certain || here.in_store() == devices());
    }
}

class EnvironmentMistakesTest : public MistakesTest {};

TEST_P(EnvironmentMistakesTest, LoseNobodyWhileTheOtherEnvironmentWorks) {
    constexpr std::size_t one_in = 3;
    for (const given_answer& what : answers_for(GetParam())) {
        SCOPED_TRACE(what.name);
        town here(devices(), false, one_in);
        live(here, devices(), what, one_in);
        ASSERT_TRUE(what.certain || here.in_store() == devices());
    }
}

class OverrideMistakesTest : public MistakesTest {};

TEST_P(OverrideMistakesTest, LoseNobodyWhateverEverybodyIsAnswered) {
    for (const given_answer& what : answers_for(GetParam())) {
        SCOPED_TRACE(what.name);
        town here(devices(), true);
        live(here, devices(), what);
        ASSERT_EQ(here.in_store(), devices());
    }
}

const mistaken_platform apns_platform{"Apns", apns_answers};
const mistaken_platform fcm_platform{"Fcm", fcm_answers};
const mistaken_platform webpush_platform{"WebPush", webpush_answers};

std::vector<mistake_case> cases(
    const std::vector<mistaken_platform>& platforms, const std::vector<std::size_t>& sizes) {
    std::vector<mistake_case> out;
    for (const mistaken_platform& on : platforms) {
        for (const std::size_t devices : sizes) {
            out.push_back({on, devices});
        }
    }
    return out;
}

const auto named = [](const ::testing::TestParamInfo<mistake_case>& test) {
    return std::string(test.param.on.name) + std::to_string(test.param.devices);
};

INSTANTIATE_TEST_SUITE_P(
    Of, MistakesTest,
    ::testing::ValuesIn(cases({apns_platform, fcm_platform, webpush_platform}, {5, 150, a_city})), named);
INSTANTIATE_TEST_SUITE_P(
    Of, PartialMistakesTest,
    ::testing::ValuesIn(cases({apns_platform, fcm_platform, webpush_platform}, {5, 150})), named);
// One environment has no other on any other platform.
INSTANTIATE_TEST_SUITE_P(
    Of, EnvironmentMistakesTest, ::testing::ValuesIn(cases({apns_platform}, {5, 150})), named);
// No override of Web Push has a say in where a message goes.
INSTANTIATE_TEST_SUITE_P(
    Of, OverrideMistakesTest, ::testing::ValuesIn(cases({apns_platform, fcm_platform}, {5, 150, a_city})),
    named);

}  // namespace
}  // namespace tocsin::testing
