#include "engine/control/control_board.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/object.hpp>

#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

struct cancel_options {
    std::string event;
    bool watch = false;
};

int cancel(const common_options& common, const cancel_options& how) {
    opened_session in(common);
    redis_session& redis = in.redis;
    control_board board(redis.redis(), redis.keys());
    const auto answer = redis.run(board.cancel(how.event));
    if (answer.state == event_state::none && !answer.unread) {
        throw command_end(exit_failed, "no event \"" + how.event + "\" is known");
    }
    if (!answer.cancelled()) {
        throw command_end(
            exit_failed,
            "the event \"" + how.event + "\" has ended already: " + std::string(to_string(answer.state)));
    }
    if (how.watch) {
        const int code = run_to_end([&] { return follow_event(redis, common, how.event, ""); });
        return code == exit_failed ? exit_ok : code;  // "cancelled" is what was asked for.
    }
    if (answer.unread && !common.json) {
        print(fmt::format(
            "{} is cancelled: no engine has read it yet, and none will send it.", shown(how.event)));
        return exit_ok;
    }
    const auto known = redis.run(read_stored_event(redis, how.event));
    const std::uint64_t accepted = known ? known->report.count(outcome::accepted) : 0;
    if (common.json) {
        print_json(json::object{
            {"event", how.event}, {"state", to_string(event_state::cancelling)}, {"accepted", accepted}});
    } else {
        print(fmt::format(
            "{} is being cancelled: nothing more is sent. {} accepted so far; the result has the exact "
            "number (tocsin status {} --watch).",
            shown(how.event), grouped(accepted), shown(how.event)));
    }
    return exit_ok;
}

}  // namespace

command cancel_command() {
    const auto how = std::make_shared<cancel_options>();
    return {
        .name = "cancel",
        .group = command_group::publish,
        .summary = "Stop what an event has not sent yet.",
        .examples =
            "tocsin cancel crue-ouche-2026-11-23\n"
            "tocsin cancel crue-ouche-2026-11-23 --watch\n",
        .options =
            {
                option("EVENT", how->event, "The event's id").required(),
                option("--watch", how->watch, "Wait for its result: the exact numbers"),
            },
        .details =
            "Stops the event in all engines within a second. Pushes in flight get their outcome, all others "
            "count as `cancelled`, and the result follows with the state `cancelled`. An event that waits "
            "for its `send_at`, or is still unread in the stream, is cancelled before any device is "
            "targeted. `--json`: `event`, "
            "`state`, `accepted` (so far). Exit code 1 if no such event is known, or if it has ended.",
        .run = [how](const common_options& common) { return cancel(common, *how); },
    };
}

}  // namespace tocsin::cli
