#include "engine/live/live_view.hpp"

#include "tests/support/loop_until.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>

namespace tocsin {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

class LiveViewTest : public testing::redis_fixture {
protected:
    LiveViewTest() {
        live_sources sources;
        sources.health = [] { return json::object{{"ready", true}, {"checks", json::array()}}; };
        sources.lanes = [] { return json::array(); };
        view = std::make_unique<live_view>(
            loop.get_executor(), redis, keys, places, time, log, "one", std::move(sources));
        boost::asio::co_spawn(loop, view->run(), boost::asio::detached);
    }
    void TearDown() override {
        view->stop();
        loop.restart();
        loop.run_for(100ms);
    }

    template <class... Arguments>
    void command(std::string_view name, const Arguments&... arguments) {
        redis::request ask;
        ask.add(name, arguments...);
        ASSERT_FALSE(run(redis.execute(std::move(ask))).value().first_error()) << name;
    }
    void add_event(const std::string& id, const std::string& accepted = "10") {
        command("ZADD", keys.running(), 1, id);
        command(
            "HSET", keys.ledger(id), "event",
            R"({"audience":["commune:21231"],"notification":{"title":"Crue"}})", "targets", "mairies/fcm",
            "state", "running", "targeted", accepted, "o:mairies/fcm:accepted", accepted, "c:21231",
            accepted);
    }
    json::object status_after(std::uint64_t seen = 0) {
        return json::parse(run(view->after(seen))->status).as_object();
    }

    territories places =
        territories::parse("insee,name,population,department,epci\n21231,Dijon,100,21,\n", "").value();
    std::unique_ptr<live_view> view;
};

TEST_F(LiveViewTest, ShowsWhatRunsWithItsSums) {
    add_event("crue");
    const json::object status = status_after();
    ASSERT_EQ(status.at("events").as_array().size(), 1U);
    const json::object& event = status.at("events").at(0).as_object();
    EXPECT_EQ(event.at("event"), "crue");
    EXPECT_EQ(event.at("title"), "Crue");
    EXPECT_EQ(event.at("accepted").to_number<int>(), 10);
    EXPECT_EQ(status.at("redis_problem"), "");
}

TEST_F(LiveViewTest, ShowsAnEventThatHasEndedOnceWithItsTitle) {
    add_event("crue");
    const auto first = run(view->after(0));
    command("ZREM", keys.running(), "crue");
    command(
        "XADD", keys.results(), "*", "result",
        R"({"event":"crue","state":"finished","accepted":12,"finished_at":5})");
    const json::object status = status_after(first->number + 1);
    ASSERT_EQ(status.at("events").as_array().size(), 1U);
    EXPECT_EQ(status.at("events").at(0).at("state"), "finished");
    EXPECT_EQ(status.at("events").at(0).at("title"), "Crue");
}

TEST_F(LiveViewTest, SurvivesWhatIsNoResultAndNoLetter) {
    command("XADD", keys.results(), "*", "result", "{");
    command("XADD", keys.results(), "*", "other", "1");
    command("XADD", keys.results(), "*", "result", "[1]");
    command("XADD", keys.dead_letters(), "*", "letter", "nonsense");
    command(
        "XADD", keys.dead_letters(), "*", "letter", R"({"stream":"s","reason":"r","payload":"personal"})");
    const json::object status = status_after();
    EXPECT_TRUE(status.at("events").as_array().empty());
    EXPECT_EQ(status.at("dead_letters").at("total").to_number<int>(), 2);
    EXPECT_EQ(status.at("dead_letters").at("recent").at(0).at("reason"), "r");
    EXPECT_FALSE(status.at("dead_letters").at("recent").at(0).as_object().contains("payload"));
}

TEST_F(LiveViewTest, LooksAtAThousandEventsWithAFewCommandsEach) {
    redis::request many;
    for (int i = 0; i < 1'000; ++i) {
        many.add("ZADD", keys.running(), i, "e" + std::to_string(i));
        many.add("HSET", keys.ledger("e" + std::to_string(i)), "targets", "mairies/fcm", "state", "running");
    }
    ASSERT_TRUE(run(redis.execute(std::move(many))).has_value());
    const auto commands = [&] {
        redis::request ask;
        ask.add("INFO", "stats");
        const auto answer = run(redis.execute(std::move(ask))).value();
        const std::string text(answer.front().text());
        return std::stoll(text.substr(text.find("total_commands_processed:") + 25));
    };
    auto state = run(view->after(0));
    const auto before = commands();
    for (int looks = 0; looks < 3; ++looks) {
        state = run(view->after(state->number));
    }
    EXPECT_LE(commands() - before, 3 * 50);
    const json::value status = json::parse(state->status);
    EXPECT_EQ(status.at("running_total").to_number<int>(), 1'000);
    EXPECT_EQ(status.at("events").as_array().size(), 200U);
}

TEST_F(LiveViewTest, SaysThatRedisDoesNotAnswerAndKeepsWhatItKnew) {
    add_event("crue");
    const auto first = run(view->after(0));
    server.kill();
    auto state = first;
    for (int looks = 0; looks < 5; ++looks) {
        state = run(view->after(state->number));
        if (!json::parse(state->status).at("redis_problem").as_string().empty()) {
            break;
        }
    }
    const json::value status = json::parse(state->status);
    EXPECT_FALSE(status.at("redis_problem").as_string().empty());
    EXPECT_EQ(status.at("events").at(0).at("event"), "crue");
}

TEST_F(LiveViewTest, GivesAnEventInWholeAndKnowsWhatIsUnknown) {
    add_event("crue", "40");
    const auto whole = run(view->event("crue", true)).value();
    ASSERT_NE(whole, nullptr);
    EXPECT_EQ(json::parse(*whole).at("communes").at("21231").at("reach").to_number<double>(), 0.4);
    const auto brief = run(view->event("crue", false)).value();
    EXPECT_FALSE(json::parse(*brief).as_object().contains("communes"));
    EXPECT_EQ(run(view->event("nope", true)).value(), nullptr);
}

TEST_F(LiveViewTest, GoesOnLookingForWhoWaitsHoweverLongAgoThatBegan) {
    testing::manual_time clock;
    live_sources sources;
    sources.health = [] { return json::object(); };
    sources.lanes = [] { return json::array(); };
    live_view slow(loop.get_executor(), redis, keys, places, clock, log, "slow", std::move(sources));
    boost::asio::co_spawn(loop, slow.run(), boost::asio::detached);
    const auto first = run(slow.after(0));
    std::shared_ptr<const live_snapshot> second;
    boost::asio::co_spawn(
        loop, slow.after(first->number),
        [&](const std::exception_ptr&, std::shared_ptr<const live_snapshot> got) {
            second = std::move(got);
        });
    loop.restart();
    loop.poll();
    clock.advance(60s);  // The machine had no time for us.
    ASSERT_TRUE(testing::loop_until(loop, [&] { return second != nullptr; }));
    EXPECT_GT(second->number, first->number);
    slow.stop();
    loop.restart();
    loop.run_for(50ms);
}

TEST_F(LiveViewTest, TellsWhoFollowsAnEventWhatIsNewOfItAndNothingElse) {
    add_event("crue", "40");
    EXPECT_EQ(view->followed("crue"), nullptr);  // Nobody has looked yet.
    auto state = run(view->after(0));
    const auto first = view->followed("crue");
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(first->starts_with("event: detail\ndata: {\"event\":\"crue\""));
    EXPECT_TRUE(first->ends_with("}\n\n"));

    const auto looks = [&](int count) {
        for (int i = 0; i < count; ++i) {
            state = run(view->after(state->number));
            static_cast<void>(view->followed("crue"));
        }
    };
    looks(3);
    EXPECT_EQ(view->followed("crue"), first) << "it says the same";
    add_event("crue", "41");
    looks(3);
    EXPECT_NE(view->followed("crue"), first);
    EXPECT_NE(view->followed("crue")->find("\"accepted\":41"), std::string::npos);
}

TEST_F(LiveViewTest, TellsWhoFollowsNoEventThatThereIsNone) {
    static_cast<void>(view->followed("nope"));
    const auto state = run(view->after(0));
    ASSERT_NE(view->followed("nope"), nullptr);
    EXPECT_EQ(*view->followed("nope"), "event: detail\ndata: null\n\n");
}

TEST_F(LiveViewTest, ReadsFewOfTheEventsThatAreFollowedAtALook) {
    const auto read = [&] {
        std::size_t count = 0;
        for (int i = 0; i < 100; ++i) {
            count += view->followed("e" + std::to_string(i)) == nullptr ? 0 : 1;
        }
        return count;
    };
    EXPECT_EQ(read(), 0U);
    static_cast<void>(run(view->after(0)));
    EXPECT_EQ(read(), 4U);
}

TEST_F(LiveViewTest, AsksNothingWhileNobodyWatches) {
    EXPECT_FALSE(redis.connected());
    loop.restart();
    loop.run_for(50ms);
    EXPECT_FALSE(redis.connected());
}

}  // namespace
}  // namespace tocsin
