#include "engine/audience/device_store.hpp"
#include "engine/control/control_board.hpp"
#include "engine/event/device_token.hpp"
#include "engine/event/registration.hpp"
#include "engine/intake/registrar.hpp"
#include "engine/served_apps.hpp"
#include "tools/tocsin/commands.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t lines_at_once = 4'096;
constexpr std::size_t most_problems_told = 20;

/// What every action on the store needs.
struct store_session {
    settings how;
    territories places;
    std::unique_ptr<redis_session> redis;
    std::unique_ptr<device_store> store;
    event_preparer preparer;

    store_session(settings given, territories known, std::unique_ptr<redis_session> open)
        : how(std::move(given)),
          places(std::move(known)),
          redis(std::move(open)),
          store(std::make_unique<device_store>(redis->redis(), redis->keys(), sizing_for(how, places))),
          preparer(places, event_limits{}, redis->time()) {
        preparer.set_apps(served_apps(how));
    }

    /// Every app on every platform that is configured for it.
    [[nodiscard]] std::vector<target> targets() const {
        std::vector<target> out;
        for (const served_app& app : preparer.apps()) {
            for (const auto& [on, unused] : app.platforms) {
                out.push_back({app.id, on});
            }
        }
        return out;
    }
};

int import(store_session& in, const common_options& common, const std::string& file) {
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened) {
            complain("cannot read " + file);
            return exit_failed;
        }
    }
    std::istream& lines = file == "-" ? std::cin : opened;
    progress_line progress;
    std::uint64_t line_number = 0;
    std::uint64_t refused = 0;
    std::array<std::uint64_t, 5> outcomes{};
    std::string line;
    bool more = true;
    while (more) {
        std::vector<device_change> changes;
        while (changes.size() < lines_at_once && (more = static_cast<bool>(std::getline(lines, line)))) {
            ++line_number;
            if (line.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            auto what = parse_registration(line, in.redis->time().wall_now());
            refusal why;
            if (what.has_error()) {
                why = std::move(what.error());
            } else if (auto known = check_registration(*what, in.preparer); known.has_error()) {
                why = std::move(known.error());
            } else {
                changes.push_back(to_change(std::move(*what)));
                continue;
            }
            if (++refused <= most_problems_told) {
                progress.clear();
                complain(fmt::format("{}:{}: {}", file, line_number, why.message));
            }
        }
        const auto applied = in.redis->run(in.store->apply(std::move(changes)));
        if (!applied) {
            return exit_unreachable;
        }
        for (const change_outcome how : *applied) {
            ++outcomes[static_cast<std::size_t>(how)];
        }
        progress.show(grouped(line_number) + " lines");
    }
    progress.clear();
    if (refused > most_problems_told) {
        complain(fmt::format("… and {} more lines were refused", refused - most_problems_told));
    }
    const auto of = [&](change_outcome how) { return outcomes[static_cast<std::size_t>(how)]; };
    const std::uint64_t removed = of(change_outcome::removed);
    if (common.json) {
        print_json(json::object{
            {"lines", line_number},
            {"added", of(change_outcome::added)},
            {"replaced", of(change_outcome::replaced)},
            {"removed", removed},
            {"refused", refused}});
    } else {
        print(fmt::format(
            "{} added, {} replaced, {} removed, {} refused", grouped(of(change_outcome::added)),
            grouped(of(change_outcome::replaced)), grouped(removed), grouped(refused)));
    }
    return refused == 0 ? exit_ok : exit_failed;
}

int count(store_session& in, const common_options& common) {
    json::object apps;
    table shown({"app", "platform", "devices"});
    std::uint64_t total = 0;
    for (const target& which : in.targets()) {
        const auto devices = in.redis->run(in.store->count(which.app, which.on));
        if (!devices) {
            return exit_unreachable;
        }
        total += *devices;
        json::value& one = apps[which.app];
        if (!one.is_object()) {
            one = json::object();
        }
        one.as_object()[to_string(which.on)] = *devices;
        shown.add({which.app, std::string(to_string(which.on)), grouped(*devices)});
    }
    if (common.json) {
        print_json(json::object{{"total", total}, {"apps", std::move(apps)}});
    } else {
        shown.add({"total", "", grouped(total)});
        print(shown.text());
    }
    return exit_ok;
}

registration to_registration(const target& which, const device& known) {
    registration out;
    out.app = which.app;
    out.platform = which.on;
    out.token = known.token;
    out.is_fid = known.is_fid;
    out.follow = known.follow;
    out.mute = known.mute;
    out.locale = known.locale;
    out.sandbox = known.sandbox;
    out.registered_at = wall_time(std::chrono::seconds(known.registered_at));
    return out;
}

/// The registration document of a device, its token shortened unless asked for.
json::value document_of(const common_options& common, const target& which, const device& known) {
    json::value out = json::parse(to_json(to_registration(which, known)));
    if (!common.show_tokens) {
        out.as_object()[known.is_fid ? "fid" : "token"] = shorten_token(written_token(which.on, known.token));
    }
    return out;
}

int export_all(store_session& in, const common_options& common) {
    int code = exit_ok;
    for (const target& which : in.targets()) {
        bool heard = true;
        const auto unread = in.redis->run(in.store->for_each(which.app, which.on, [&](const device& known) {
            heard = heard && print_json(document_of(common, which, known));
        }));
        if (!unread) {
            return exit_unreachable;
        }
        if (*unread != 0) {
            complain(fmt::format(
                "{} records of {} are not of a form that this version knows: they are left out", *unread,
                to_string(which)));
            code = exit_failed;
        }
        if (!heard) {
            break;
        }
    }
    return code;
}

/// The targets on whose platform `token` could be one.
std::vector<target> possible_targets(const store_session& in, const std::string& token) {
    std::vector<target> out;
    for (const target& which : in.targets()) {
        if (check_token(which.on, token, "token").has_value() ||
            (which.on == platform::fcm && check_fid(token, "token").has_value())) {
            out.push_back(which);
        }
    }
    return out;
}

int show(store_session& in, const common_options& common, const std::string& token) {
    json::array found;
    for (const target& which : possible_targets(in, token)) {
        const auto known = in.redis->run(in.store->find(which.app, which.on, stored_token(which.on, token)));
        if (!known) {
            return exit_unreachable;
        }
        if (*known) {
            found.push_back(document_of(common, which, (*known)->which));
        }
    }
    if (found.empty()) {
        complain("no app knows this device");
        return exit_failed;
    }
    for (const json::value& one : found) {
        if (!common.json) {
            print_json(one);
        }
    }
    if (common.json) {
        print_json(found);
    }
    return exit_ok;
}

int forget(store_session& in, const common_options& common, const std::string& token) {
    std::vector<device_change> changes;
    std::vector<removed_device> gone;
    for (const target& which : possible_targets(in, token)) {
        device_change change;
        change.what = device_change::action::remove;
        change.app = which.app;
        change.where = which.on;
        change.which.token = stored_token(which.on, token);
        gone.push_back({which, change.which.token});
        changes.push_back(std::move(change));
    }
    const auto applied = in.redis->run(in.store->apply(std::move(changes)));
    control_board board(in.redis->redis(), in.redis->keys());
    if (!applied || !in.redis->run(board.tell_removed(std::move(gone)))) {
        return exit_unreachable;
    }
    const auto removed = std::ranges::count(*applied, change_outcome::removed);
    if (common.json) {
        print_json(json::object{{"removed", removed}});
    } else {
        print(fmt::format("removed from {} app{}", removed, removed == 1 ? "" : "s"));
    }
    return removed != 0 ? exit_ok : exit_failed;
}

}  // namespace

int run(const common_options& common, const devices_options& how) {
    auto loaded = load_settings(common);
    if (!loaded) {
        return exit_configuration;
    }
    auto places = load_territories(*loaded);
    auto redis = redis_session::open(*loaded);
    if (!places || redis == nullptr) {
        return exit_configuration;
    }
    store_session in(std::move(*loaded), std::move(*places), std::move(redis));
    switch (how.what) {
        case devices_options::action::import: return import(in, common, how.argument);
        case devices_options::action::export_: return export_all(in, common);
        case devices_options::action::count: return count(in, common);
        case devices_options::action::show: return show(in, common, how.argument);
        case devices_options::action::forget: return forget(in, common, how.argument);
    }
    return exit_usage;
}

}  // namespace tocsin::cli
