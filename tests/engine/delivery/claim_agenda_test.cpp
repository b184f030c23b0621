#include "engine/delivery/claim_agenda.hpp"

#include "tests/support/manual_time.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using place = claim_agenda::place;
using room = claim_agenda::room;

class ClaimAgendaTest : public ::testing::Test {
protected:
    void ask(const std::string& event, priority urgency = priority::normal, duration from_now = 0s) {
        agenda.ask({event, fcm, urgency}, time.now() + from_now);
    }
    std::vector<std::string> rest_of_turn() {
        std::vector<std::string> out;
        while (const auto next = agenda.next(look)) {
            out.push_back(next->event);
        }
        return out;
    }
    std::vector<std::string> turn() {
        agenda.begin_turn(time.now());
        return rest_of_turn();
    }

    using events = std::vector<std::string>;
    const target fcm{"mairies", platform::fcm};
    testing::manual_time time;
    claim_agenda agenda;
    std::map<std::string, room> rooms;  ///< Of events; others have some.
    std::size_t looks = 0;
    claim_agenda::room_for look = [this](const place& who) {
        ++looks;
        const auto found = rooms.find(who.event);
        return found == rooms.end() ? room::some : found->second;
    };
};

TEST_F(ClaimAgendaTest, TheMostUrgentComesFirstAndAmongEqualsTheOneThatHasWaitedLongest) {
    ask("low", priority::low);
    ask("late", priority::high, 2s);
    ask("early", priority::high, 1s);
    ask("alert", priority::critical, 3s);
    time.advance(3s);
    EXPECT_EQ(turn(), (events{"alert", "early", "late", "low"}));
    EXPECT_EQ(turn(), events{}) << "who was taken out has to be asked for again";
}

TEST_F(ClaimAgendaTest, WhoRestsIsNotAskedBeforeItsTime) {
    ask("event", priority::normal, 1s);
    EXPECT_EQ(turn(), events{});
    time.advance(1s - 1ns);
    EXPECT_EQ(turn(), events{});
    time.advance(1ns);
    EXPECT_EQ(turn(), events{"event"});
}

TEST_F(ClaimAgendaTest, TheLastWordAboutAPlaceCounts) {
    ask("sooner", priority::normal, 1h);
    ask("sooner");
    ask("later");
    ask("later", priority::normal, 1h);
    ask("other urgency", priority::low);
    ask("other urgency", priority::high);
    EXPECT_EQ(turn(), (events{"other urgency", "sooner"}));
    time.advance(1h);
    EXPECT_EQ(turn(), events{"later"});
}

TEST_F(ClaimAgendaTest, InATurnEachIsGivenOnceHoweverOftenItIsAskedFor) {
    for (const char* const each : {"a", "b", "c"}) {
        ask(each);
    }
    agenda.begin_turn(time.now());
    events given;
    while (const auto next = agenda.next(look)) {
        given.push_back(next->event);
        agenda.ask(*next, time.now());
        ASSERT_LE(given.size(), 3U);
    }
    EXPECT_EQ(given, (events{"a", "b", "c"}));
    EXPECT_EQ(turn(), (events{"a", "b", "c"}));
}

TEST_F(ClaimAgendaTest, WhoIsAlwaysHungryDoesNotKeepTheOthersWaiting) {
    ask("hungry");
    ask("patient", priority::normal, 1s);
    for (int i = 0; i < 3; ++i) {
        agenda.begin_turn(time.now());
        const auto next = agenda.next(look);
        ASSERT_TRUE(next);
        EXPECT_EQ(next->event, i == 1 ? "patient" : "hungry");
        if (next->event == "hungry") {
            time.advance(1s);
            agenda.ask(*next, time.now());
        }
    }
}

TEST_F(ClaimAgendaTest, WhereThereIsNoRoomTheOthersOfThatKindAreNotLookedAt) {
    agenda.ask({"elsewhere", {"mairies", platform::apns}, priority::normal}, time.now());
    for (int i = 0; i < 1'000; ++i) {
        ask("big-" + std::to_string(i));
        rooms["big-" + std::to_string(i)] = room::none;
    }
    EXPECT_EQ(turn(), events{"elsewhere"});
    EXPECT_LE(looks, 4U);
    rooms.clear();
    EXPECT_EQ(turn().size(), 1'000U) << "nothing has to tell it that there is room again";
}

TEST_F(ClaimAgendaTest, WhoHasEnoughLetsTheOthersOfItsKindPass) {
    ask("nation");
    ask("village");
    ask("resting", priority::normal, 1s);
    rooms["nation"] = room::none_for_it;
    EXPECT_EQ(turn(), events{"village"}) << "and not those behind it whose time has not come";
    rooms.clear();
    EXPECT_EQ(turn(), events{"nation"});
}

// What a turn costs must not grow with the events that are running: with a thousand of them there is a turn
// for each page that is done.
TEST_F(ClaimAgendaTest, ATurnLooksAtWhatIsDueHoweverManyEventsRest) {
    for (int i = 0; i < 10'000; ++i) {
        ask("resting-" + std::to_string(i), static_cast<priority>(i % 4), 1s);
        agenda.ask(
            {"elsewhere", {"app-" + std::to_string(i), platform::fcm}, priority::high}, time.now() + 1s);
    }
    ask("due");
    EXPECT_EQ(turn(), events{"due"});
    EXPECT_EQ(looks, 1U);
    EXPECT_EQ(turn(), events{});
    EXPECT_EQ(looks, 1U);
}

}  // namespace
}  // namespace tocsin
