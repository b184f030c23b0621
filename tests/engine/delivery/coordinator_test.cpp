#include "engine/delivery/coordinator.hpp"

#include "engine/plan/planner.hpp"
#include "tests/engine/delivery/removal_stage.hpp"
#include "tests/support/mairies_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using ::testing::UnorderedElementsAreArray;
using refusals = std::vector<std::pair<std::string, std::string>>;

/// The coordinator of an engine of two threads, on the manual clock. The threads are the test's.
class CoordinatorTest : public testing::mairies_fixture, public shard_taker {
protected:
    CoordinatorTest() {
        how.instance = "one";
        how.threads = 2;
        EXPECT_TRUE(run(store.apply({testing::put("device", {testing::place("21231")})})).has_value());
        make_finder();
    }
    ~CoordinatorTest() override {
        finder->stop();
        EXPECT_TRUE(until([&] { return !running; }));
    }

    void make_finder() {
        finder.emplace(loop.get_executor(), redis, store, posted, preparer, how, clock, told, shard, *this);
    }
    void assign(
        std::size_t thread, std::shared_ptr<active_event> event, const target& which,
        claimed_shard work) override {
        assigned.push_back(event->id);
        threads[thread].push_back({event->id, which, work.entry});
        pages[work.entry] = work.work.first_page;
        if (on_assigned) {
            std::exchange(on_assigned, nullptr)();
        }
    }

    /// An event as intake leaves it: in Redis, and on the list of those that run.
    std::shared_ptr<active_event> plan(
        const std::string& id, const std::string& commune = "21231", const std::string& more = "") {
        const std::string document = event(id, R"(,"ttl":3600)" + more, "commune:" + commune);
        const std::string entry = std::to_string(++entries) + "-0";
        auto out = preparer.accept(document, entry).value();
        auto made =
            run(planner(store, book, preparer, clock).make(out, entry, preparer.describe(*out, document)));
        keep_planned_targets(*out, *made);
        EXPECT_EQ(run(book.plan(*made, event_state::running)).value(), plan_outcome::created);
        EXPECT_TRUE(run(book.activate(id, entry, out->content.priority, out->accepted_at)).has_value());
        return out;
    }
    void start() {
        running = true;
        boost::asio::co_spawn(
            loop,
            [](CoordinatorTest& test) -> boost::asio::awaitable<void> {
                co_await test.finder->run();
                test.running = false;
            }(*this),
            boost::asio::detached);
    }
    /// Moves the clock whenever nothing happens, up to `at_most`.
    bool until(const std::function<bool()>& done, duration at_most = 60s) {
        const time_point last = clock.now() + at_most;
        while (!done() && clock.now() < last) {
            loop.restart();
            if (loop.run_one_for(3ms) == 0) {
                clock.advance(50ms);
            }
        }
        return done();
    }
    bool have_been_assigned(std::size_t events) {
        return until([&] { return assigned.size() == events; });
    }
    /// What a worker does with a shard: all its devices are done with.
    void work_off() {
        for (const auto& [thread, tickets] : std::exchange(threads, {})) {
            for (const shard_ticket& one : tickets) {
                page_settlement all;
                all.event = one.event;
                all.which = one.which;
                all.shard_entry = one.entry;
                all.page = all.first_page = pages[one.entry];
                const auto settled = run(book.settle(std::move(all)));
                finder->shard_left(one);
                if (settled.value().drained) {
                    finder->drained(one.event);
                }
            }
        }
    }
    testing::remembering_log told;
    engine_settings how;
    std::map<std::string, std::uint32_t> pages;  ///< By the entry of its shard.
    std::vector<std::string> assigned;           ///< The events of the shards, in their order.
    std::map<std::size_t, std::vector<shard_ticket>> threads;
    std::function<void()> on_assigned;  ///< Once.
    std::optional<coordinator> finder;
    int entries = 0;
    bool running = false;
};

TEST_F(CoordinatorTest, AnEventIsDealtOutAndEndsWhenItsDevicesAreDoneWith) {
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    EXPECT_EQ(finder->running_events(), 1U);
    work_off();
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "1");
    EXPECT_EQ(state_of("crue"), "finished");
}

TEST_F(CoordinatorTest, ManySmallEventsGoToAllThreadsAlike) {
    for (int i = 0; i < 20; ++i) {
        finder->announce(plan("news-" + std::to_string(i)));
    }
    start();
    ASSERT_TRUE(have_been_assigned(20));
    EXPECT_EQ(threads[0].size(), 10U);
    EXPECT_EQ(threads[1].size(), 10U);
}

TEST_F(CoordinatorTest, AnAlertThatComesInTheMiddleOfARoundIsNext) {
    for (int i = 0; i < 20; ++i) {
        finder->announce(plan("news-" + std::to_string(i)));
    }
    const auto alert = plan("alert", "21231", R"(,"priority":"critical")");
    server.cli({"ZREM", keys.running(), "alert"});  // The list was read before.
    on_assigned = [&] { finder->announce(alert); };
    start();
    ASSERT_TRUE(have_been_assigned(21));
    EXPECT_EQ(std::ranges::find(assigned, "alert") - assigned.begin(), 1);
}

TEST_F(CoordinatorTest, AllEventsEndWhenMoreOfThemComeThanThereIsRoomFor) {
    how.pages_in_flight = 1;
    make_finder();
    for (int i = 0; i < 50; ++i) {
        finder->announce(plan("news-" + std::to_string(i)));
    }
    start();
    EXPECT_FALSE(until([&] { return assigned.size() > 8; }, 3s)) << "four pages a thread";
    EXPECT_EQ(assigned.size(), 8U);
    EXPECT_TRUE(until([&] {
        work_off();
        return finder->running_events() == 0;
    }));
    EXPECT_EQ(std::set<std::string>(assigned.begin(), assigned.end()).size(), 50U);
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "50");
}

TEST_F(CoordinatorTest, AnEventThatNobodyFollowsEndsAtOnce) {
    finder->announce(plan("quiet", "21054"));
    start();
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
    EXPECT_TRUE(assigned.empty());
    EXPECT_EQ(state_of("quiet"), "finished");
}

TEST_F(CoordinatorTest, AnEventOfAnotherEngineIsFound) {
    start();
    ASSERT_TRUE(until([&] { return clock.next_waking() != time_point::max(); }));
    plan("theirs");
    const time_point before = clock.now();
    ASSERT_TRUE(have_been_assigned(1));
    EXPECT_LE(clock.now() - before, 3s);
    EXPECT_EQ(told.events["event.joined"], 1);
}

TEST_F(CoordinatorTest, AnEventOfAnAppThatIsServedElsewhereIsLeftToOthersUntilTheConfigurationHasIt) {
    auto apps = preparer.apps();
    const auto event = plan("theirs");
    preparer.set_apps({});
    finder->announce(event);
    start();
    EXPECT_FALSE(until([&] { return !assigned.empty(); }, 3s));
    preparer.set_apps(apps);
    EXPECT_TRUE(have_been_assigned(1));
}

TEST_F(CoordinatorTest, AnEventThatRedisHasForgottenEndsWithALetterOnceThatIsCertain) {
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    server.cli({"FLUSHALL"});
    const time_point before = clock.now();
    ASSERT_TRUE(until([&] { return !letters().empty(); }));
    EXPECT_EQ(refused(), (refusals{{"1-0", "event_vanished"}}));
    EXPECT_GE(clock.now() - before, 5s);
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
}

TEST_F(CoordinatorTest, AnEventWhoseEntryRedisStillHasWaitsToBePlannedAgain) {
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    server.cli({"FLUSHALL"});
    server.cli({"XADD", keys.events(), "1-0", "event", "{}"});
    server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0"});
    EXPECT_FALSE(until([&] { return !letters().empty(); }, 20s));
    server.cli({"DEL", keys.events()});
    EXPECT_TRUE(until([&] { return !letters().empty(); }));
}

TEST_F(CoordinatorTest, AnEventThatWasMissedAndIsThereAgainGoesOn) {
    how.pages_in_flight = 1;
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    const std::string kept = keys.ledger("crue");
    server.cli({"RENAME", kept, "elsewhere"});
    ASSERT_FALSE(until([&] { return !letters().empty(); }, 3s));
    server.cli({"RENAME", "elsewhere", kept});
    EXPECT_FALSE(until([&] { return !letters().empty(); }, 10s));
    work_off();
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
    EXPECT_EQ(state_of("crue"), "finished");
}

TEST_F(CoordinatorTest, AnEventThatWasMissedBeforeItWasClaimedIsDealtOutWhenItIsThereAgain) {
    finder->announce(plan("crue"));
    const std::string kept = keys.ledger("crue");
    server.cli({"RENAME", kept, "elsewhere"});
    start();
    ASSERT_FALSE(until([&] { return !assigned.empty() || !letters().empty(); }, 3s));
    server.cli({"RENAME", "elsewhere", kept});
    EXPECT_TRUE(have_been_assigned(1));
    EXPECT_TRUE(letters().empty());
}

TEST_F(CoordinatorTest, AnEventThatRestsIsAskedAgainAtOnceWhenItIsCancelled) {
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    // What is left of it waits for its moment in an hour.
    const std::string later = std::to_string((clock.wall_now() + 1h).time_since_epoch().count());
    const std::string waiting = keys.waiting("crue", "mairies/fcm");
    server.cli({"ZADD", waiting, later, "1:devices:"});
    server.cli({"HINCRBY", keys.ledger("crue"), "open", "1"});
    work_off();
    ASSERT_FALSE(until([&] { return finder->running_events() == 0; }, 10s));
    server.cli({"HSET", keys.ledger("crue"), "state", "cancelling"});
    server.cli({"DEL", waiting});
    server.cli({"HINCRBY", keys.ledger("crue"), "open", "-1"});
    const time_point before = clock.now();
    finder->set_cancelling({"crue"});
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
    EXPECT_LT(clock.now() - before, 2s);
    EXPECT_EQ(state_of("crue"), "cancelled");
}

TEST_F(CoordinatorTest, AnEventThatIsNotOnTheListIsPutThereAgain) {
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(have_been_assigned(1));
    server.cli({"ZREM", keys.running(), "crue"});
    EXPECT_TRUE(until([&] { return told.events["event.was_not_listed"] == 1; }));
    EXPECT_TRUE(until([&] { return server.cli({"ZCARD", keys.running()}) == "1"; }));
}

TEST_F(CoordinatorTest, AnEventWhoseLedgerIsAnOlderCopyEndsAndItsResultSaysSo) {
    struct earlier {
        const char* what;
        std::vector<std::string> fields;
    };
    const std::vector<earlier> copies{
        {"of when its shards were open", {"open", "1", "pages_settled", "0"}},
        {"of when a push was parked", {"parked", "1"}},
        {"of when it had not begun", {"state", "scheduled", "open", "0", "shards", "0"}},
    };
    start();
    for (std::size_t i = 0; i < copies.size(); ++i) {
        for (const bool known_here : {true, false}) {
            SCOPED_TRACE(copies[i].what + std::string(known_here ? ", known" : ", another's"));
            const std::string id = "older-" + std::to_string(i) + (known_here ? "-known" : "");
            assigned.clear();
            const auto begun = plan(id, "21231");
            // Another push of it waits for its time, so that it does not end with its shard.
            const std::string parked = keys.parked(id, "mairies/fcm");
            server.cli({"ZADD", parked, "9000000000000", "x"});
            server.cli({"HINCRBY", keys.ledger(id), "parked", "1"});
            if (known_here) {
                finder->announce(begun);
            }
            ASSERT_TRUE(have_been_assigned(1));
            work_off();
            if (!known_here) {
                finder->stop();
                ASSERT_TRUE(until([&] { return !running; }));
                make_finder();
            }
            server.cli({"DEL", parked});
            std::vector<std::string> restore{"HSET", keys.ledger(id), "parked", "0"};
            restore.insert(restore.end(), copies[i].fields.begin(), copies[i].fields.end());
            server.cli(restore);
            if (!known_here) {
                start();
            }
            EXPECT_TRUE(until([&] { return state_of(id) == "failed"; }, 20s)) << state_of(id);
            EXPECT_TRUE(until([&] { return finder->running_events() == 0; }));
        }
    }
    EXPECT_EQ(told.events["event.damaged"], 6);
}

TEST_F(CoordinatorTest, AnEventWhoseLedgerIsSomethingElseEndsAloneAndAtOnceWhoeverFindsIt) {
    const std::vector<std::vector<std::string>> others{
        {"SET", "", "not ours"}, {"RPUSH", "", "x"}, {"SADD", "", "x"}, {"ZADD", "", "1", "x"}};
    refusals expected;
    for (std::size_t i = 0; i < 2 * others.size(); ++i) {
        const std::string id = "broken-" + std::to_string(i);
        const auto broken = plan(id);
        const bool known_here = i % 2 == 0;
        if (known_here) {
            finder->announce(broken);
        }
        // Of one that another engine has planned, no more is known than its name.
        expected.emplace_back(known_here ? broken->entry : id, "damaged_ledger");
        server.cli({"DEL", keys.ledger(id)});
        std::vector<std::string> command = others[i / 2];
        command[1] = keys.ledger(id);
        server.cli(command);
    }
    finder->announce(plan("crue"));
    start();
    ASSERT_TRUE(until([&] { return refused().size() == expected.size() && !assigned.empty(); }, 5s));
    EXPECT_THAT(refused(), UnorderedElementsAreArray(expected));
    EXPECT_EQ(assigned, std::vector<std::string>{"crue"});
    EXPECT_EQ(server.cli({"GET", keys.ledger("broken-0")}), "not ours");
    EXPECT_EQ(server.cli({"ZCARD", keys.running()}), "1");
}

TEST_F(CoordinatorTest, EventsThatCannotEvenBeGivenUpHoldUpNoOtherWhereverTheyStand) {
    const auto lose_targets = [&](const std::string& id) {
        server.cli({"HDEL", keys.ledger(id), "targets"});
    };
    const auto lose_shards = [&](const std::string& id) {
        server.cli({"DEL", keys.shards(id, "mairies/fcm")});
    };
    const std::vector<std::pair<std::string, std::function<void(const std::string&)>>> events{
        {"broken-1", lose_targets}, {"broken-2", lose_shards},  {"sound-1", {}},
        {"broken-3", lose_shards},  {"broken-4", lose_targets}, {"sound-2", {}},
        {"broken-5", lose_targets}, {"broken-6", lose_shards},
    };
    for (const auto& [id, damage] : events) {
        plan(id);
        clock.advance(1s);  // That is their order.
        if (damage) {
            damage(id);
            server.cli({"HSET", keys.ledger(id), "revision", "no number"});
        }
    }
    start();
    ASSERT_TRUE(have_been_assigned(2));
    EXPECT_EQ(assigned, (std::vector<std::string>{"sound-1", "sound-2"}));
    EXPECT_LE(told.events["coordinator.interrupted"], 1) << "in the first round";
    work_off();
    EXPECT_TRUE(
        until([&] { return state_of("sound-1") == "finished" && state_of("sound-2") == "finished"; }));
    EXPECT_GT(told.events["coordinator.interrupted"], 0) << "it is said";
    for (const auto& [id, damage] : events) {
        if (damage) {
            server.cli({"HDEL", keys.ledger(id), "revision"});
        }
    }
    EXPECT_TRUE(until([&] { return finder->running_events() == 0; })) << "once they can be";
    EXPECT_EQ(server.cli({"XLEN", keys.results()}), "8");
}

}  // namespace
}  // namespace tocsin
