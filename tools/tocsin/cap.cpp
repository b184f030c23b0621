#include "engine/control/control_board.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/redis/check.hpp"
#include "providers/known_platforms.hpp"
#include "tools/cap/cap_event.hpp"
#include "tools/cap/cap_message.hpp"
#include "tools/cap/cap_register.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
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

std::optional<std::string> read_document(const std::string& file) {
    if (file == "-") {
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    }
    std::ifstream in(file, std::ios::binary);
    std::string out(std::istreambuf_iterator<char>(in), {});
    if (!in) {
        complain("cannot read " + file);
        return std::nullopt;
    }
    return out;
}

/// What reading, deciding and publishing a message leaves to be told.
struct cap_outcome {
    std::string state;  ///< "published", "repeated", "late", "unknown": a Cancel of what was never sent here.
    std::string event;  ///< The event that was added; empty if none was.
    std::string entry;
    std::vector<std::string> cancelled;
    refusal problem;  ///< Set if the message cannot be an event after all.
};

std::string title_in(const json::object& event) {
    const json::value* const shown = event.if_contains("notification");
    const json::value* const title = shown == nullptr ? nullptr : shown->get_object().if_contains("title");
    return title == nullptr ? std::string() : std::string(title->get_string());
}

json::array list_in(const json::object& event, std::string_view name) {
    const json::value* const found = event.if_contains(name);
    return found == nullptr ? json::array() : found->get_array();
}

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
    out.title = title_in(event);
    out.audience = list_in(event, "audience");
    out.apps = list_in(event, "apps");
    out.category = event.contains("category") ? std::string(event.at("category").as_string()) : std::string();
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
        json::value ignored;
        const auto report = co_await read_event(redis, id, &ignored);
        if (report.has_error()) {
            co_return report.error();
        }
        // Of what was over for long there is no report any more.
        if (!*report || (*report)->pages_settled != 0 || (*report)->finished_at != 0 ||
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
    redis::request ask;
    ask.add("XADD", redis.keys().events(), "*", "event", json::serialize(*event));
    auto answer = co_await redis.redis().execute(std::move(ask));
    const auto added = redis::checked(std::move(answer));
    if (added.has_error()) {
        co_return added.error();
    }
    out.entry = added->front().text();
    out.state = "published";
    const auto noted = co_await known.done(message);
    if (noted.has_error()) {
        co_return noted.error();
    }
    co_return out;
}

/// The event that would be published if nothing were known of earlier messages.
int show(const cap_message& message, const territories& places, const cap_options& how) {
    cap_event_options terms;
    terms.apps = how.apps;
    terms.category = how.category;
    terms.collapse_id = cap_collapse_id(message);
    terms.now = system_time_source().wall_now();
    if (message.kind == cap_kind::cancel) {
        const auto named = cap_audience(message, places);
        if (named.has_error()) {
            complain(how.file + ": " + named.error().message);
            return exit_failed;
        }
        print_json(cap_all_clear(message, json::array(named->begin(), named->end()), "", terms));
        return exit_ok;
    }
    const auto event = cap_event(message, places, terms);
    if (event.has_error()) {
        complain(how.file + ": " + event.error().message);
        return exit_failed;
    }
    print_json(*event);
    return exit_ok;
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
    const auto document = read_document(how.file);
    if (!document) {
        return exit_failed;
    }
    const auto message = read_cap(*document);
    if (message.has_error()) {
        complain(how.file + ": " + message.error().message);
        return exit_failed;
    }
    const auto loaded = load_settings(common);
    const auto places = loaded ? load_territories(*loaded) : std::nullopt;
    if (!places) {
        return exit_configuration;
    }
    if (how.dry_run) {
        return show(*message, *places, how);
    }
    if (const auto fine = check(*message, *places); fine.has_error()) {
        complain(how.file + ": " + fine.error().message);
        return exit_failed;
    }
    const auto redis = redis_session::open(*loaded);
    if (redis == nullptr) {
        return exit_configuration;
    }
    const auto done = redis->run(carry_out(*redis, *places, how, *message));
    return done ? tell(common, *redis, how, *done) : exit_unreachable;
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
