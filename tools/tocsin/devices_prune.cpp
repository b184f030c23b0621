#include "engine/control/control_state.hpp"
#include "engine/core/rfc3339.hpp"
#include "engine/delivery/pruner.hpp"
#include "engine/delivery/removal_book.hpp"
#include "engine/plan/ledger.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/device_session.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/hold.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct prune_options {
    std::string app;
    std::string platform;
    bool remove = false;
    bool keep = false;
};

using question_list = std::vector<removal_book::open_question>;

json::object to_json(const removal_book::open_question& one) {
    json::object out{
        {"app", one.which.app},
        {"platform", to_string(one.which.on)},
        {"devices", one.devices},
        {"unlisted", one.unlisted},
        {"since", format_rfc3339(wall_time(std::chrono::milliseconds(one.why.since)))},
        {"event", one.why.event},
        {"dead", one.why.seen.dead},
        {"accepted", one.why.seen.accepted},
        {"share", one.why.seen.share()},
        {"limit", one.why.limit}};
    out["usual_share"] =
        one.why.usual.answers() < answers_to_know ? json::value(nullptr) : json::value(one.why.usual.share());
    return out;
}

void list(const common_options& common, const question_list& open) {
    if (common.json) {
        json::array out;
        for (const auto& one : open) {
            out.push_back(to_json(one));
        }
        print_json(out);
        return;
    }
    if (open.empty()) {
        print("No removal is held: what providers call gone is removed at once.");
        return;
    }
    for (const auto& one : open) {
        print(fmt::format(
            "{}  {} devices held since {}, event {}\n    {}; above {:.0f} % you are asked",
            inked(ink::bold, to_string(one.which)), grouped(one.devices),
            format_rfc3339(wall_time(std::chrono::milliseconds(one.why.since))), shown(one.why.event),
            sentence_about(one.which, one.why), 100 * one.why.limit));
        if (one.unlisted != 0) {
            print(fmt::format(
                "    and {} more for which there was no room: the next event asks about them again",
                grouped(one.unlisted)));
        }
        const std::string these =
            fmt::format("--app {} --platform {}", one.which.app, to_string(one.which.on));
        print(fmt::format(
            "    the provider is right:  tocsin devices prune {} --remove\n"
            "    the provider is wrong:  tocsin devices prune {} --keep",
            these, these));
    }
}

void decide(
    store_session& in, const common_options& common, const prune_options& how, removal_book& book,
    const question_list& open) {
    if (open.empty()) {
        throw command_end(exit_failed, "no removal of these is held: there is nothing to decide");
    }
    ledger ledgers(in.redis.redis(), in.redis.keys(), "devices-prune");
    null_logger log;
    pruner remover(
        in.store, ledgers, known_platforms(), in.redis.time(), log, removal_terms_of(in.how.engine));
    pruner::tally total;
    for (const auto& one : open) {
        if (how.remove) {
            const auto done = in.redis.run(remover.remove_held(one.which));
            total.removed += done.removed;
            total.kept += done.kept;
        } else {
            total.kept += in.redis.run(book.keep(one.which));
        }
    }
    if (common.json) {
        print_json(json::object{{"removed", total.removed}, {"kept", total.kept}});
    } else if (how.remove) {
        print(fmt::format(
            "{} removed and reported on feedback, {} left: they have registered again since",
            grouped(total.removed), grouped(total.kept)));
    } else {
        print(fmt::format("{} kept", grouped(total.kept)));
    }
}

int prune(const common_options& common, const prune_options& how) {
    if (how.remove && how.keep) {
        throw command_end(exit_usage, "--remove and --keep: say one of them");
    }
    if ((how.remove || how.keep) && how.app.empty()) {
        throw command_end(exit_usage, "say which --app you have decided about");
    }
    // Also of an app that is not configured any more: a question must not stay open for ever.
    hold_selector chosen;
    chosen.app = how.app;
    if (!how.platform.empty()) {
        chosen.on = platform_of(how.platform);
    }
    store_session in(common);
    removal_book book(in.redis.redis(), in.redis.keys(), in.redis.time());
    auto open = in.redis.run(book.questions());
    std::erase_if(open, [&](const removal_book::open_question& one) { return !chosen.covers(one.which); });
    if (how.remove || how.keep) {
        decide(in, common, how, book, open);
    } else {
        list(common, open);
    }
    return exit_ok;
}

}  // namespace

command devices_prune_command() {
    const auto how = std::make_shared<prune_options>();
    return {
        .name = "prune",
        .group = command_group::devices,
        .summary = "Decide about devices that a provider calls gone.",
        .examples =
            "tocsin devices prune\n"
            "tocsin devices prune --app mairies --platform fcm --remove\n"
            "tocsin devices prune --app mairies --platform fcm --keep\n",
        .options =
            {option("--app", how->app, "Only this app").value("APP"),
             option("--platform", how->platform, "`apns`, `fcm` or `webpush`; default: all")
                 .value("PLATFORM"),
             option(
                 "--remove", how->remove, "The provider is right: remove them and report them on `feedback`"),
             option("--keep", how->keep, "The provider is wrong: they stay as they are")},
        .details =
            "Removals are held when a provider calls far more devices gone than is usual for the app; "
            "without `--remove` or `--keep` it only lists them. [What to "
            "do](../how-to/when-a-provider-calls-many-devices-gone.md)\n\n"
            "After `--remove` the provider is believed for 24 hours. A device that has registered again "
            "since stays. Exit code 1 if there is nothing to decide.\n\n"
            "`--json`: a list of `app`, `platform`, `devices`, `unlisted`, `since`, `event`, `dead`, "
            "`accepted`, `share`, `limit` and `usual_share` (null: not known yet); after a decision "
            "`removed` and `kept`.",
        .run = [how](const common_options& common) { return prune(common, *how); },
    };
}

}  // namespace tocsin::cli
