#include "engine/audience/unknown_commune.hpp"
#include "tools/tocsin/commune_movements.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/input_file.hpp"
#include "tools/tocsin/lost_followers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr std::uint32_t buckets_at_once = 32;
/// What registers again while it is moved is read again; somebody who does so for ever is left.
constexpr int passes = 5;

struct merge_options {
    std::string from;
    std::string to;
    std::string movements;
    bool known = false;
    bool join_zones = false;
    bool dry_run = false;
};

struct merge_step {
    commune_id from{0};
    commune_id to{0};
};

struct merge_tally {
    std::uint64_t moved = 0;
    std::uint64_t left = 0;  ///< For a zone of the same name, or because they changed again and again.
};

/// Moves the followers of one commune, and of its zones, to another, for one app on one platform.
class mover {
public:
    mover(store_session& in, const merge_options& how) : in_(in), how_(how) {}

    [[nodiscard]] merge_tally move(const target& which, const merge_step& step) {
        const auto rosters = in_.redis.run(in_.store.all_rosters(which.app, which.on));
        const auto there = in_.redis.run(in_.store.followers_outside(
            which.app, which.on, [to = step.to](commune_id id) { return id != to; }));
        taken_.clear();
        for (const device_store::roster_size& one : there) {
            if (!one.where.zone.empty() && !how_.join_zones) {
                taken_.insert(one.where.zone);
            }
        }
        merge_tally out;
        for (int pass = 0; pass < passes; ++pass) {
            out.left = 0;
            bool again = false;
            seen_.clear();
            for (const device_store::roster& one : rosters.rosters) {
                if (one.where.commune == step.from) {
                    move_roster(which, one, step, out, again);
                }
            }
            if (!again) {
                break;
            }
        }
        return out;
    }

private:
    void move_roster(
        const target& which, const device_store::roster& one, const merge_step& step, merge_tally& tally,
        bool& again) {
        for (std::uint32_t first = 0; first < one.head.buckets; first += buckets_at_once) {
            const std::uint32_t end = std::min(first + buckets_at_once, one.head.buckets);
            auto here = in_.redis.run(in_.store.members(which.app, which.on, one, first, end));
            std::vector<device_change> changes;
            for (device_store::found& each : here.devices) {
                if (!seen_.insert(each.which.token).second) {
                    continue;  // It stands in the roster of each of its zones.
                }
                bool left = false;
                auto follow = moved(each.which.follow, step, left);
                tally.left += left ? 1 : 0;
                if (follow == each.which.follow) {
                    continue;
                }
                device_change change;
                change.app = which.app;
                change.where = which.on;
                change.following = std::exchange(each.which.follow, std::move(follow));
                change.which = std::move(each.which);
                change.only_if_entry = std::move(each.entry);
                changes.push_back(std::move(change));
            }
            if (how_.dry_run) {
                tally.moved += changes.size();
                continue;
            }
            for (const change_outcome how : in_.redis.run(in_.store.apply(std::move(changes)))) {
                tally.moved += how == change_outcome::replaced ? 1 : 0;
                tally.left += how == change_outcome::kept || how == change_outcome::damaged ? 1 : 0;
                again = again || how == change_outcome::kept;
            }
        }
    }

    [[nodiscard]] std::vector<territory> moved(
        std::vector<territory> follow, const merge_step& step, bool& left) const {
        for (territory& where : follow) {
            if (where.commune != step.from) {
                continue;
            }
            if (!where.zone.empty() && taken_.contains(where.zone)) {
                left = true;
            } else {
                where.commune = step.to;
            }
        }
        std::ranges::sort(follow);
        const auto rest = std::ranges::unique(follow);
        follow.erase(rest.begin(), rest.end());
        return follow;
    }

    store_session& in_;
    const merge_options& how_;
    std::set<std::string> taken_;  ///< Zones of the other commune that have followers of their own.
    std::set<std::string> seen_;
};

/// The one merge that was named.
std::vector<merge_step> named_step(const store_session& in, const merge_options& how) {
    const auto from = parse_commune_id(how.from);
    const auto to = parse_commune_id(how.to);
    if (!from || !to) {
        throw command_end(
            exit_usage,
            "\"" + (from ? how.to : how.from) + "\" is not an INSEE code, such as \"21231\" or \"2A004\"");
    }
    if (*from == *to) {
        throw command_end(exit_usage, "FROM and TO are the same commune");
    }
    if (in.places.find(*to) == nullptr) {
        throw command_end(
            exit_usage, "no commune \"" + how.to + "\"" + unknown_commune_hint(how.to, in.places));
    }
    return {{*from, *to}};
}

/// What the table says of every commune that somebody follows and that is no more. `unclear` gets those of
/// which it does not say where they went.
std::vector<merge_step> steps_of_table(
    store_session& in, const std::function<std::vector<commune_id>(commune_id)>& today,
    std::set<std::string>& unclear) {
    std::set<commune_id> codes;
    for (const lost_followers& one : in.redis.run(find_lost_followers(in.store, in.targets(), in.places))) {
        codes.insert(one.roster.where.commune);
    }
    std::vector<merge_step> out;
    for (const commune_id code : codes) {
        const auto now = today(code);
        if (now.size() == 1) {
            out.push_back({code, now.front()});
            continue;
        }
        unclear.insert(to_string(code));
        std::string parts;
        for (const commune_id part : now) {
            parts += (parts.empty() ? "" : ", ") + to_string(part);
        }
        complain(
            now.empty()
                ? fmt::format("the table does not say what has become of {}", to_string(code))
                : fmt::format(
                      "{} was divided ({}): say where its followers go (tocsin devices merge {} CODE)",
                      to_string(code), parts, to_string(code)));
    }
    return out;
}

int carry_out(
    store_session& in, const common_options& common, const merge_options& how,
    const std::vector<merge_step>& steps, const std::set<std::string>& unclear) {
    table shown_table({"app/platform", "from", "to", how.dry_run ? "would move" : "moved", "left"});
    json::array moves;
    merge_tally total;
    for (const merge_step& step : steps) {
        for (const target& which : in.targets()) {
            mover work(in, how);
            const merge_tally done = work.move(which, step);
            if (done.moved == 0 && done.left == 0) {
                continue;
            }
            total.moved += done.moved;
            total.left += done.left;
            const served_app* const app = in.preparer.app(which.app);
            if (app != nullptr && !app->everywhere && !app->communes.contains(step.to)) {
                complain(fmt::format(
                    "app \"{}\" does not serve {}: add it to its communes, or it reaches no device",
                    which.app, to_string(step.to)));
            }
            shown_table.add(
                {to_string(which), to_string(step.from), to_string(step.to), grouped(done.moved),
                 grouped(done.left)});
            moves.push_back(json::object{
                {"app", which.app},
                {"platform", to_string(which.on)},
                {"from", to_string(step.from)},
                {"to", to_string(step.to)},
                {"moved", done.moved},
                {"left", done.left}});
        }
    }
    if (total.left != 0) {
        complain(fmt::format(
            "{} left: they follow a zone whose name the other commune has for one of its own (--join-zones "
            "moves them into that), or registered again at that moment",
            total.left));
    }
    if (common.json) {
        print_json(json::object{
            {"moved", total.moved},
            {"left", total.left},
            {"moves", std::move(moves)},
            {"unclear", json::array(unclear.begin(), unclear.end())}});
    } else {
        shown_table.add({"total", "", "", grouped(total.moved), grouped(total.left)});
        print(shown_table.text());
    }
    return total.left == 0 && unclear.empty() ? exit_ok : exit_failed;
}

int merge(const common_options& common, const merge_options& how) {
    const int ways = (how.from.empty() ? 0 : 1) + (how.movements.empty() ? 0 : 1) + (how.known ? 1 : 0);
    if (ways != 1 || how.from.empty() != how.to.empty()) {
        throw command_end(exit_usage, "say what merged: FROM and TO, or --movements FILE, or --known");
    }
    store_session in(common);
    std::set<std::string> unclear;
    if (how.known) {
        const auto steps = steps_of_table(
            in, [&](commune_id code) { return in.places.successors(code); }, unclear);
        return carry_out(in, common, how, steps, unclear);
    }
    if (how.movements.empty()) {
        return carry_out(in, common, how, named_step(in, how), unclear);
    }
    const auto table = value_or_end(
        commune_movements::parse(read_input(how.movements, exit_failed)), exit_failed, how.movements + ": ");
    const auto steps = steps_of_table(
        in, [&](commune_id code) { return table.today(code, in.places); }, unclear);
    return carry_out(in, common, how, steps, unclear);
}

}  // namespace

command devices_merge_command() {
    const auto how = std::make_shared<merge_options>();
    return {
        .name = "merge",
        .group = command_group::devices,
        .summary = "Move the followers of communes that merged.",
        .examples =
            "tocsin devices merge 01002 01004\n"
            "tocsin devices merge --known --dry-run\n"
            "tocsin devices merge --movements v_mvt_commune_2026.csv\n",
        .options =
            {option("FROM", how->from, "The former code"),
             option("TO", how->to, "The commune that it belongs to now"),
             option(
                 "--movements", how->movements,
                 "INSEE's table of events (CSV), or one with the columns `from` and `to`: moves the "
                 "followers of all former codes")
                 .value("FILE"),
             option("--known", how->known, "The same by the table that comes with Tocsin"),
             option(
                 "--join-zones", how->join_zones,
                 "Also move a zone if the other commune has one of the same name, with followers of its own"),
             option("--dry-run", how->dry_run, "Only count")},
        .details =
            "Devices that follow FROM follow TO afterwards, in all apps; zones of FROM become zones of TO "
            "with the same name. Works on the store itself, with or without an engine running, and may be "
            "repeated. A device that registers meanwhile stays as it registered: teach the backend the new "
            "codes first. Exit code 1 if devices were left, or codes that the table does not explain.\n\n"
            "`--json`: `moved`, `left`, `moves` by app, platform, `from` and `to`, and `unclear`: the codes "
            "that were left.",
        .run = [how](const common_options& common) { return merge(common, *how); },
    };
}

}  // namespace tocsin::cli
