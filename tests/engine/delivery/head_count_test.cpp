#include "engine/delivery/head_count.hpp"

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/plan/planner.hpp"
#include "providers/known_platforms.hpp"
#include "tests/support/redis_fixture.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin {
namespace {

constexpr std::array<std::string_view, 5> communes{"21054", "21166", "21171", "21231", "2A004"};
constexpr std::array<std::string_view, 2> zones{"centre", "port"};

/// What is to come out, by the words of the contract: who follows anything that the audience names, or is
/// named, is sent to once.
struct expectation {
    std::uint64_t devices = 0;
    std::uint64_t muted = 0;
    std::uint64_t duplicates = 0;
    friend bool operator==(const expectation&, const expectation&) = default;
    friend std::ostream& operator<<(std::ostream& out, const expectation& it) {
        return out << it.devices << " devices, " << it.muted << " muted, " << it.duplicates << " duplicates";
    }
};

class HeadCountTest : public testing::redis_fixture {
protected:
    HeadCountTest() {
        std::vector<served_app> apps(2);
        apps[0] = {"mairies", true, {}, {{platform::apns, nullptr}, {platform::fcm, nullptr}}};
        apps[1] = {"dijon", true, {}, {{platform::fcm, nullptr}}};
        preparer.set_apps(std::move(apps));
    }

    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    }

    territory any_place() {
        territory out{*parse_commune_id(communes[below(communes.size())]), {}};
        if (below(4) == 0) {
            out.zone = zones[below(zones.size())];
        }
        return out;
    }
    void register_devices(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            device_change& one = devices.emplace_back();
            one.app = below(3) == 0 ? "dijon" : "mairies";
            one.where = one.app == "mairies" && below(3) == 0 ? platform::apns : platform::fcm;
            one.which.token = "a-device-with-a-name-" + std::to_string(1'000 + i);
            one.which.registered_at = 1'000;
            std::set<territory> follow;
            for (std::size_t n = 0; n <= below(4); ++n) {
                follow.insert(any_place());
            }
            one.which.follow.assign(follow.begin(), follow.end());
            if (below(5) == 0) {
                one.which.mute.emplace_back("agenda");
            }
        }
        auto copy = devices;
        ASSERT_TRUE(run(store.apply(std::move(copy))).has_value());
    }

    std::shared_ptr<active_event> any_event() {
        auto out = std::make_shared<active_event>();
        out->id = "any";
        for (std::size_t n = 0; n <= below(5); ++n) {
            if (below(12) == 0) {
                out->content.audience.push_back({selector_kind::everyone, "", {}});
            } else if (below(8) == 0) {
                out->content.audience.push_back({selector_kind::department, below(2) == 0 ? "21" : "2A", {}});
            } else if (below(4) == 0) {
                // One that is registered, or on another platform, or nobody's.
                out->content.audience.push_back(
                    {selector_kind::device, "a-device-with-a-name-" + std::to_string(1'000 + below(400)),
                     platform::fcm});
            } else {
                const territory where = any_place();
                out->content.audience.push_back(
                    {where.zone.empty() ? selector_kind::commune : selector_kind::zone,
                     to_string(where),
                     {}});
            }
        }
        if (below(3) == 0) {
            out->content.category = "agenda";
        }
        if (below(3) == 0) {
            out->content.apps.emplace_back(below(2) == 0 ? "dijon" : "mairies");
        }
        out->audience = audience::resolve(known_platforms(), out->content.audience, places).value();
        for (const served_app& app : preparer.apps()) {
            if (!out->content.apps.empty() && out->content.apps.front() != app.id) {
                continue;
            }
            for (const auto& [on, unused] : app.platforms) {
                out->targets.push_back({app.id, on});
            }
        }
        std::ranges::sort(out->targets);
        for (const named_token& one : out->audience.devices()) {
            out->named_devices.insert(named_device(one.on, one.token));
        }
        return out;
    }

    expectation expected(const active_event& event, const target& which) {
        expectation out;
        std::set<std::string> unknown;
        for (const named_token& one : event.audience.devices()) {
            if (one.on == which.on) {
                unknown.insert(one.token);
            }
        }
        for (const device_change& one : devices) {
            if (one.app != which.app || one.where != which.on) {
                continue;
            }
            const auto matches = static_cast<std::uint64_t>(std::ranges::count_if(
                one.which.follow, [&](const territory& where) { return event.audience.contains(where); }));
            const bool named = unknown.erase(one.which.token) != 0;
            if (matches == 0 && !named) {
                continue;
            }
            out.duplicates += named ? matches : matches - 1;
            const bool mutes =
                std::ranges::find(one.which.mute, event.content.category) != one.which.mute.end();
            ++(mutes ? out.muted : out.devices);
        }
        // Nobody's tokens go through the apps that the event names, or through the only one on the platform.
        if (!event.content.apps.empty() || which.on == platform::apns) {
            out.devices += unknown.size();
        }
        return out;
    }

    std::vector<head_count> counted(const std::shared_ptr<active_event>& event) {
        auto plan = run(planner(store, book, preparer, time).make(event, "", {})).value();
        return run(count_heads(redis, keys, known_platforms(), event, std::move(plan))).value();
    }

    std::mt19937 random{20'261'129};
    const territories places = territories::parse(
                                   "insee,name,population,department,epci\n"
                                   "21054,Beaune,9000,21,\n"
                                   "21166,Chenove,4000,21,\n"
                                   "21171,Chevigny,200,21,\n"
                                   "21231,Dijon,20000,21,\n"
                                   "2A004,Ajaccio,9000,2A,\n",
                                   "epci,name,type,communes,population\n")
                                   .value();
    event_preparer preparer{places, known_platforms(), event_limits{}, time};
    device_store store{
        redis,
        keys,
        known_platforms(),
        {[this](commune_id commune) { return places.population(commune); },
         [this](std::string_view) { return places.total_population(); }}};
    ledger book{redis, keys, "a"};
    std::vector<device_change> devices;
};

TEST_F(HeadCountTest, CountsEachDeviceOfAThousandRandomAudiencesOnce) {
    register_devices(300);
    std::uint64_t targeted = 0;
    for (int round = 0; round < 1'000; ++round) {
        const auto event = any_event();
        for (const head_count& one : counted(event)) {
            ASSERT_EQ((expectation{one.devices, one.muted, one.duplicates}), expected(*event, one.which))
                << "round " << round << ", " << to_string(one.which);
            ASSERT_EQ(one.unread, 0U);
            targeted += one.targeted();
        }
    }
    EXPECT_GT(targeted, 10'000U);
}

TEST_F(HeadCountTest, WritesNothing) {
    register_devices(50);
    const auto changes = [this] {
        const std::string told = server.cli({"INFO", "persistence"});
        const std::string name = "rdb_changes_since_last_save:";
        const auto at = told.find(name);
        return at == std::string::npos ? "" : told.substr(at, told.find_first_of("\r\n", at) - at);
    };
    const std::string before = changes();
    ASSERT_NE(before, "");
    static_cast<void>(counted(any_event()));
    EXPECT_EQ(changes(), before);
}

}  // namespace
}  // namespace tocsin
