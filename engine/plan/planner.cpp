#include "engine/plan/planner.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/plan/deferral.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Above this many territories it is cheaper to read the list of all rosters than to ask for each.
constexpr std::size_t most_heads_asked = 2'000;

/// What of one target leaves at the same moment.
struct part {
    std::vector<device_store::roster> rosters;
    std::vector<listed_device> named;
    std::vector<hashed_device> reached;
};

/// One target's shards, those that leave first in front; their pages are numbered from `into.pages` on, and
/// their moments noted there.
std::vector<shard> cut(part all, deferral_book& deferred, wall_time now, event_plan& into) {
    std::map<wall_time, part> parts;
    for (device_store::roster& one : all.rosters) {
        parts[deferred.moment_for(one.where)].rosters.push_back(std::move(one));
    }
    for (listed_device& one : all.named) {
        parts[deferred.moment_for({commune_id(one.commune), {}})].named.push_back(std::move(one));
    }
    for (const hashed_device& one : all.reached) {
        parts[deferred.moment_for({commune_id(one.commune), {}})].reached.push_back(one);
    }
    std::vector<shard> out;
    for (auto& [moment, what] : parts) {
        wave here;
        here.first_page = into.pages;
        here.starts = moment == wall_time{} ? now : moment;
        here.over = deferred.spread_from(moment);
        for (shard& one : plan_rosters(what.rosters, into.pages)) {
            into.pages += page_count(one);
            out.push_back(std::move(one));
        }
        for (shard& one : plan_devices(std::move(what.named), into.pages)) {
            ++into.pages;
            out.push_back(std::move(one));
        }
        for (shard& one : plan_hashed(what.reached, into.pages)) {
            ++into.pages;
            out.push_back(std::move(one));
        }
        here.pages = into.pages - here.first_page;
        if (moment != wall_time{} || here.over.count() != 0) {
            into.when.add(here);
        }
    }
    return out;
}

/// What an event for single devices may be reported on from.
void note_communes(std::set<std::uint32_t> communes, event_plan& into) {
    communes.erase(0);
    std::string list;
    for (const std::uint32_t commune : communes) {
        list += (list.empty() ? "" : ";") + to_string(commune_id(commune));
    }
    into.fields.insert_or_assign(std::string(ledger_names::named_communes), std::move(list));
}

void note_moments(const deferral_book& deferred, event_plan& into) {
    if (const auto held = deferred.deferrals(); !held.empty()) {
        into.fields.insert_or_assign(std::string(ledger_names::deferred), write_deferrals(held));
    }
    if (!into.when.waves().empty()) {
        into.fields.insert_or_assign(std::string(ledger_names::waves), into.when.encode());
    }
}

}  // namespace

asio::awaitable<result<device_store::roster_list>> planner::rosters_of(
    const active_event& event, target which) {
    auto out = co_await stored_rosters_of(event, which);
    if (out.has_error() && out.error() == redis::redis_errc::damaged) {
        out = device_store::roster_list();
        out->damaged.push_back(which.app);  // Where all its heads should be stands something else.
    }
    co_return out;
}

asio::awaitable<result<device_store::roster_list>> planner::stored_rosters_of(
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
    const active_event& event, target which, std::size_t& damaged) {
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
    std::vector<token_hash> hashes;
    for (const std::string& token : tokens) {
        hashes.push_back(hash_token(token));
    }
    auto known = co_await store_.look_up(which.app, which.on, std::move(hashes));
    if (known.has_error() && known.error() == redis::redis_errc::damaged) {
        damaged += tokens.size();
        co_return out;
    }
    if (known.has_error()) {
        co_return known.error();
    }
    damaged += known->damaged.size();
    // A device that nobody registered is sent to through the apps that the event names, or through the only
    // one there is: anything else would be a guess.
    const bool only_app = std::ranges::count_if(preparer_.apps(), [&](const served_app& app) {
                              return app.platforms.contains(which.on);
                          }) == 1;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        listed_device one;
        one.token = std::move(tokens[i]);
        auto& there = known->devices[i];
        if (there && there->which.token == one.token) {
            one.commune = there->which.follow.front().commune.value();
            one.entry = std::move(there->entry);
            out.push_back(std::move(one));
        } else if (!known->is_damaged(i) && (!event.content.apps.empty() || only_app)) {
            one.entry = encode_roster_entry(device{});
            out.push_back(std::move(one));
        }
    }
    co_return out;
}

asio::awaitable<result<std::vector<hashed_device>>> planner::reached_of(
    const active_event& event, target which, std::size_t& damaged) {
    std::vector<hashed_device> out;
    for (const std::string& id : event.content.reached_by) {
        const auto some = co_await ledger_.reached(id, which);
        if (some.has_error() && some.error() == redis::redis_errc::damaged) {
            ++damaged;
            continue;
        }
        if (some.has_error()) {
            co_return some.error();
        }
        out.insert(out.end(), some->begin(), some->end());
    }
    // Whoever was sent to by an alert and by its update is told once; then by communes, which share a moment.
    std::ranges::sort(out, {}, [](const hashed_device& one) { return one.which.bytes; });
    const auto again = std::ranges::unique(out, {}, &hashed_device::which);
    out.erase(again.begin(), again.end());
    std::ranges::stable_sort(out, {}, &hashed_device::commune);
    co_return out;
}

asio::awaitable<result<event_plan>> planner::make(
    std::shared_ptr<const active_event> event, std::string entry, ledger_fields fields) {
    event_plan out;
    out.event = event->id;
    out.entry = std::move(entry);
    out.fields = std::move(fields);
    // Who only asks ahead, asks for then.
    const wall_time now = std::max(time_.wall_now(), event->content.send_at.value_or(wall_time{}));
    deferral_book deferred(preparer_.quiet(), event->content, now);
    std::size_t damaged = 0;
    std::set<std::uint32_t> named_communes;
    for (const target& which : event->targets) {
        part whom;
        if (!event->content.reached_by.empty()) {
            auto reached = co_await reached_of(*event, which, damaged);
            if (reached.has_error()) {
                co_return reached.error();
            }
            whom.reached = std::move(*reached);
        } else {
            auto rosters = co_await rosters_of(*event, which);
            if (rosters.has_error()) {
                co_return rosters.error();
            }
            damaged += rosters->damaged.size();
            whom.rosters = std::move(rosters->rosters);
            auto named = co_await named_devices_of(*event, which, damaged);
            if (named.has_error()) {
                co_return named.error();
            }
            for (const listed_device& one : *named) {
                named_communes.insert(one.commune);
            }
            whom.named = std::move(*named);
        }
        auto shards = cut(std::move(whom), deferred, now, out);
        if (!shards.empty()) {
            out.targets.push_back({which, std::move(shards)});
        }
    }
    if (damaged != 0) {  // All others are sent to, and the result says that somebody may not have been.
        out.fields.insert_or_assign(std::string(ledger_names::damaged_rosters), std::to_string(damaged));
    }
    if (event->content.receipts) {
        note_communes(std::move(named_communes), out);
    }
    note_moments(deferred, out);
    // Only these have keys of their own from now on.
    std::string targets;
    for (const auto& one : out.targets) {
        targets += (targets.empty() ? "" : ";") + to_string(one.which);
    }
    out.fields.insert_or_assign(std::string(ledger_names::targets), std::move(targets));
    out.fields.insert_or_assign(
        std::string(ledger_names::started_at), std::to_string(now.time_since_epoch().count()));
    out.fields.insert_or_assign(std::string(ledger_names::pages_planned), std::to_string(out.pages));
    co_return out;
}

}  // namespace tocsin
