#include "engine/delivery/removal_brake.hpp"

#include <ostream>
#include <string>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using enum removal_word;
using enum removal_moment;

/// `accepted` and `dead` of a hundred thousand are so many of them.
removal_facts event_of(std::uint64_t accepted, std::uint64_t dead, removal_moment when = page) {
    removal_facts out;
    out.event = {accepted, dead};
    out.when = when;
    return out;
}

removal_facts usually(answer_counts usual, removal_facts facts) {
    facts.usual = usual;
    return facts;
}

struct brake_case {
    std::string claim;
    removal_facts facts;
    removal_word word;
};

void PrintTo(const brake_case& one, std::ostream* out) {
    *out << one.claim;
}

const answer_counts one_in_a_hundred{990'000, 10'000};
const answer_counts nobody_dead{1'000'000, 0};
const answer_counts four_in_ten{60'000, 40'000};

class RemovalBrake : public ::testing::TestWithParam<brake_case> {};

TEST_P(RemovalBrake, Says) {
    const brake_case& one = GetParam();
    EXPECT_EQ(judge_removals(removal_limits{}, one.facts).word, one.word) << one.claim;
}

INSTANTIATE_TEST_SUITE_P(
    OfAnEvent, RemovalBrake,
    ::testing::Values(
        // What is not unusual goes at once, at any size.
        brake_case{"300 of 1,000", event_of(700, 300), remove},
        brake_case{
            "300 of 1,000 where nobody ever died, at the end of the event",
            usually(nobody_dead, event_of(700, 300, end)), remove},
        brake_case{"a tenth of a town", event_of(90'000, 10'000), remove},
        brake_case{
            "a tenth of a town where nobody ever died", usually(nobody_dead, event_of(90'000, 10'000)),
            remove},
        brake_case{"an old database, half of it dead, by its first event", event_of(50'000, 50'000), remove},
        brake_case{
            "as many as usual, and usual is much", usually(four_in_ten, event_of(50'000, 50'000)), remove},
        // A fault of a provider.
        brake_case{"all of 5,000 at the first event", event_of(0, 5'000), hold},
        brake_case{
            "all of 5,000 where one in a hundred is usual", usually(one_in_a_hundred, event_of(0, 5'000)),
            hold},
        brake_case{
            "nearly all of many, whatever is usual", usually(four_in_ten, event_of(500, 50'000)), hold},
        brake_case{
            "a third, where one in a hundred is usual", usually(one_in_a_hundred, event_of(60'000, 30'000)),
            hold},
        brake_case{"the same at the end", usually(one_in_a_hundred, event_of(60'000, 30'000, end)), hold},
        // What is too few to ask about: decided when it is known that no more come.
        brake_case{"a village of five, all dead, while it is sent to", event_of(0, 5), wait},
        brake_case{"a village of five, all dead, at its end", event_of(0, 5, end), remove},
        brake_case{
            "a village of five, all dead, whose sixth is tried for long", event_of(0, 5, overdue), remove},
        brake_case{"the first thousand of many, all dead", event_of(0, 1'000), wait},
        brake_case{"a thousand, all dead, at the end", event_of(0, 1'000, end), remove},
        brake_case{"one more", event_of(0, 1'001, end), hold}));

removal_facts with_small(answer_counts small, removal_facts facts) {
    facts.small = small;
    return facts;
}

removal_facts with_page(answer_counts of_page, std::uint64_t waiting, removal_facts facts) {
    facts.page = of_page;
    facts.waiting = waiting;
    return facts;
}

removal_facts answered(bool held, bool believed, removal_facts facts) {
    facts.held = held;
    facts.believed = believed;
    return facts;
}

INSTANTIATE_TEST_SUITE_P(
    OfManyEvents, RemovalBrake,
    ::testing::Values(
        brake_case{"a village after a thousand that died", with_small({0, 950}, event_of(0, 60)), hold},
        brake_case{
            "a village of the dead among thousands of the living",
            with_small({50'000, 1'200}, event_of(0, 60, end)), remove},
        brake_case{"single devices, as usual", with_small({99'000, 1'100}, event_of(0, 1, end)), remove},
        brake_case{
            "a city does not answer for the villages", with_small({0, 1'000}, event_of(90'000, 10'000)),
            remove}));

INSTANTIATE_TEST_SUITE_P(
    OfPages, RemovalBrake,
    ::testing::Values(
        brake_case{
            "a page of the dead in a large event",
            with_page({10, 990}, 0, usually(one_in_a_hundred, event_of(500'000, 6'000))), wait},
        brake_case{
            "two of them", with_page({10, 990}, 1'100, usually(one_in_a_hundred, event_of(500'000, 7'000))),
            hold},
        brake_case{
            "a page as usual beside them",
            with_page({990, 10}, 1'100, usually(one_in_a_hundred, event_of(500'000, 7'000))), remove},
        brake_case{
            "a small page that is all dead says nothing",
            with_page({0, 10}, 1'100, usually(one_in_a_hundred, event_of(500'000, 7'000))), remove},
        brake_case{
            "what waited of a page, at the end",
            with_page({10, 990}, 900, usually(one_in_a_hundred, event_of(500'000, 6'000, end))), remove}));

INSTANTIATE_TEST_SUITE_P(
    OfOperators, RemovalBrake,
    ::testing::Values(
        brake_case{
            "one dead device while the question is open", answered(true, false, event_of(9'999, 1)), hold},
        brake_case{"the same at the end", answered(true, false, event_of(9'999, 1, end)), hold},
        brake_case{
            "everybody, by a provider that is believed", answered(false, true, event_of(0, 5'000)), remove},
        brake_case{"one that waited, by then", answered(false, true, event_of(0, 5)), remove}));

TEST(RemovalBrakeLimits, AFloorOfZeroAsksNobody) {
    removal_limits off;
    off.floor = 0;
    EXPECT_EQ(judge_removals(off, event_of(0, 1'000'000)).word, remove);
    EXPECT_EQ(judge_removals(off, answered(true, false, event_of(0, 1'000'000))).word, remove);
}

TEST(RemovalBrakeLimits, WhatIsUnusualDependsOnWhatIsUsual) {
    const removal_limits limits;
    EXPECT_DOUBLE_EQ(unusual_share(limits, {0, 0}), 0.9);
    EXPECT_DOUBLE_EQ(unusual_share(limits, {0, 999}), 0.9);
    EXPECT_DOUBLE_EQ(unusual_share(limits, nobody_dead), 0.25);
    EXPECT_DOUBLE_EQ(unusual_share(limits, {900, 100}), 0.4);
    EXPECT_DOUBLE_EQ(unusual_share(limits, four_in_ten), 0.9);
}

TEST(RemovalBrakeLimits, AJudgementSaysWhatItIsAbout) {
    const auto judged = judge_removals(removal_limits{}, with_small({0, 950}, event_of(0, 60)));
    EXPECT_EQ(judged.seen, (answer_counts{0, 1'010}));
    EXPECT_DOUBLE_EQ(judged.limit, 0.9);
}

}  // namespace
}  // namespace tocsin
