#include "engine/control/control_board.hpp"

#include "engine/control/control_watch.hpp"
#include "engine/plan/ledger.hpp"
#include "tests/support/loop_until.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const target mairies{"mairies", platform::fcm};

struct recorder final : control_listener {
    void controls_changed(const control_state& state) override { states.push_back(state); }
    void devices_removed(const std::vector<removed_device>& gone) override {
        removed.insert(removed.end(), gone.begin(), gone.end());
    }

    std::vector<control_state> states;
    std::vector<removed_device> removed;
};

class ControlBoardTest : public testing::redis_fixture {
protected:
    control_state read() { return run(board.read()).value(); }
    void plan(event_state state) {
        event_plan what;
        what.event = "crue";
        what.entry = "1-0";
        what.fields = {{"event", "{}"}};
        ASSERT_TRUE(run(book.plan(what, state)).has_value());
    }

    control_board board{redis, keys};
    ledger book{redis, keys, "a"};
};

TEST_F(ControlBoardTest, ResumingEverythingEndsEveryHoldAndResumingOneEndsThatOne) {
    const hold_selector all;
    const hold_selector one{"mairies", platform::fcm};
    ASSERT_TRUE(run(board.hold(all, time.wall_now())).has_value());
    ASSERT_TRUE(run(board.hold(one, time.wall_now())).has_value());
    ASSERT_TRUE(run(board.release(one)).has_value());
    EXPECT_TRUE(read().holds_back(mairies));
    EXPECT_EQ(read().holds.size(), 1U);
    ASSERT_TRUE(run(board.hold(one, time.wall_now())).has_value());
    ASSERT_TRUE(run(board.release(all)).has_value());
    EXPECT_FALSE(read().holds_back(mairies));
}

TEST_F(ControlBoardTest, RatesHoldUntilTheyAreForgotten) {
    ASSERT_TRUE(run(board.set_rate(mairies, 500)).has_value());
    EXPECT_EQ(read().rates.at(mairies), 500U);
    ASSERT_TRUE(run(board.forget_rates()).has_value());
    EXPECT_TRUE(read().rates.empty());
}

TEST_F(ControlBoardTest, ARunningEventIsCancelledOnce) {
    plan(event_state::running);
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::running);
    EXPECT_TRUE(read().cancelling.contains("crue"));
    const auto again = run(board.cancel("crue")).value();
    EXPECT_EQ(again.state, event_state::cancelling);
    EXPECT_TRUE(again.cancelled());
    ASSERT_TRUE(run(board.forget_cancelled("crue")).has_value());
    EXPECT_TRUE(read().cancelling.empty());
}

TEST_F(ControlBoardTest, AScheduledEventThatIsCancelledIsTakenUpToBeEnded) {
    plan(event_state::scheduled);
    ASSERT_TRUE(run(book.schedule("crue", "1-0", time.wall_now() + 1h)).has_value());
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::scheduled);
    EXPECT_EQ(run(book.running(10)).value(), std::vector<std::string>{"crue"});
    EXPECT_TRUE(run(book.due_events(time.wall_now() + 2h, 64)).value().empty());
}

TEST_F(ControlBoardTest, AnEventThatIsCancelledWhileItIsBeingScheduledIsNotLost) {
    plan(event_state::scheduled);
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::scheduled);
    ASSERT_TRUE(run(book.schedule("crue", "1-0", time.wall_now() + 1h)).has_value());
    EXPECT_EQ(run(book.running(10)).value(), std::vector<std::string>{"crue"});
}

TEST_F(ControlBoardTest, AnUnknownOrEndedEventIsNotCancelled) {
    EXPECT_FALSE(run(board.cancel("nobody")).value().cancelled());
    plan(event_state::running);
    server.cli({"HSET", keys.ledger("crue"), "state", "finished"});
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::finished);
    EXPECT_TRUE(read().cancelling.empty());
}

TEST_F(ControlBoardTest, AnEventThatNoEngineHasTakenUpIsCalledOff) {
    server.cli(
        {"EVAL",
         "for n = 1, 1200 do redis.call('XADD', KEYS[1], '*', 'event', "
         "'{\"id\":\"other-' .. n .. '\",\"data\":{\"a\":\"crue\"}}') end",
         "1", keys.events()});
    server.cli({"XADD", keys.events(), "*", "event", R"({"id":"crue"})"});
    EXPECT_TRUE(run(board.cancel("crue")).value().unread);
    event_plan what;
    what.event = "crue";
    what.entry = "1-0";
    EXPECT_EQ(run(book.plan(what, event_state::scheduled)).value(), plan_outcome::called_off);
    EXPECT_EQ(run(book.plan(what, event_state::running)).value(), plan_outcome::called_off);
    EXPECT_EQ(server.cli({"EXISTS", keys.ledger("crue")}), "0");
    EXPECT_EQ(run(book.plan(what, event_state::cancelling)).value(), plan_outcome::created);
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::cancelling);
    // One of another name goes on.
    what.event = "other-7";
    EXPECT_EQ(run(book.plan(what, event_state::running)).value(), plan_outcome::created);
}

TEST_F(ControlBoardTest, AnEventThatAnEngineHasInItsHandsIsCalledOffToo) {
    server.cli({"XGROUP", "CREATE", keys.events(), "tocsin", "0", "MKSTREAM"});
    server.cli(
        {"EVAL", "for n = 1, 250 do redis.call('XADD', KEYS[1], '*', 'event', '{}') end", "1",
         keys.events()});
    const std::string entry = server.cli({"XADD", keys.events(), "*", "event", "{}"});
    server.cli({"XREADGROUP", "GROUP", "tocsin", "a", "COUNT", "1000", "STREAMS", keys.events(), ">"});
    EXPECT_TRUE(run(board.cancel(entry)).value().unread);
    server.cli({"XACK", keys.events(), "tocsin", entry});
    EXPECT_EQ(run(board.cancel(entry)).value().state, event_state::none);
}

TEST_F(ControlBoardTest, AMistypedNameIsNotRememberedButWhatIsAboutToComeIs) {
    EXPECT_EQ(run(board.cancel("crue")).value().state, event_state::none);
    EXPECT_EQ(server.cli({"EXISTS", keys.called_off("crue")}), "0");
    EXPECT_EQ(run(board.cancel("crue", control_board::absent::call_off)).value().state, event_state::none);
    event_plan what;
    what.event = "crue";
    what.entry = "1-0";
    EXPECT_EQ(run(book.plan(what, event_state::running)).value(), plan_outcome::called_off);
}

TEST_F(ControlBoardTest, ACancelThatDoesNotEndLeavesNothingForLong) {
    server.cli({"SET", keys.events(), "no stream"});
    EXPECT_TRUE(run(board.cancel("crue")).has_error());
    EXPECT_LE(std::stol(server.cli({"PTTL", keys.called_off("crue")})), 600'000);

    server.cli({"DEL", keys.events()});
    EXPECT_FALSE(run(board.cancel("crue", control_board::absent::call_off)).value().cancelled());
    EXPECT_GT(std::stol(server.cli({"PTTL", keys.called_off("crue")})), 600'000);
    EXPECT_FALSE(run(board.cancel("crue")).value().cancelled());
    EXPECT_EQ(server.cli({"EXISTS", keys.called_off("crue")}), "1") << "what others called off stays so";
}

TEST_F(ControlBoardTest, AnEntryOfAnEventWithANameOfItsOwnIsNotCancelledByItsNumber) {
    const std::string entry = server.cli({"XADD", keys.events(), "*", "event", R"({"id":"crue"})"});
    EXPECT_FALSE(run(board.cancel(entry)).value().cancelled());
    const std::string nameless = server.cli({"XADD", keys.events(), "*", "event", "{}"});
    EXPECT_TRUE(run(board.cancel(nameless)).value().unread);
}

TEST_F(ControlBoardTest, AnEngineThatStartsIsToldEvenThatNothingIsHeldBack) {
    redis::client blocking{loop.get_executor(), redis::parse_address(server.url()).value(), time, log};
    recorder heard;
    control_watch watch(blocking, keys, time, log, heard);
    boost::asio::co_spawn(loop, watch.run(), boost::asio::detached);
    ASSERT_TRUE(testing::loop_until(loop, [&heard] { return !heard.states.empty(); }));
    EXPECT_EQ(heard.states.front(), control_state{});
    watch.stop();
    blocking.close();
    ASSERT_TRUE(testing::loop_until(loop, [&blocking] { return !blocking.connected(); }));
}

TEST_F(ControlBoardTest, AnEngineHearsOfAChangeLongBeforeItWouldHaveLookedAgain) {
    redis::client blocking{loop.get_executor(), redis::parse_address(server.url()).value(), time, log};
    recorder heard;
    control_watch watch(blocking, keys, time, log, heard);
    boost::asio::co_spawn(loop, watch.run(), boost::asio::detached);
    ASSERT_TRUE(run(board.set_rate(mairies, 1)).has_value());
    ASSERT_TRUE(testing::loop_until(loop, [&heard] { return !heard.states.empty(); }));
    const time_point told = time.now();
    ASSERT_TRUE(run(board.hold(hold_selector{}, time.wall_now())).has_value());
    ASSERT_TRUE(testing::loop_until(loop, [&heard] { return heard.states.back().holds.size() == 1; }));
    EXPECT_LT(time.now() - told, 900ms);
    const std::vector<removed_device> gone{{mairies, "token-1"}, {mairies, "token-2"}};
    ASSERT_TRUE(run(board.tell_removed(gone)).has_value());
    ASSERT_TRUE(testing::loop_until(loop, [&heard] { return heard.removed.size() == 2; }));
    EXPECT_EQ(heard.removed[1].token, "token-2");
    watch.stop();
    blocking.close();
    ASSERT_TRUE(testing::loop_until(loop, [&blocking] { return !blocking.connected(); }));
}

}  // namespace
}  // namespace tocsin
