#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/intake/planning_desk.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/dead_letters.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger.hpp"
#include "providers/known_platforms.hpp"
#include "tests/engine/simulation/imagined_provider.hpp"
#include "tests/support/manual_time.hpp"
#include "tests/support/redis_fixture.hpp"

#include <boost/json/parse.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::testing {

inline territories dijon_and_beaune() {
    return territories::parse(
               "insee,name,population,department,epci\n21231,Dijon,9000,21,\n21054,Beaune,9000,21,\n",
               "epci,name,type,communes,population\n", "code,commune,name\n21901,21231,\n")
        .value();
}

/// What the parts of an engine share that read streams and find work: a ledger, a store of devices and dead
/// letters on a real Redis, and "mairies", an app on FCM for everywhere. The clock is the test's.
class mairies_fixture : public redis_fixture, public intake_listener {
protected:
    explicit mairies_fixture(territories where = dijon_and_beaune()) : places(std::move(where)) {
        served_app app;
        app.id = "mairies";
        app.everywhere = true;
        app.platforms.emplace(platform::fcm, std::make_shared<imagined_provider>(platform::fcm, channels));
        preparer.set_apps({app});
        clock.set_wall(time.wall_now());
    }

    static std::string event(
        const std::string& id, const std::string& more = "", const std::string& audience = "commune:21231") {
        return R"({"id":")" + id + R"(","audience":[")" + audience + R"("],"notification":{"title":"x"})" +
               more + "}";
    }
    std::string publish(const std::string& stream, const std::string& field, const std::string& document) {
        redis::request add;
        add.add("XADD", stream, "*", field, document);
        return std::string(run(redis.execute(std::move(add))).value().front().text());
    }
    std::vector<boost::json::value> letters() {
        redis::request ask;
        ask.add("XRANGE", keys.dead_letters(), "-", "+");
        const auto answer = run(redis.execute(std::move(ask))).value();
        std::vector<boost::json::value> out;
        for (std::size_t i = 0; i < answer.front().size(); ++i) {
            out.push_back(boost::json::parse(answer.front()[i][1][1].text()));
        }
        return out;
    }
    /// The entries and the codes of the letters.
    std::vector<std::pair<std::string, std::string>> refused() {
        std::vector<std::pair<std::string, std::string>> out;
        for (const auto& letter : letters()) {
            const std::string reason(letter.at("reason").as_string());
            out.emplace_back(letter.at("entry").as_string(), reason.substr(0, reason.find(':')));
        }
        return out;
    }
    std::string state_of(const std::string& id) { return server.cli({"HGET", keys.ledger(id), "state"}); }

    void alert_read(const active_event& event) override { alerts.push_back(event.id); }
    void event_planned(std::shared_ptr<active_event> event) override { planned.push_back(event->id); }

    std::vector<imagined_channel*> channels;
    manual_time clock;
    const territories places;
    event_preparer preparer{places, known_platforms(), event_limits{}, clock};
    metrics numbers;
    metrics_shard& shard = numbers.add_shard();
    ledger book{redis, keys, "one"};
    dead_letters posted{redis, keys, 1'000, shard};
    device_store store{
        redis,
        keys,
        known_platforms(),
        {[](commune_id) { return 100U; }, [](std::string_view) { return 100ULL; }}};
    std::vector<std::string> alerts;   ///< By id.
    std::vector<std::string> planned;  ///< By id.
};

}  // namespace tocsin::testing
