#include "engine/control/control_board.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/intake/event_intake.hpp"
#include "engine/intake/planning_desk.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/mairies_fixture.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// So many that whoever asks for all of them asks long.
territories many_communes() {
    std::string list = "insee,name,population,department,epci\n";
    for (int code = 21001; code < 21900; ++code) {
        for (const int department : {0, 10'000, 20'000}) {
            const std::string text = std::to_string(code + department);
            list += text + ",Commune " + text + ",100," + text.substr(0, 2) + ",\n";
        }
    }
    return territories::parse(list, "epci,name,type,communes,population\n").value();
}

/// A connection whose answers come when they are let through.
class held_redis final : public redis::client {
public:
    held_redis(const boost::asio::any_io_executor& executor, redis::client& through)
        : through_(through), released_(executor) {}

    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override {
        ++asked;
        while (held) {
            co_await released_.wait();
        }
        co_return co_await through_.execute(std::move(what));
    }
    void release() {
        held = false;
        released_.notify_all();
    }

    std::size_t asked = 0;
    bool held = true;

private:
    redis::client& through_;
    wait_queue released_;
};

/// A connection that breaks for good once it has carried some requests.
class breaking_redis final : public redis::client {
public:
    breaking_redis(redis::client& through, std::size_t carries) : through_(through), left_(carries) {}

    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override {
        if (left_ == 0) {
            co_return error_code(redis::redis_errc::unreachable);
        }
        --left_;
        co_return co_await through_.execute(std::move(what));
    }

private:
    redis::client& through_;
    std::size_t left_;
};

/// An intake whose questions for devices, of events that take long to plan, are not answered for now.
class PlanningTest : public testing::mairies_fixture {
protected:
    PlanningTest() : mairies_fixture(many_communes()) {}

    /// Returns how many events it was.
    std::size_t read() {
        auto batch = run(consumer.next(1ms)).value();
        EXPECT_TRUE(run(intake.handle(batch.entries)).has_value());
        return batch.entries.size();
    }
    /// Reads an event as the stream would bring it.
    void read(const std::string& id, const std::string& audience, const std::string& more = "") {
        publish(keys.events(), "event", event(id, more, audience));
        ASSERT_EQ(read(), 1U);
    }
    bool are_planned(const std::set<std::string>& wanted) {
        return testing::loop_until(loop, [&] {
            return planned.size() >= wanted.size() &&
                   std::set<std::string>(planned.begin(), planned.end()) == wanted;
        });
    }

    held_redis held{loop.get_executor(), redis};
    device_store held_store{held, keys, known_platforms(), {}};
    planning_desk desk{loop.get_executor(), book, held_store, posted, preparer, clock, log, shard, *this};
    event_intake intake{book, store, posted, preparer, desk, clock, log, shard, *this};
    stream_consumer consumer{
        redis, {.stream = keys.events(), .group = std::string(keyspace::group), .consumer = "one"}, time};
};

TEST_F(PlanningTest, AnAlertIsPlannedWhileManyEventsWaitForTheirDevicesToBeFound) {
    std::set<std::string> all;
    for (int i = 0; i < 20; ++i) {
        all.insert("news-" + std::to_string(i));
        read("news-" + std::to_string(i), "everyone");
    }
    read("flood", "commune:21231", R"(,"priority":"critical")");
    EXPECT_TRUE(are_planned({"flood"}));

    held.release();
    all.insert("flood");
    EXPECT_TRUE(are_planned(all));
}

TEST_F(PlanningTest, AnAlertThatItselfTakesLongWaitsForNoOther) {
    for (int i = 0; i < 20; ++i) {
        read("news-" + std::to_string(i), "everyone");
    }
    ASSERT_TRUE(testing::loop_until(loop, [&] { return held.asked == planning_desk::most_others; }));
    read("storm", "everyone", R"(,"priority":"critical")");
    EXPECT_TRUE(testing::loop_until(loop, [&] { return held.asked == planning_desk::most_others + 1; }));
    held.release();
    EXPECT_TRUE(testing::loop_until(loop, [&] { return planned.size() == 21; }));
}

TEST_F(PlanningTest, WhatAnEngineLeftOnTheScheduleIsPlannedByTheNext) {
    read("news", "everyone");
    planning_desk next(loop.get_executor(), book, store, posted, preparer, clock, log, shard, *this);
    ASSERT_TRUE(run(next.look()).has_value());
    EXPECT_TRUE(are_planned({"news"}));
    held.release();
}

TEST_F(PlanningTest, EventsThatWaitForAnotherDoNotHideTheOneThatIsDueBehindThem) {
    held.release();
    read("alert", "commune:21231");
    for (int i = 0; i < 150; ++i) {
        read("clear-" + std::to_string(i), "commune:21231", R"(,"reached_by":["alert"])");
    }
    read("agenda", "everyone");
    ASSERT_TRUE(are_planned({"alert", "agenda"}));
    planned.clear();

    read("later", "commune:21231", R"(,"send_at":")" + format_rfc3339(clock.wall_now() + 1s) + R"(")");
    clock.advance(2s);
    // A look takes up some; those that have to wait on are out of the way then.
    for (int looks = 0; looks < 3; ++looks) {
        ASSERT_TRUE(run(desk.look()).has_value());
        ASSERT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() == 0; }));
    }
    EXPECT_EQ(planned, std::vector<std::string>{"later"});
}

TEST_F(PlanningTest, AnAlertThatIsDueBehindThousandsIsPlannedBeforeThem) {
    const std::string at = R"(,"send_at":")" + format_rfc3339(clock.wall_now() + 1s) + '"';
    // More than are under way at a time: those that only wait must leave room for what is due behind them.
    for (int i = 0; i < 4'500; ++i) {
        publish(keys.events(), "event", event("news-" + std::to_string(i), at));
    }
    while (read() != 0) {
    }
    read(
        "storm", "commune:21231",
        R"(,"priority":"critical","send_at":")" + format_rfc3339(clock.wall_now() + 2s) + R"(")");
    clock.advance(3s);
    for (int looks = 0; looks < 2; ++looks) {
        ASSERT_TRUE(run(desk.look()).has_value());
        ASSERT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() < 1'100; }));
    }
    // Four others are asked after, whom nobody answers for, and the alert.
    EXPECT_TRUE(testing::loop_until(loop, [&] { return held.asked == planning_desk::most_others + 1; }));
    held.release();
    EXPECT_TRUE(testing::loop_until(loop, [&] { return std::ranges::count(planned, "storm") == 1; }));
}

TEST_F(PlanningTest, OfThousandsThatAreDueNoMoreAreUnderWayThanTheMostAndAllArePlannedOnce) {
    // Alerts wait for no place: but for the bound all of them would be under way.
    constexpr std::size_t count = planning_desk::most_under_way + 500;
    const std::string at =
        R"(,"priority":"critical","send_at":")" + format_rfc3339(clock.wall_now() + 1s) + '"';
    std::set<std::string> all;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string id = "alert-" + std::to_string(i);
        all.insert(id);
        publish(keys.events(), "event", event(id, at));
    }
    while (read() != 0) {
    }
    clock.advance(2s);
    for (int looks = 0; looks < 2; ++looks) {
        ASSERT_TRUE(run(desk.look()).has_value());
        ASSERT_TRUE(testing::loop_until(loop, [&] { return held.asked >= planning_desk::most_under_way; }));
        EXPECT_EQ(desk.under_way(), planning_desk::most_under_way);
    }

    held.release();
    ASSERT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() == 0; }));
    ASSERT_TRUE(run(desk.look()).has_value());
    EXPECT_TRUE(are_planned(all));
    EXPECT_EQ(planned.size(), count);
}

TEST_F(PlanningTest, AnAllClearThatIsRefusedAfterWaitingCountsOnceAsRefusedHoweverManyEnginesSeeIt) {
    const auto refused = [&] { return shard.counter(metric::events_total, {"refused"}).read(); };
    read("over", "commune:21231", R"(,"reached_by":["unheard-of"])");
    EXPECT_EQ(refused(), 0U);
    clock.advance(11s);
    planning_desk other(loop.get_executor(), book, store, posted, preparer, clock, log, shard, *this);
    other.begin("over");
    desk.begin("over");
    ASSERT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() == 0 && other.under_way() == 0; }));
    EXPECT_EQ(refused(), 1U);
    EXPECT_TRUE(planned.empty());
}

// --- Events that an engine began, and that Redis forgot before they were on a list -------------------

struct begun_event {
    std::string name;
    std::string audience = "commune:21231";
    std::chrono::seconds sent_in{0};
    bool called_off = false;
    std::size_t requests = 1;  ///< Of the intake, until its first step is taken.
};

class BegunEventTest : public PlanningTest, public ::testing::WithParamInterface<begun_event> {
protected:
    /// An engine reads an event, takes the first step, and dies; Redis comes back without the entry.
    void begin_and_forget() {
        if (GetParam().called_off) {
            control_board board(redis, keys);
            ASSERT_TRUE(run(board.cancel("flood", control_board::absent::call_off)).has_value());
        }
        const std::string at = format_rfc3339(clock.wall_now() + GetParam().sent_in);
        publish(keys.events(), "event", event("flood", R"(,"send_at":")" + at + '"', GetParam().audience));
        auto batch = run(consumer.next(1ms));
        ASSERT_TRUE(batch.has_value());
        breaking_redis breaking(redis, GetParam().requests);
        ledger dying_book(breaking, keys, "dying");
        planning_desk dying_desk(
            loop.get_executor(), dying_book, store, posted, preparer, clock, log, shard, *this);
        event_intake dying(dying_book, store, posted, preparer, dying_desk, clock, log, shard, *this);
        ASSERT_TRUE(run(dying.handle(batch->entries)).has_error());
        ASSERT_EQ(server.cli({"EXISTS", keys.ledger("flood")}), "1");
        server.cli({"DEL", keys.events()});
        held.release();
    }
    void look() {
        // What is found is put on the schedule, which the next look reads.
        for (int looks = 0; looks < 2; ++looks) {
            ASSERT_TRUE(run(desk.look()).has_value());
            ASSERT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() == 0; }));
        }
    }
    [[nodiscard]] bool runs() { return run(book.running(10)).value() == std::vector<std::string>{"flood"}; }
};

TEST_P(BegunEventTest, IsFoundAndGoneOnWithWhenItsTimeHasCome) {
    begin_and_forget();
    look();
    EXPECT_FALSE(runs()) << "another engine may be about to take the second step";

    clock.advance(61s);
    look();
    EXPECT_EQ(runs(), GetParam().sent_in <= 61s);
    EXPECT_EQ(server.cli({"ZCARD", keys.begun()}), "0");

    clock.advance(GetParam().sent_in);
    look();
    EXPECT_TRUE(runs());
    EXPECT_EQ(server.cli({"ZCARD", keys.scheduled()}), "0");
    EXPECT_EQ(server.cli({"XLEN", keys.dead_letters()}), "0");
}

INSTANTIATE_TEST_SUITE_P(
    Of, BegunEventTest,
    ::testing::Values(
        begun_event{.name = "PlannedAtOnce"}, begun_event{.name = "PlannedBeside", .audience = "everyone"},
        begun_event{.name = "Scheduled", .sent_in = 3'600s},
        begun_event{.name = "CalledOff", .called_off = true, .requests = 2}),
    [](const auto& which) { return which.param.name; });

TEST_F(PlanningTest, WhatWasBegunAndNeverWrittenIsForgotten) {
    server.cli({"ZADD", keys.begun(), "1", "unwritten"});
    server.cli({"ZADD", keys.begun(), "2", "damaged"});
    server.cli({"SET", keys.ledger("damaged"), "something else"});
    ASSERT_TRUE(run(desk.look()).has_value());
    EXPECT_EQ(server.cli({"ZCARD", keys.begun()}), "0");
    EXPECT_EQ(server.cli({"ZCARD", keys.scheduled()}), "0");
    EXPECT_EQ(server.cli({"XLEN", keys.dead_letters()}), "0") << "its entry is still to be read, and told of";
}

TEST_F(PlanningTest, AnEventThatIsReadAndPlannedIsNoLongerListedAsBegun) {
    read("flood", "commune:21231");
    read("agenda", "commune:21231", R"(,"send_at":")" + format_rfc3339(clock.wall_now() + 1h) + R"(")");
    EXPECT_EQ(server.cli({"ZCARD", keys.begun()}), "0");
}

TEST_F(PlanningTest, AListOfWhatWasBegunThatIsNoListDoesNotHoldUpTheSchedule) {
    held.release();
    read("agenda", "commune:21231", R"(,"send_at":")" + format_rfc3339(clock.wall_now() + 1s) + R"(")");
    server.cli({"SET", keys.begun(), "something else"});
    clock.advance(2s);
    EXPECT_TRUE(run(desk.look()).has_error());
    EXPECT_TRUE(are_planned({"agenda"}));
}

}  // namespace
}  // namespace tocsin
