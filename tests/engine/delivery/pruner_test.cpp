#include "engine/delivery/pruner.hpp"

#include "providers/known_platforms.hpp"
#include "tests/engine/delivery/removal_stage.hpp"
#include "tests/support/redis_server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using testing::dead_list;
using ::testing::HasSubstr;
using testing::removal_stage;
using outcome_of = pruner::prune_outcome;

class PrunerTest : public ::testing::Test {
protected:
    /// An event in which a provider calls all of so many gone, as far as the first `settled` of them.
    void all_die(std::size_t count, std::size_t first = 0) {
        here.event_has("crue", 0, count);
        EXPECT_EQ(here.prune("crue", here.called_dead("crue", first, count)), outcome_of::done);
    }

    testing::redis_server server;
    removal_stage here{server.url()};
};

TEST_F(PrunerTest, ThreeHundredOfAThousandAreRemovedAtOnceAndReported) {
    here.enroll(0, 1'000);
    here.event_has("crue", 700, 300);
    EXPECT_EQ(here.prune("crue", here.called_dead("crue", 0, 300)), outcome_of::done);
    EXPECT_EQ(here.devices(), 700U);
    EXPECT_EQ(here.reported(), 300);
    EXPECT_TRUE(here.left_of("crue").empty());
    EXPECT_TRUE(here.questions().empty());
}

TEST_F(PrunerTest, ATenthOfATownIsRemovedWithItsPagesAndNobodyIsAsked) {
    here.enroll(0, 20'000);
    for (std::size_t page = 0; page < 20; ++page) {
        here.event_has("crue", 900 * (page + 1), 100 * (page + 1));
        EXPECT_EQ(
            here.prune(
                "crue", here.called_dead("crue", page * 1'000, 100), removal_moment::page,
                answer_counts{900, 100}),
            outcome_of::done);
        EXPECT_EQ(here.devices(), 20'000U - 100 * (page + 1));
    }
    EXPECT_EQ(here.reported(), 2'000);
    EXPECT_TRUE(here.questions().empty());
}

TEST_F(PrunerTest, AVillageThatDiesWhollyIsRemovedAtTheEndOfItsEvent) {
    here.enroll(0, 5);
    here.event_has("crue", 0, 5);
    EXPECT_EQ(here.prune("crue", here.called_dead("crue", 0, 5)), outcome_of::some_wait);
    EXPECT_EQ(here.devices(), 5U);
    dead_list left = here.left_of("crue");
    ASSERT_EQ(left.size(), 5U);
    EXPECT_TRUE(waits_for_the_end(left.front().second));
    EXPECT_EQ(here.prune("crue", std::move(left), removal_moment::end), outcome_of::done);
    EXPECT_EQ(here.devices(), 0U);
    EXPECT_EQ(here.reported(), 5);
    EXPECT_TRUE(here.left_of("crue").empty());
    EXPECT_THAT(server.cli({"XRANGE", "tocsin:feedback", "-", "+"}), HasSubstr(R"("reason":"UNREGISTERED")"));
}

TEST_F(PrunerTest, AVillageWhoseEventGoesOnForHoursDoesNotWaitForIt) {
    here.enroll(0, 5);
    here.event_has("crue", 0, 5);
    here.prune("crue", here.called_dead("crue", 0, 5));
    EXPECT_EQ(here.prune("crue", here.left_of("crue"), removal_moment::overdue), outcome_of::done);
    EXPECT_EQ(here.devices(), 0U);
}

TEST_F(PrunerTest, NothingIsWrittenForAnEventThatHasEnded) {
    here.enroll(0, 5);
    here.event_has("crue", 0, 5);
    dead_list dead = here.called_dead("crue", 0, 5);
    server.cli({"DEL", here.keys.dead("crue")});
    server.cli({"HSET", here.keys.ledger("crue"), "state", "finished"});
    here.prune("crue", std::move(dead));
    EXPECT_EQ(server.cli({"EXISTS", here.keys.dead("crue")}), "0");
}

TEST_F(PrunerTest, AProviderThatCallsAllOfManyGoneRemovesNobodyAndAnOperatorIsAskedOnce) {
    here.enroll(0, 3'000);
    here.event_has("crue", 0, 900);
    EXPECT_EQ(here.prune("crue", here.called_dead("crue", 0, 900)), outcome_of::some_wait);
    here.event_has("crue", 0, 2'000);
    EXPECT_EQ(here.prune("crue", here.called_dead("crue", 900, 1'100)), outcome_of::done);
    here.event_has("crue", 0, 3'000);
    EXPECT_EQ(here.prune("crue", here.called_dead("crue", 2'000, 1'000)), outcome_of::done);
    EXPECT_EQ(here.prune("crue", here.left_of("crue"), removal_moment::end), outcome_of::done);

    EXPECT_EQ(here.devices(), 3'000U);
    EXPECT_EQ(here.reported(), 0);
    EXPECT_TRUE(here.left_of("crue").empty());
    const auto open = here.questions();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open[0].which, here.which);
    EXPECT_EQ(open[0].devices, 3'000U);
    EXPECT_EQ(server.cli({"HGET", here.keys.ledger("crue"), "removals_held"}), "3000");
    EXPECT_EQ(open[0].unlisted, 0U);
    EXPECT_EQ(open[0].why.event, "crue");
    EXPECT_EQ(open[0].why.seen, (answer_counts{0, 2'000}));
    EXPECT_EQ(open[0].why.since, here.now.wall_now().time_since_epoch().count());
    EXPECT_EQ(here.log.events["removals.held"], 1);
    EXPECT_THAT(here.log.last, HasSubstr("tocsin devices prune"));
}

TEST_F(PrunerTest, WhatIsKeptLivesAndIsForgotten) {
    here.enroll(0, 2'000);
    all_die(2'000);
    EXPECT_EQ(here.run(here.removals.keep(here.which)).value(), 2'000U);
    EXPECT_TRUE(here.questions().empty());
    EXPECT_EQ(here.devices(), 2'000U);
    EXPECT_EQ(here.reported(), 0);
    EXPECT_EQ(server.cli({"EXISTS", here.keys.held_devices("mairies", platform::fcm)}), "0");
    // What came after is judged by itself.
    here.event_has("next", 1'999, 1);
    EXPECT_EQ(here.prune("next", here.called_dead("next", 0, 1)), outcome_of::done);
    EXPECT_EQ(here.devices(), 1'999U);
    EXPECT_TRUE(here.questions().empty());
}

TEST_F(PrunerTest, WhatIsConfirmedIsRemovedAndReportedUnlessItHasRegisteredAgainOrLeft) {
    here.enroll(0, 2'000);
    all_die(2'000);
    here.enroll(0, 3, 2);  // Registered again, a second later.
    here.withdraw(3);
    const auto done = here.run(here.remover.remove_held(here.which)).value();
    EXPECT_EQ(done.kept, 3U);
    EXPECT_EQ(done.removed, 1'996U);
    EXPECT_EQ(here.devices(), 3U);
    EXPECT_EQ(here.reported(), 1'996);
    EXPECT_TRUE(here.questions().empty());
    // Again, after nobody knows how far it had got.
    EXPECT_EQ(here.run(here.remover.remove_held(here.which)).value().removed, 0U);
}

TEST_F(PrunerTest, WhoIsConfirmedOnceIsBelievedForADayAndNoLonger) {
    here.enroll(0, 6'000);
    all_die(2'000);
    ASSERT_TRUE(here.run(here.remover.remove_held(here.which)).has_value());
    here.event_has("next", 0, 2'000);
    here.prune("next", here.called_dead("next", 2'000, 2'000));
    EXPECT_EQ(here.devices(), 2'000U);
    here.now.advance(std::chrono::hours(24));
    here.event_has("later", 0, 2'000);
    here.prune("later", here.called_dead("later", 4'000, 2'000));
    EXPECT_EQ(here.devices(), 2'000U);
    EXPECT_EQ(here.questions().size(), 1U);
}

TEST_F(PrunerTest, WhileAQuestionIsOpenNobodyElseOfThatTargetIsRemoved) {
    here.enroll(0, 2'001);
    all_die(2'000);
    here.event_has("other", 100'000, 1);
    here.prune("other", here.called_dead("other", 2'000, 1));
    EXPECT_EQ(here.devices(), 2'001U);
    EXPECT_EQ(here.questions().at(0).devices, 2'001U);
    EXPECT_EQ(here.log.events["removals.held"], 1);
}

TEST_F(PrunerTest, TwoEnginesAskOneQuestionAboutAllOfTheirs) {
    using namespace boost::asio::experimental::awaitable_operators;
    here.enroll(0, 4'000);
    here.event_has("crue", 0, 4'000);
    redis::client second(
        here.loop.get_executor(), redis::parse_address(server.url()).value(), here.machine, here.log);
    ledger their_book(second, here.keys, "two");
    device_store their_store(second, here.keys, known_platforms(), here.sizing);
    pruner other(their_store, their_book, known_platforms(), here.now, here.log, here.terms);
    dead_list ours = here.called_dead("crue", 0, 2'000);
    dead_list theirs = here.called_dead("crue", 2'000, 2'000);
    const auto [a, b] = here.run(
        here.remover.prune("crue", std::move(ours), removal_moment::page) &&
        other.prune("crue", std::move(theirs), removal_moment::page));
    EXPECT_TRUE(a.has_value() && b.has_value());
    EXPECT_EQ(here.devices(), 4'000U);
    EXPECT_EQ(here.questions().at(0).devices, 4'000U);
    EXPECT_EQ(here.log.events["removals.held"], 1);
    EXPECT_TRUE(here.left_of("crue").empty());
}

TEST_F(PrunerTest, OneEngineAtATimeRemovesWhatWaitsUntilItFallsSilent) {
    ledger theirs(here.redis, here.keys, "two");
    const auto ours = [&] { return here.run(here.book.claim_dead("crue", here.now.wall_now())).value(); };
    const auto other = [&] { return here.run(theirs.claim_dead("crue", here.now.wall_now())).value(); };
    here.event_has("crue", 0, 5);
    EXPECT_EQ(ours(), ledger::claimed::ours);
    EXPECT_EQ(other(), ledger::claimed::theirs);
    EXPECT_EQ(ours(), ledger::claimed::ours) << "it may begin again";
    here.now.advance(std::chrono::seconds(16));
    EXPECT_EQ(other(), ledger::claimed::ours);
    EXPECT_EQ(ours(), ledger::claimed::theirs);
}

TEST_F(PrunerTest, WhatAnotherProgramHasWrittenWhereWeKeepBooksAndReportsRemovesNobodyAndEndsNoEvent) {
    here.enroll(0, 3'000);
    const std::vector<std::pair<std::string, std::size_t>> cases{
        {here.keys.answers("mairies", platform::fcm), 5},
        {here.keys.removed_devices("mairies", platform::fcm), 5},
        {here.keys.unregistered("mairies", platform::fcm), 5},
        {here.keys.feedback(), 5},
        {here.keys.held_devices("mairies", platform::fcm), 2'000}};
    int said = 0;
    for (const auto& [key, count] : cases) {
        server.cli({"FLUSHALL"});
        here.enroll(0, 3'000);
        server.cli({"SET", key, "x"});
        here.event_has("crue", count == 5 ? 3'000 : 0, count);
        pruner fresh(here.store, here.book, known_platforms(), here.now, here.log, here.terms);
        for (const std::size_t first : {std::size_t{0}, count / 2}) {
            dead_list dead = here.called_dead("crue", first, count / 2);
            const auto pruned = here.run(fresh.prune("crue", std::move(dead), removal_moment::page));
            ASSERT_TRUE(pruned.has_value()) << key << ": " << pruned.error().message();
            EXPECT_EQ(*pruned, outcome_of::done);
        }
        EXPECT_EQ(here.devices(), 3'000U) << key;
        EXPECT_NE(server.cli({"TYPE", here.keys.feedback()}), "stream") << key;
        EXPECT_TRUE(here.left_of("crue").empty()) << key;
        EXPECT_EQ(here.log.events["removals.unreadable"], ++said) << key;
        EXPECT_EQ(server.cli({"GET", key}), "x");
    }
    EXPECT_THAT(here.log.last, HasSubstr("tocsin:{removals:mairies/fcm}:* tocsin:feedback"));
}

TEST_F(PrunerTest, WhoCannotBeReportedStaysUntilTheNextEventAsks) {
    here.enroll(0, 5);
    server.cli({"SET", here.keys.feedback(), "x"});
    here.event_has("crue", 100, 5);
    here.prune("crue", here.called_dead("crue", 0, 5));
    EXPECT_EQ(here.devices(), 5U);
    server.cli({"DEL", here.keys.feedback()});
    here.event_has("gel", 100, 5);
    here.prune("gel", here.called_dead("gel", 0, 5));
    EXPECT_EQ(here.devices(), 0U);
    EXPECT_EQ(here.reported(), 5);
}

TEST_F(PrunerTest, AnOperatorWhoSaysRemoveIsToldWhenNobodyCanBeReported) {
    here.enroll(0, 2'000);
    all_die(2'000);
    ASSERT_EQ(here.questions().size(), 1U);
    server.cli({"SET", here.keys.feedback(), "x"});
    EXPECT_EQ(here.run(here.remover.remove_held(here.which)).error(), redis::redis_errc::damaged);
    EXPECT_EQ(here.devices(), 2'000U);
    server.cli({"DEL", here.keys.feedback()});
    EXPECT_EQ(here.run(here.remover.remove_held(here.which)).value().removed, 2'000U);
    EXPECT_EQ(here.reported(), 2'000);
}

TEST_F(PrunerTest, WhoeverGoesOnAfterAnEngineThatDiedOnTheWayToAQuestionAsksItOnce) {
    here.enroll(0, 2'000);
    here.event_has("crue", 0, 2'000);
    const dead_list dead = here.called_dead("crue", 0, 2'000);
    // Held, and dead before it was said anywhere or taken off the event's list.
    std::vector<held_device> devices;
    for (const auto& [member, reason] : dead) {
        const auto one = decode_dead(member).value();
        devices.push_back({one.token, one.entry, reason, "crue"});
    }
    ASSERT_TRUE(here.run(here.removals.hold(here.which, removal_hold{}, devices)).has_value());
    server.cli({"DEL", here.keys.removals_held()});
    ASSERT_EQ(here.left_of("crue").size(), 2'000U);

    here.prune("crue", here.left_of("crue"), removal_moment::end);
    EXPECT_EQ(here.devices(), 2'000U);
    EXPECT_EQ(here.reported(), 0);
    EXPECT_EQ(here.questions().at(0).devices, 2'000U);
    EXPECT_TRUE(here.left_of("crue").empty());
}

TEST_F(PrunerTest, WhatBeginsInTheMiddleOfALargeEventIsNoticedByItsPages) {
    here.enroll(0, 3'000);
    ASSERT_TRUE(here.run(here.remover.learn("before", here.which, {99'000, 1'000})).has_value());
    for (std::size_t page = 0; page < 3; ++page) {
        here.event_has("crue", 500'000, 5'000 + 1'000 * (page + 1));
        here.prune(
            "crue", here.called_dead("crue", page * 1'000, 1'000), removal_moment::page,
            answer_counts{20, 1'000});
    }
    EXPECT_EQ(here.devices(), 3'000U);
    here.prune("crue", here.left_of("crue"), removal_moment::end);
    EXPECT_EQ(here.devices(), 3'000U);
    EXPECT_EQ(here.questions().at(0).devices, 3'000U);
}

TEST_F(PrunerTest, AFaultOfAThousandVillagesIsHeldOnceItIsMoreThanTheFloor) {
    here.enroll(0, 2'000);
    for (std::size_t n = 0; n < 20; ++n) {
        const std::string id = "village-" + std::to_string(n);
        here.event_has(id, 0, 100);
        here.prune(id, here.called_dead(id, n * 100, 100), removal_moment::end);
        ASSERT_TRUE(here.run(here.remover.learn(id, here.which, {0, 100})).has_value());
    }
    EXPECT_EQ(here.devices(), 1'000U);
    EXPECT_EQ(here.questions().at(0).devices, 1'000U);
}

TEST_F(PrunerTest, AFaultOfManyVillagesAtOnceIsNoticedBeforeAnyOfTheirEventsHasEnded) {
    here.enroll(0, 4'000);
    for (std::size_t n = 0; n < 40; ++n) {
        const std::string id = "village-" + std::to_string(n);
        here.event_has(id, 0, 100);
        here.prune(id, here.called_dead(id, n * 100, 100), removal_moment::end);
    }
    EXPECT_EQ(here.devices(), 3'000U);
    EXPECT_EQ(here.questions().at(0).devices, 3'000U);
}

TEST_F(PrunerTest, AnEventCountsOnceAmongTheSmallOnesAndNotAtAllWhenItHasGrownLarge) {
    const auto others = [&] {
        return here.run(here.removals.facts("none", here.which, 1'000)).value().small;
    };
    const auto judge = [&] { return here.run(here.removals.facts("crue", here.which, 1'000)).value().small; };
    here.event_has("crue", 10, 5);
    EXPECT_EQ(judge(), answer_counts{}) << "itself is none of the others";
    EXPECT_EQ(judge(), answer_counts{});
    EXPECT_EQ(others(), (answer_counts{10, 5}));
    here.now.advance(std::chrono::hours(1));
    here.event_has("crue", 100, 50);
    judge();
    EXPECT_EQ(others(), (answer_counts{100, 50}));
    ASSERT_TRUE(here.run(here.remover.learn("crue", here.which, {100, 50})).has_value());
    EXPECT_EQ(others(), (answer_counts{100, 50}));
    here.event_has("crue", 5'000, 50);
    judge();
    EXPECT_EQ(others(), answer_counts{});
    EXPECT_EQ(server.cli({"EXISTS", here.keys.ledger("none")}), "0");
}

TEST_F(PrunerTest, WhatAnAppHasSeenIsKnownForThirtyDaysAndNothingIsLearntFromWhatIsHeld) {
    const auto facts = [&] { return here.run(here.removals.facts("none", here.which, 1'000)).value(); };
    ASSERT_TRUE(here.run(here.remover.learn("before", here.which, {990, 110})).has_value());
    ASSERT_TRUE(here.run(here.remover.learn("before", here.which, {9, 1})).has_value());
    EXPECT_EQ(facts().usual, (answer_counts{999, 111}));
    EXPECT_EQ(facts().small, (answer_counts{9, 1}));
    here.now.advance(std::chrono::hours(2));
    EXPECT_EQ(facts().small, answer_counts{});
    here.now.advance(std::chrono::hours(24 * 28));
    EXPECT_EQ(facts().usual, (answer_counts{999, 111}));
    here.now.advance(std::chrono::hours(24 * 2));
    EXPECT_EQ(facts().usual, answer_counts{});
    ASSERT_TRUE(here.run(here.remover.learn("before", here.which, {5, 0})).has_value());
    EXPECT_EQ(server.cli({"HLEN", here.keys.answers("mairies", platform::fcm)}), "2") << "the old is gone";

    here.enroll(0, 2'000);
    all_die(2'000);
    ASSERT_TRUE(here.run(here.remover.learn("before", here.which, {0, 2'000})).has_value());
    EXPECT_EQ(facts().usual, (answer_counts{5, 0}));
}

}  // namespace
}  // namespace tocsin
