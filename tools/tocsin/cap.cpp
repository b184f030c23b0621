#include "engine/control/control_board.hpp"
#include "engine/core/json_members.hpp"
#include "engine/event/event_parser.hpp"
#include "providers/known_platforms.hpp"
#include "tools/cap/cap_event.hpp"
#include "tools/cap/cap_message.hpp"
#include "tools/cap/cap_register.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/input_file.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct cap_options {
    std::string file;
    std::vector<std::string> apps;
    std::string category;
    bool dry_run = false;
    bool watch = false;
};

/// What reading, deciding and publishing a message leaves to be told.
struct cap_outcome {
    std::string state;  ///< "published", "repeated", "late", "unknown": a Cancel of what was never sent here.
    std::string event;  ///< The event that was added; empty if none was.
    std::string entry;
    std::vector<std::string> cancelled;
    refusal problem;  ///< Set if the message cannot be an event after all.
};

/// Every event that the replaced messages became, and who they were for.
struct replaced_events {
    std::vector<std::string> ids;
    json::array audience;
    json::array apps;
    std::string title;
    std::string category;
    bool ignores_quiet_hours = false;
};

replaced_events sum_of(const std::vector<cap_record>& records) {
    replaced_events out;
    for (const cap_record& one : records) {
        for (const std::string& id : one.events) {
            if (std::ranges::find(out.ids, id) == out.ids.end()) {
                out.ids.push_back(id);
            }
        }
        for (const json::value& selector : one.audience) {
            if (std::ranges::find(out.audience, selector) == out.audience.end()) {
                out.audience.push_back(selector);
            }
        }
        out.apps = one.apps;
        out.title = one.title;
        out.category = one.category;
        out.ignores_quiet_hours = out.ignores_quiet_hours || one.ignores_quiet_hours;
    }
    return out;
}

/// The event that the message asks for now; a refusal with code "unknown" if it ends what was never sent
/// here.
parsed<json::object> event_for(
    const cap_message& message, const territories& places, const cap_options& how,
    const cap_admission& admitted, const replaced_events& before) {
    cap_event_options terms;
    terms.apps = how.apps;
    terms.category = how.category;
    terms.collapse_id = admitted.collapse_id;
    terms.now = system_time_source().wall_now();
    if (message.kind != cap_kind::cancel) {
        return cap_event(message, places, terms);
    }
    if (before.ids.empty()) {
        return refusal{
            "unknown", "nothing that this Cancel refers to was sent from here: no device needs an all-clear"};
    }
    for (const json::value& app : before.apps) {
        terms.apps.emplace_back(app.get_string());
    }
    terms.category = terms.category.empty() ? before.category : terms.category;
    terms.reached_by = before.ids;
    terms.ignores_quiet_hours = before.ignores_quiet_hours;
    return cap_all_clear(message, before.audience, before.title, terms);
}

cap_record record_of(const json::object& event, const replaced_events& before) {
    cap_record out;
    out.events = before.ids;
    out.events.insert(out.events.begin(), std::string(event.at("id").as_string()));
    out.title = text_at(part_at(event, "notification"), "title");
    out.audience = list_at(event, "audience");
    out.apps = list_at(event, "apps");
    out.category = text_at(event, "category");
    out.ignores_quiet_hours =
        before.ignores_quiet_hours || event.at("priority").as_string() == to_string(priority::critical);
    return out;
}

/// Whether anybody may have been sent to by events that are over now. Whom exactly, the engine knows.
enum class told : std::uint8_t { nobody, somebody };

/// Stops what is under way of `events`, and adds what was to `cancelled`.
asio::awaitable<result<told>> stop(
    redis_session& redis, std::vector<std::string> events, std::vector<std::string>& cancelled) {
    control_board board(redis.redis(), redis.keys());
    told out = told::nobody;
    for (const std::string& id : events) {
        // Whoever wrote it down may be about to add it to the stream.
        const auto ended = co_await board.cancel(id, control_board::absent::call_off);
        if (ended.has_error()) {
            co_return ended.error();
        }
        if (ended->cancelled()) {
            cancelled.push_back(id);
        }
        if (ended->unread) {
            continue;  // It was sent to nobody, and will not be.
        }
        const auto known = co_await read_stored_event(redis, id);
        if (known.has_error()) {
            co_return known.error();
        }
        // Of what was over for long there is no report any more.
        if (!*known || (*known)->report.pages_settled != 0 || (*known)->report.finished_at != 0 ||
            ended->state == event_state::running) {
            out = told::somebody;
        }
    }
    co_return out;
}

/// A message that has nobody to tell.
asio::awaitable<result<cap_outcome>> write_down(
    cap_register& known, const cap_message& message, cap_record what, cap_outcome out) {
    const auto begun = co_await known.begin(message, std::move(what));
    if (begun.has_error()) {
        co_return begun.error();
    }
    const auto noted = co_await known.done(message);
    if (noted.has_error()) {
        co_return noted.error();
    }
    out.state = "published";
    co_return out;
}

asio::awaitable<result<cap_outcome>> carry_out(
    redis_session& redis, const territories& places, const cap_options& how, const cap_message& message) {
    cap_outcome out;
    cap_register known(redis.redis(), redis.keys());
    const auto admitted = co_await known.admit(message);
    if (admitted.has_error()) {
        co_return admitted.error();
    }
    if (admitted->what != cap_admission::verdict::fresh) {
        out.state = admitted->what == cap_admission::verdict::late ? "late" : "repeated";
        co_return out;
    }
    const replaced_events before = sum_of(admitted->replaced);
    const auto event = event_for(message, places, how, *admitted, before);
    if (event.has_error()) {
        out.state = "unknown";
        out.problem = event.error();
        co_return out;
    }
    // First what is older: it must not arrive after what replaces it.
    const auto anything_sent = co_await stop(redis, before.ids, out.cancelled);
    if (anything_sent.has_error()) {
        co_return anything_sent.error();
    }
    if (message.kind == cap_kind::cancel && *anything_sent == told::nobody) {
        cap_record nothing;
        nothing.events = before.ids;
        co_return co_await write_down(known, message, std::move(nothing), std::move(out));
    }
    cap_record record = record_of(*event, before);
    const auto begun = co_await known.begin(message, std::move(record));
    if (begun.has_error()) {
        co_return begun.error();
    }
    if (*begun == cap_admission::verdict::late) {
        out.state = "late";
        co_return out;
    }
    out.event = event->at("id").as_string();
    std::string document = json::serialize(*event);
    auto added = co_await add_event(redis, std::move(document));
    if (added.has_error()) {
        co_return added.error();
    }
    out.entry = std::move(*added);
    out.state = "published";
    const auto noted = co_await known.done(message);
    if (noted.has_error()) {
        co_return noted.error();
    }
    co_return out;
}

/// The event that would be published if nothing were known of earlier messages.
void show(const cap_message& message, const territories& places, const cap_options& how) {
    cap_event_options terms;
    terms.apps = how.apps;
    terms.category = how.category;
    terms.collapse_id = cap_collapse_id(message);
    terms.now = system_time_source().wall_now();
    if (message.kind == cap_kind::cancel) {
        const auto named = value_or_end(cap_audience(message, places), exit_failed, how.file + ": ");
        print_json(cap_all_clear(message, json::array(named.begin(), named.end()), "", terms));
    } else {
        print_json(value_or_end(cap_event(message, places, terms), exit_failed, how.file + ": "));
    }
}

/// Everything that can be wrong with the message by itself, before anything is written down.
parsed<> check(const cap_message& message, const territories& places) {
    if (message.kind == cap_kind::cancel) {
        auto named = cap_audience(message, places);
        return named.has_error() ? parsed<>(std::move(named).error()) : parsed<>();
    }
    const wall_time now = system_time_source().wall_now();
    cap_event_options terms;
    terms.collapse_id = cap_collapse_id(message);
    terms.now = now;
    auto event = cap_event(message, places, terms);
    if (event.has_error()) {
        return std::move(event).error();
    }
    auto whole = parse_event(known_platforms(), json::serialize(*event), "", event_limits{}, now);
    return whole.has_error() ? parsed<>(std::move(whole).error()) : parsed<>();
}

int tell(
    const common_options& common, redis_session& redis, const cap_options& how, const cap_outcome& done) {
    if (done.state == "published" && how.watch && !done.event.empty()) {
        return follow_event(redis, common, done.event, done.entry);
    }
    if (common.json) {
        json::object out{{"state", done.state}};
        out["event"] = done.event.empty() ? json::value(nullptr) : json::value(done.event);
        out["cancelled"] = json::array(done.cancelled.begin(), done.cancelled.end());
        print_json(out);
        return exit_ok;
    }
    if (done.state == "repeated") {
        complain("this message was published before: nothing changes");
    } else if (done.state == "late") {
        complain("a later message about this was published before: nothing changes");
    } else if (done.state == "unknown") {
        complain(done.problem.message);
    } else {
        for (const std::string& id : done.cancelled) {
            complain(id + " is being cancelled");
        }
        if (!done.event.empty()) {
            print(done.event);
        } else {
            complain("nothing of it had been sent: no device needs an all-clear");
        }
    }
    return exit_ok;
}

int cap(const common_options& common, const cap_options& how) {
    const std::string about = how.file + ": ";
    const cap_message message = value_or_end(read_cap(read_input(how.file, exit_failed)), exit_failed, about);
    const settings loaded = load_settings(common, app_keys::unused);
    const territories places = load_territories(loaded);
    if (how.dry_run) {
        show(message, places, how);
        return exit_ok;
    }
    value_or_end(check(message, places), exit_failed, about);
    redis_session redis(loaded);
    const cap_outcome done = redis.run(carry_out(redis, places, how, message));
    return tell(common, redis, how, done);
}

}  // namespace

command cap_command() {
    const auto how = std::make_shared<cap_options>();
    return {
        .name = "cap",
        .group = command_group::publish,
        .summary = "Publish a CAP 1.2 alert, update or cancel.",
        .examples =
            "tocsin cap alert.xml\n"
            "tocsin cap --dry-run alert.xml\n"
            "tocsin cap - --app mairies\n",
        .options =
            {
                option("FILE", how->file, "The message; `-`: standard input").required(),
                option("--app", how->apps, "Only this app; may be repeated").value("APP"),
                option("--category", how->category, "The event's category, which residents may mute")
                    .value("WORD"),
                option("--dry-run", how->dry_run, "Print the event, and publish nothing"),
                option("--watch", how->watch, "Follow the event to its result"),
            },
        .details =
            "An *Alert* becomes an event for the territories that its areas name (`geocode` `INSEE`, "
            "`SIREN`, "
            "`DEPARTMENT`), in the languages of its `info` blocks. An *Update* replaces the messages that it "
            "refers to on the screen, and stops them if they are still being sent. A *Cancel* stops them "
            "too, and sends the all-clear to the devices that they were sent to, and to no others. A message "
            "that comes again, or after one that replaces it, changes nothing.\n"
            "\n"
            "A file that is not CAP 1.2, has a DOCTYPE or names no territory is refused with line and "
            "reason, and exit code 1. `--json`: `state` (`published`, `repeated`, `late`, `unknown`), "
            "`event`, `cancelled`. "
            "[CAP alerts](../how-to/publish-cap-alerts.md).",
        .run = [how](const common_options& common) { return cap(common, *how); },
    };
}

}  // namespace tocsin::cli
