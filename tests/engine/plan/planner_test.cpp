#include "engine/plan/planner.hpp"

#include "engine/core/rfc3339.hpp"
#include "engine/plan/deferral.hpp"
#include "engine/plan/ledger_names.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

/// Counts how often Redis' answers were waited for.
class counted_redis final : public redis::client {
public:
    using redis::client::client;
    boost::asio::awaitable<result<redis::replies>> execute(redis::request what) override {
        ++waits;
        co_return co_await redis::client::execute(std::move(what));
    }
    std::size_t waits = 0;
};

wall_time at(std::string_view text) {
    return parse_rfc3339(text).value();
}

/// Paris, Cayenne and Nouméa, with a device in each that follows it, and one that follows Cayenne and Nouméa.
class PlannerTest : public testing::redis_fixture {
protected:
    PlannerTest() {
        preparer.set_apps({{"mairies", true, {}, {{platform::fcm, nullptr}}}});
        quiet_hours_settings how;
        how.from = "21:30";
        how.to = "07:00";
        preparer.set_quiet_hours(quiet_hours::make(how).value());
        add("paris", {"75056"});
        add("cayenne", {"97302"});
        add("noumea", {"98818"});
        add("both", {"97302", "98818"});
    }

    void add(std::string token, const std::vector<std::string_view>& follow) {
        device_change one;
        one.app = "mairies";
        one.where = platform::fcm;
        one.which.token = std::move(token);
        for (const std::string_view code : follow) {
            one.which.follow.push_back({*parse_commune_id(code), {}});
        }
        std::vector<device_change> all{std::move(one)};
        ASSERT_TRUE(run(store.apply(std::move(all))).has_value());
    }

    static std::vector<selector> communes() {
        std::vector<selector> out;
        for (const char* const code : {"75056", "97302", "98818"}) {
            out.push_back({.kind = selector_kind::commune, .value = code});
        }
        return out;
    }

    event_plan plan(std::vector<selector> whom, std::chrono::seconds ttl = 24h) {
        event = std::make_shared<active_event>();
        event->id = "agenda";
        event->content.audience = std::move(whom);
        event->content.expires_at = clock.wall_now() + ttl;
        event->content.spread = spread;
        event->content.priority = urgency;
        event->audience = audience::resolve(known_platforms(), event->content.audience, places).value();
        event->targets = {{"mairies", platform::fcm}};
        return run(planner(store, book, preparer, clock).make(event, "1-0", {})).value();
    }

    /// Commune (or token) → the moment of its first page.
    static std::map<std::string, wall_time> moments(const event_plan& of) {
        std::map<std::string, wall_time> out;
        for (const auto& one : of.targets) {
            for (const shard& piece : one.shards) {
                for (const bucket_run& each : piece.runs) {
                    out.emplace(to_string(each.where.commune), of.when.due(piece.first_page));
                }
                for (const listed_device& each : piece.devices) {
                    out.emplace(each.token, of.when.due(piece.first_page));
                }
            }
        }
        return out;
    }

    static std::vector<deferral> deferred(const event_plan& of) {
        const auto found = of.fields.find(ledger_names::deferred);
        return found == of.fields.end() ? std::vector<deferral>() : read_deferrals(found->second);
    }

    testing::manual_time clock;
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n"
                                   "75056,Paris,9000,75,\n"
                                   "97302,Cayenne,4000,973,\n"
                                   "98818,Nouméa,9000,988,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    event_preparer preparer{places, known_platforms(), event_limits{}, clock};
    device_store store{
        redis,
        keys,
        known_platforms(),
        {[this](commune_id commune) { return places.population(commune); },
         [this](std::string_view) { return places.total_population(); }}};
    ledger book{redis, keys, "a"};
    std::shared_ptr<active_event> event;
    std::chrono::seconds spread{0};
    priority urgency = priority::normal;
};

TEST_F(PlannerTest, EachTerritoryIsDeferredToItsOwnMorning) {
    // 22:30 in Paris, 18:30 in Cayenne, 08:30 in Nouméa.
    clock.set_wall(at("2026-11-23T21:30:00Z"));
    EXPECT_EQ(
        moments(plan(communes())),
        (std::map<std::string, wall_time>{
            {"75056", at("2026-11-24T06:00:00Z")}, {"97302", wall_time{}}, {"98818", wall_time{}}}));
    // 02:00 in Paris, 22:00 in Cayenne, 12:00 in Nouméa.
    clock.set_wall(at("2026-11-24T01:00:00Z"));
    const event_plan night = plan(communes());
    EXPECT_EQ(
        moments(night), (std::map<std::string, wall_time>{
                            {"75056", at("2026-11-24T06:00:00Z")},
                            {"97302", at("2026-11-24T10:00:00Z")},
                            {"98818", wall_time{}}}));
    EXPECT_EQ(
        deferred(night), (std::vector<deferral>{
                             {at("2026-11-24T06:00:00Z"), 1, {"Europe/Paris"}},
                             {at("2026-11-24T10:00:00Z"), 1, {"America/Cayenne"}}}));
    // 12:00 in Paris, 08:00 in Cayenne, 22:00 in Nouméa.
    clock.set_wall(at("2026-11-24T11:00:00Z"));
    EXPECT_EQ(
        moments(plan(communes())),
        (std::map<std::string, wall_time>{
            {"75056", wall_time{}}, {"97302", wall_time{}}, {"98818", at("2026-11-24T20:00:00Z")}}));
}

TEST_F(PlannerTest, ByDayNothingIsDeferred) {
    clock.set_wall(at("2026-11-24T18:00:00Z"));  // 19:00, 15:00, 05:00.
    const event_plan day = plan({communes()[0], communes()[1]});
    EXPECT_TRUE(day.when.waves().empty());
    EXPECT_TRUE(deferred(day).empty());
    EXPECT_FALSE(day.fields.contains(ledger_names::waves));
}

TEST_F(PlannerTest, ADeviceThatIsNamedGoesByTheFirstCommuneThatItFollows) {
    clock.set_wall(at("2026-11-24T02:00:00Z"));  // 03:00 in Paris, 23:00 in Cayenne, 13:00 in Nouméa.
    std::vector<selector> whom;
    for (const char* const token : {"noumea", "both", "a-stranger-that-nobody-registered"}) {
        whom.push_back({.kind = selector_kind::device, .value = token, .device = platform::fcm});
    }
    EXPECT_EQ(
        moments(plan(whom)), (std::map<std::string, wall_time>{
                                 {"noumea", wall_time{}},
                                 {"both", at("2026-11-24T10:00:00Z")},
                                 {"a-stranger-that-nobody-registered", at("2026-11-24T06:00:00Z")}}));
}

TEST_F(PlannerTest, WhatCannotBeReadOfTheStoreIsCountedAndAllOthersArePlanned) {
    const token_hash paris = hash_token("paris");
    const auto heads = [this](const std::string& field) {
        return *decode_roster_head(server.cli({"HGET", keys.rosters("mairies"), field}));
    };
    const roster_head index = heads("index");
    const roster_head roster = heads("fcm:75056");
    const std::string in_index = keys.index_bucket("mairies", platform::fcm, paris.bucket(index.buckets));
    const std::string in_roster = keys.roster_bucket(
        "mairies", platform::fcm, "75056", roster.generation, paris.bucket(roster.buckets));
    const std::string saved = server.cli({"HGET", keys.rosters("mairies"), "fcm:75056"});
    struct damage {
        const char* what;
        std::vector<std::vector<std::string>> spoil;
        std::size_t planned;
    };
    const std::vector<damage> kinds{
        {"nothing", {}, 2},
        {"a record", {{"DEL", in_roster}, {"SET", in_roster, "x"}}, 1},
        {"a roster's head", {{"HSET", keys.rosters("mairies"), "fcm:75056", "x"}}, 1},
        {"an index entry",
         {{"HSET", keys.rosters("mairies"), "fcm:75056", saved}, {"DEL", in_index}, {"SET", in_index, "x"}},
         1},
        {"the index' head", {{"HSET", keys.rosters("mairies"), "index", "x"}}, 0},
        {"all heads", {{"DEL", keys.rosters("mairies")}, {"SET", keys.rosters("mairies"), "x"}}, 0},
    };
    for (const damage& kind : kinds) {
        for (const auto& command : kind.spoil) {
            server.cli(command);
        }
        const event_plan made = plan(
            {{selector_kind::device, "paris", platform::fcm},
             {selector_kind::device, "noumea", platform::fcm}});
        std::size_t planned = 0;
        for (const auto& one : made.targets) {
            for (const shard& part : one.shards) {
                planned += part.devices.size();
            }
        }
        EXPECT_EQ(planned, kind.planned) << kind.what;
        EXPECT_EQ(made.fields.contains(std::string(ledger_names::damaged_rosters)), !kind.spoil.empty())
            << kind.what;
    }
}

TEST_F(PlannerTest, ATerritoryOfAZoneGoesByItsCommune) {
    add("quartier", {"97302"});
    device_change one;
    one.app = "mairies";
    one.where = platform::fcm;
    one.which.token = "in-a-zone";
    one.which.follow.push_back({*parse_commune_id("97302"), "centre"});
    std::vector<device_change> all{std::move(one)};
    ASSERT_TRUE(run(store.apply(std::move(all))).has_value());
    clock.set_wall(at("2026-11-24T02:00:00Z"));
    EXPECT_EQ(
        moments(plan({{.kind = selector_kind::zone, .value = "97302:centre"}})).at("97302"),
        at("2026-11-24T10:00:00Z"));
}

TEST_F(PlannerTest, WhatExpiresBeforeTheMorningIsOverWhenItDoes) {
    clock.set_wall(at("2026-11-24T02:00:00Z"));
    const event_plan night = plan({communes()[0]}, 1h);
    EXPECT_EQ(moments(night).at("75056"), at("2026-11-24T03:00:00Z"));
    EXPECT_EQ(night.when.waves().front().over, 0s);
    EXPECT_EQ(deferred(night).front().until, at("2026-11-24T03:00:00Z"));
}

TEST_F(PlannerTest, WhatWaitedIsSpacedAndPagesAreNumberedInTheOrderOfTheirMoments) {
    clock.set_wall(at("2026-11-24T02:00:00Z"));
    const event_plan night = plan(communes());
    ASSERT_EQ(night.when.waves().size(), 2U);
    EXPECT_EQ(night.when.waves()[0].over, quiet_hours_settings().spread);
    EXPECT_EQ(night.when.waves()[0].first_page, 3U);  // Nouméa's 30 buckets.
    EXPECT_EQ(night.when.waves()[1].first_page, 6U);
    EXPECT_EQ(night.when.waves()[1].pages + 6U, night.pages);
    spread = 600s;
    const event_plan spaced = plan(communes());
    ASSERT_EQ(spaced.when.waves().size(), 3U);
    for (const wave& one : spaced.when.waves()) {
        EXPECT_EQ(one.over, 600s);
    }
    EXPECT_EQ(spaced.when.waves()[0].starts, clock.wall_now());
}

TEST_F(PlannerTest, ACriticalEventIsSentAtOnceWhateverSpreadItNames) {
    urgency = priority::critical;
    spread = 600s;
    for (const char* const hour : {"2026-11-24T02:00:00Z", "2026-11-24T12:00:00Z"}) {
        clock.set_wall(at(hour));
        const event_plan alert = plan(communes());
        EXPECT_EQ(
            moments(alert), (std::map<std::string, wall_time>{
                                {"75056", wall_time{}}, {"97302", wall_time{}}, {"98818", wall_time{}}}))
            << hour;
        for (const wave& one : alert.when.waves()) {
            EXPECT_EQ(one.over, 0s) << hour;
        }
        EXPECT_TRUE(deferred(alert).empty()) << hour;
    }
}

TEST_F(PlannerTest, SpacingLeavesHalfOfWhatIsLeftOfTheEvent) {
    clock.set_wall(at("2026-11-24T02:00:00Z"));
    const event_plan night = plan({communes()[0]}, 4h + 20s);
    EXPECT_EQ(night.when.waves().front().over, 10s);
}

TEST(Deferral, IsReadBackAsItWasWritten) {
    const std::vector<deferral> some{
        {at("2026-11-24T06:00:00Z"), 3, {"Europe/Paris"}},
        {at("2026-11-24T10:00:00Z"), 2, {"America/Cayenne", "America/Miquelon"}}};
    EXPECT_EQ(read_deferrals(write_deferrals(some)), some);
    EXPECT_TRUE(read_deferrals("").empty());
    EXPECT_TRUE(read_deferrals(R"({"until":1})").empty());
    EXPECT_TRUE(read_deferrals(R"([{"until":"x","territories":1,"zones":[]},7])").empty());
}

TEST_F(PlannerTest, AThousandNamedDevicesAreLookedUpTogether) {
    std::vector<selector> named;
    for (int n = 0; n < 1'000; ++n) {
        const std::string token = "resident-" + std::to_string(n);
        add(token, {n % 2 == 0 ? "75056" : "97302"});
        named.push_back({.kind = selector_kind::device, .value = token, .device = platform::fcm});
    }
    counted_redis counted(loop.get_executor(), redis::parse_address(server.url()).value(), time, log);
    device_store asks(
        counted, keys, known_platforms(),
        {[](commune_id) { return 9'000; }, [](std::string_view) { return 9'000; }});
    event = std::make_shared<active_event>();
    event->id = "agenda";
    event->content.audience = named;
    event->content.expires_at = clock.wall_now() + 1h;
    event->audience = audience::resolve(known_platforms(), event->content.audience, places).value();
    event->targets = {{"mairies", platform::fcm}};
    ledger counted_book(counted, keys, "a");
    const event_plan made = run(planner(asks, counted_book, preparer, clock).make(event, "1-0", {})).value();
    std::size_t devices = 0;
    for (const auto& one : made.targets) {
        for (const shard& piece : one.shards) {
            devices += piece.devices.size();
        }
    }
    EXPECT_EQ(devices, 1'000U);
    // The index's head, the index, the rosters' heads, the records: were each asked for by itself, an alert
    // behind this event would wait for two thousand round trips.
    EXPECT_LE(counted.waits, 5U);
}

}  // namespace
}  // namespace tocsin
