#include "engine/plan/planner.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/plan/ledger_names.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Above this many territories it is cheaper to read the list of all rosters than to ask for each.
constexpr std::size_t most_heads_asked = 2'000;

}  // namespace

asio::awaitable<result<device_store::roster_list>> planner::rosters_of(
    const active_event& event, target which) {
    const audience& whom = event.audience;
    if (whom.communes().size() + whom.zones().size() > most_heads_asked) {
        auto all = co_await store_.all_rosters(which.app, which.on);
        if (all.has_value()) {
            std::erase_if(
                all->rosters, [&](const device_store::roster& one) { return !whom.contains(one.where); });
        }
        co_return all;
    }
    std::vector<territory> asked;
    for (const commune_id commune : whom.communes()) {
        asked.push_back(territory{commune, {}});
    }
    asked.insert(asked.end(), whom.zones().begin(), whom.zones().end());
    std::ranges::sort(asked);
    co_return co_await store_.rosters_of(which.app, which.on, std::move(asked));
}

asio::awaitable<result<std::vector<listed_device>>> planner::named_devices_of(
    const active_event& event, target which) {
    std::vector<listed_device> out;
    std::vector<std::string> tokens;
    for (const auto& named : event.audience.devices()) {
        if (named.on == which.on) {
            tokens.push_back(named.token);
        }
    }
    if (tokens.empty()) {
        co_return out;
    }
    std::vector<std::string> asked = tokens;
    auto known = co_await store_.find_all(which.app, which.on, std::move(asked));
    if (known.has_error()) {
        co_return known.error();
    }
    // A device that nobody registered is sent to through the apps that the event names, or through the only
    // one there is: anything else would be a guess.
    const bool only_app = std::ranges::count_if(preparer_.apps(), [&](const served_app& app) {
                              return app.platforms.contains(which.on);
                          }) == 1;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        listed_device one;
        one.token = std::move(tokens[i]);
        if ((*known)[i]) {
            one.commune = (*known)[i]->which.follow.front().commune.value();
            one.entry = std::move((*known)[i]->entry);
            out.push_back(std::move(one));
        } else if (!event.content.apps.empty() || only_app) {
            one.entry = encode_roster_entry(device{});
            out.push_back(std::move(one));
        }
    }
    co_return out;
}

asio::awaitable<result<event_plan>> planner::make(
    std::shared_ptr<const active_event> event, std::string entry, ledger_fields fields) {
    event_plan out;
    out.event = event->id;
    out.entry = std::move(entry);
    out.fields = std::move(fields);
    std::size_t damaged = 0;
    std::set<std::uint32_t> named_communes;
    for (const target& which : event->targets) {
        const auto rosters = co_await rosters_of(*event, which);
        if (rosters.has_error()) {
            co_return rosters.error();
        }
        damaged += rosters->damaged.size();
        auto shards = plan_rosters(rosters->rosters, out.pages);
        for (const shard& one : shards) {
            out.pages += page_count(one);
        }
        auto named = co_await named_devices_of(*event, which);
        if (named.has_error()) {
            co_return named.error();
        }
        for (const listed_device& one : *named) {
            named_communes.insert(one.commune);
        }
        for (shard& one : plan_devices(std::move(*named), out.pages)) {
            ++out.pages;
            shards.push_back(std::move(one));
        }
        if (!shards.empty()) {
            out.targets.push_back({which, std::move(shards)});
        }
    }
    if (damaged != 0) {  // All others are sent to, and the result says that somebody may not have been.
        out.fields.insert_or_assign(std::string(ledger_names::damaged_rosters), std::to_string(damaged));
    }
    if (event->content.receipts) {  // What an event for single devices may be reported on from.
        named_communes.erase(0);
        std::string list;
        for (const std::uint32_t commune : named_communes) {
            list += (list.empty() ? "" : ";") + to_string(commune_id(commune));
        }
        out.fields.insert_or_assign(std::string(ledger_names::named_communes), std::move(list));
    }
    // Only these have keys of their own from now on.
    std::string targets;
    for (const auto& one : out.targets) {
        targets += (targets.empty() ? "" : ";") + to_string(one.which);
    }
    out.fields.insert_or_assign(std::string(ledger_names::targets), std::move(targets));
    out.started_at = time_.wall_now();
    out.fields.insert_or_assign(
        std::string(ledger_names::started_at), std::to_string(out.started_at.time_since_epoch().count()));
    out.fields.insert_or_assign(std::string(ledger_names::pages_planned), std::to_string(out.pages));
    co_return out;
}

}  // namespace tocsin
