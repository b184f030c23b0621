#include "engine/intake/event_intake.hpp"

#include "engine/control/control_board.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/intake/planning_desk.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/mairies_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using knowledge = ledger::knowledge;

TEST(PlanningMoment, DependsOnItsTimeOnWhatItEndsAndOnHowLongItTakes) {
    const wall_time now(1'795'000'000'000ms);
    struct row {
        std::size_t devices;
        std::size_t targets;
        std::optional<wall_time> send_at;
        bool ends_others;
        knowledge ends;
        planning_moment wanted;
    };
    const std::vector<row> rows{
        {1, 1, {}, false, knowledge::ended, planning_moment::now},
        {1, 1, now, false, knowledge::ended, planning_moment::now},
        {1, 1, now - 1h, false, knowledge::ended, planning_moment::now},
        {1, 1, now + 1ms, false, knowledge::ended, planning_moment::later},
        {1, 1, {}, true, knowledge::ended, planning_moment::beside},
        {1, 1, {}, true, knowledge::under_way, planning_moment::later},
        {1, 1, {}, true, knowledge::none, planning_moment::later},
        {1, 1, now + 1h, true, knowledge::ended, planning_moment::later},
        {1'000, 2, {}, false, knowledge::ended, planning_moment::now},
        {1'001, 2, {}, false, knowledge::ended, planning_moment::beside},
        {1'001, 1, {}, false, knowledge::ended, planning_moment::now},
        {1'001, 2, now + 1h, false, knowledge::ended, planning_moment::later},
        {2'000, 0, {}, false, knowledge::ended, planning_moment::now},
    };
    const territories nowhere = testing::dijon_and_beaune();
    for (const row& each : rows) {
        std::vector<selector> whom;
        for (std::size_t i = 0; i < each.devices; ++i) {
            selector& one = whom.emplace_back();
            one.kind = selector_kind::device;
            one.device = platform::fcm;
            one.value = "device-" + std::to_string(i);
        }
        active_event event;
        event.audience = audience::resolve(known_platforms(), whom, nowhere).value();
        event.targets.resize(each.targets);
        event.content.send_at = each.send_at;
        if (each.ends_others) {
            event.content.reached_by = {"alert"};
        }
        EXPECT_EQ(planning_moment_of(event, each.ends, now), each.wanted)
            << each.devices << " devices, " << each.targets << " targets, row " << &each - rows.data();
    }
}

class EventIntakeTest : public testing::mairies_fixture {
protected:
    std::string publish(const std::string& field, const std::string& document) {
        return mairies_fixture::publish(keys.events(), field, document);
    }
    /// What the stream has brought so far.
    void read() {
        auto batch = run(consumer.next(1ms));
        ASSERT_TRUE(batch.has_value());
        const auto handled = run(intake.handle(batch->entries));
        ASSERT_TRUE(handled.has_value()) << handled.error().message();
        EXPECT_TRUE(testing::loop_until(loop, [&] { return desk.under_way() == 0; }));
        EXPECT_EQ(server.cli({"XPENDING", keys.events(), "tocsin"}).substr(0, 1), "0")
            << "all are acknowledged";
    }

    control_board board{redis, keys};
    planning_desk desk{loop.get_executor(), book, store, posted, preparer, clock, log, shard, *this};
    event_intake intake{book, store, posted, preparer, desk, clock, log, shard, *this};
    stream_consumer consumer{
        redis, {.stream = keys.events(), .group = std::string(keyspace::group), .consumer = "one"}, time};
};

TEST_F(EventIntakeTest, AlertsOfABatchArePlannedBeforeTheRest) {
    publish("event", event("first"));
    publish("event", event("alert", R"(,"priority":"critical")"));
    publish("event", event("second"));
    read();
    EXPECT_EQ(planned, (std::vector<std::string>{"alert", "first", "second"}));
    EXPECT_EQ(alerts, std::vector<std::string>{"alert"}) << "only that one is told beforehand";
    EXPECT_EQ(state_of("alert"), "running");
}

TEST_F(EventIntakeTest, AnAlertIsPlannedBeforeWhatWasPublishedBeforeItHoweverMuchIsUnread) {
    constexpr int unread = 200;
    for (int i = 0; i < unread; ++i) {
        publish("event", event("news-" + std::to_string(i)));
    }
    publish("event", event("alert", R"(,"priority":"critical")"));
    publish("event", event("nowhere", R"(,"priority":"critical","apps":["nobody"])"));
    read();
    ASSERT_GE(planned.size(), 2U);
    EXPECT_EQ(planned[1], "alert") << "one event was under way";

    for (int i = 0; i < 20; ++i) {
        read();
        if (i == 3) {
            publish("event", event("storm", R"(,"priority":"critical")"));
        }
        clock.advance(1s);
    }
    const auto storm = std::ranges::find(planned, "storm");
    ASSERT_NE(storm, planned.end());
    EXPECT_LT(storm - planned.begin(), unread - 20) << "one that comes later is found as well";
    EXPECT_EQ(planned.size(), unread + 2U) << "each once";
    EXPECT_EQ(state_of("alert"), "running");
    EXPECT_EQ(letters().size(), 1U) << "what is wrong with an alert is told once";
}

TEST_F(EventIntakeTest, WhatIsWrongWithAnEntryIsSaidInALetterAndNothingIsPlanned) {
    struct row {
        std::string field;
        std::string document;
        std::string reason;
        std::string payload;
    };
    const std::vector<row> rows{
        {"event", "{", "invalid_json", "{"},
        {"evnet", event("typo"), "missing_entry_field", R"({"evnet":)"},
        {"event", event("nowhere", R"(,"apps":["nobody"])"), "unknown_app",
         event("nowhere", R"(,"apps":["nobody"])")},
    };
    for (const row& each : rows) {
        const std::string entry = publish(each.field, each.document);
        read();
        const auto all = letters();
        ASSERT_FALSE(all.empty()) << each.document;
        const json::object& letter = all.back().as_object();
        EXPECT_EQ(letter.at("entry").as_string(), entry);
        EXPECT_EQ(letter.at("stream").as_string(), keys.events());
        EXPECT_TRUE(letter.at("reason").as_string().starts_with(each.reason + ":")) << letter.at("reason");
        EXPECT_TRUE(letter.at("payload").as_string().starts_with(each.payload)) << letter.at("payload");
    }
    EXPECT_EQ(letters().size(), rows.size());
    EXPECT_TRUE(planned.empty());
}

TEST_F(EventIntakeTest, OneBadEntryDoesNotKeepTheOthersOfItsBatch) {
    publish("event", event("first"));
    publish("event", "{");
    publish("event", event("second"));
    read();
    EXPECT_EQ(planned, (std::vector<std::string>{"first", "second"}));
    EXPECT_EQ(letters().size(), 1U);
}

TEST_F(EventIntakeTest, ASecondEventUnderAnIdIsADuplicateAndIsNotPlanned) {
    publish("event", event("crue"));
    publish("event", event("crue"));
    read();
    EXPECT_EQ(planned, std::vector<std::string>{"crue"});
    EXPECT_TRUE(letters().empty());
}

TEST_F(EventIntakeTest, AnEntryThatIsReadAgainIsAcknowledgedAndLeftAsItStands) {
    const std::string entry = publish("event", event("crue"));
    read();
    server.cli({"HSET", keys.ledger("crue"), "accepted_at", "7"});
    // The engine dies before the acknowledgement reaches Redis.
    server.cli({"XGROUP", "DESTROY", keys.events(), "tocsin"});
    server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0"});
    consumer.start_over();
    read();
    EXPECT_EQ(planned, std::vector<std::string>{"crue"}) << "it is found as it stands in Redis";
    EXPECT_EQ(server.cli({"HGET", keys.ledger("crue"), "accepted_at"}), "7");
}

TEST_F(EventIntakeTest, AnEntryThatWasTrimmedBeforeItWasHandledIsNoLetter) {
    const std::string entry = publish("event", event("crue"));
    ASSERT_TRUE(run(consumer.next(1ms)).has_value());
    server.cli({"XDEL", keys.events(), entry});
    consumer.start_over();
    read();
    EXPECT_TRUE(planned.empty());
    EXPECT_TRUE(letters().empty());
}

TEST_F(EventIntakeTest, WhatIsToBeSentLaterIsOnlyPutOnTheSchedule) {
    publish(
        "event", event(
                     "later", R"(,"priority":"critical","send_at":")" +
                                  format_rfc3339(clock.wall_now() + 1min) + R"(")"));
    read();
    EXPECT_TRUE(planned.empty());
    EXPECT_TRUE(alerts.empty()) << "nobody is to be dialled for it yet";
    EXPECT_EQ(state_of("later"), "scheduled");
    EXPECT_EQ(server.cli({"ZCARD", keys.scheduled()}), "1");
    EXPECT_EQ(server.cli({"ZCARD", keys.running()}), "0");
}

TEST_F(EventIntakeTest, AnEventThatWasCancelledBeforeItCameIsEndedUnsent) {
    ASSERT_TRUE(run(board.cancel("crue", control_board::absent::call_off)).has_value());
    publish("event", event("crue"));
    read();
    EXPECT_TRUE(planned.empty());
    EXPECT_EQ(state_of("crue"), "cancelling");
    EXPECT_EQ(server.cli({"ZCARD", keys.running()}), "1") << "whoever runs it ends it with a result";
}

TEST_F(EventIntakeTest, AnEventWhoseLedgerWouldOverwriteWhatIsNotOursGetsALetter) {
    server.cli({"SET", keys.ledger("crue"), "x"});
    publish("event", event("crue"));
    read();
    EXPECT_TRUE(planned.empty());
    ASSERT_EQ(letters().size(), 1U);
    EXPECT_TRUE(letters().front().at("reason").as_string().starts_with("damaged_ledger:"));
    EXPECT_EQ(server.cli({"GET", keys.ledger("crue")}), "x");
}

}  // namespace
}  // namespace tocsin
