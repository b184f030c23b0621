#include "engine/core/json_members.hpp"
#include "engine/event/event_parser.hpp"
#include "engine/event/selector.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/input_file.hpp"
#include "tools/tocsin/key_value.hpp"
#include "tools/tocsin/publish_plan.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {
namespace {

struct publish_options {
    std::vector<std::string> to;
    std::string file;  ///< A whole event document, which the flags change; "-": standard input.
    std::string id, title, subtitle, body, category, priority, send_at, collapse_id, url, image, mode;
    std::optional<long> ttl, spread;
    std::vector<std::string> apps, data;
    bool receipts = false;
    bool ignore_quiet_hours = false;
    bool plan = false;
    bool watch = false;
};

namespace asio = boost::asio;
namespace json = boost::json;

/// Sets `members` in the object `name` of `event`. If that is no object, it is for the parser to say.
void merge_into(json::object& event, std::string_view name, const json::object& members) {
    if (members.empty()) {
        return;
    }
    if (json::object* const place = event.emplace(name, json::object()).first->value().if_object()) {
        for (const auto& [key, value] : members) {
            (*place)[key] = value;
        }
    }
}

/// Sets what the flags say. What is wrong with the whole is for the parser to say.
void apply_flags(const publish_options& how, json::object& event) {
    const auto text = [](json::object& into, std::string_view name, const std::string& value) {
        if (!value.empty()) {
            into[name] = value;
        }
    };
    const auto list = [&event](std::string_view name, const std::vector<std::string>& values) {
        if (!values.empty()) {
            event[name] = json::array(values.begin(), values.end());
        }
    };
    text(event, "id", how.id);
    list("audience", how.to);
    list("apps", how.apps);
    text(event, "category", how.category);
    text(event, "priority", how.priority);
    text(event, "send_at", how.send_at);
    text(event, "collapse_id", how.collapse_id);
    text(event, "mode", how.mode);
    if (how.ttl) {
        event["ttl"] = *how.ttl;
        event.erase("expires_at");  // The other way of saying the same.
    }
    if (how.spread) {
        event["spread"] = *how.spread;
    }
    if (how.receipts) {
        event["receipts"] = true;
    }
    if (how.ignore_quiet_hours) {
        event["quiet_hours"] = "ignore";
    }
    json::object shown;
    text(shown, "title", how.title);
    text(shown, "subtitle", how.subtitle);
    text(shown, "body", how.body);
    text(shown, "url", how.url);
    text(shown, "image", how.image);
    json::object data;
    for (const std::string& pair : how.data) {
        const auto split = split_key_value(pair);
        if (!split) {
            throw command_end(exit_usage, "--data: \"" + pair + "\" is not KEY=VALUE");
        }
        data[split->first] = split->second;
    }
    merge_into(event, "notification", shown);
    merge_into(event, "data", data);
}

/// The event of the file, if one is named, as the flags change it.
std::string document_of(const publish_options& how) {
    json::object event{{"audience", json::array()}};
    std::string written;
    if (!how.file.empty()) {
        written = read_input(how.file, exit_usage);
        auto document = parse_object(written);
        if (!document) {
            return written;  // The parser says what is wrong with it.
        }
        event = std::move(*document);
    }
    const json::object before = event;
    apply_flags(how, event);
    return !how.file.empty() && event == before ? written : json::serialize(event);
}

int publish(const common_options& common, const publish_options& how) {
    const std::string document = document_of(how);
    // Said here and now rather than by a dead letter later; the engine looks again.
    const auto now = system_time_source().wall_now();
    const publish_event event = value_or_end(
        parse_event(
            known_platforms(), document, std::to_string(now.time_since_epoch().count()) + "-0",
            event_limits{}, now),
        exit_usage);
    if (how.plan) {
        return plan_event(common, document);
    }
    opened_session in(common);
    const std::string entry = in.redis.run(add_event(in.redis, document));
    const bool named = json::parse(document).as_object().contains("id");
    const std::string id = named ? event.id : entry;
    if (how.watch) {
        return follow_event(in.redis, common, id, entry);
    }
    if (common.json) {
        print_json(json::object{{"event", id}, {"entry", entry}});
    } else {
        print(id);
    }
    return exit_ok;
}

}  // namespace

command publish_command() {
    const auto how = std::make_shared<publish_options>();
    return {
        .name = "publish",
        .group = command_group::publish,
        .summary = "Add an event to the stream.",
        .examples =
            "tocsin publish --to commune:21231 --title 'Crue' --body 'Évitez les quais.' \\\n"
            "    --priority critical --watch\n"
            "tocsin publish --to epci:242100410 --to zone:21231:centre --title 'Travaux' --ttl 3600\n"
            "tocsin publish --to department:21 --title 'Vigilance rouge' --plan\n"
            "tocsin publish --file event.json --json\n"
            "tocsin publish --file event.json --id second-try --priority high\n",
        .options =
            {
                option(
                    "--to", how->to,
                    "Whom: `commune:INSEE`, `epci:SIREN`, `department:CODE`, `zone:INSEE:NAME`, `everyone`, "
                    "`device:PLATFORM:TOKEN`")
                    .value("SELECTOR"),
                option("--title", how->title, "What the resident reads first"),
                option("--subtitle", how->subtitle, "A line below the title (APNs)"),
                option("--body", how->body, "The text"),
                option("--url", how->url, "What a tap opens").value("URL"),
                option("--image", how->image, "An https address of a picture").value("URL"),
                option("--category", how->category, "A word that devices can mute").value("WORD"),
                option("--priority", how->priority, "`critical`, `high`, `normal` or `low`")
                    .value("PRIORITY"),
                option("--ttl", how->ttl, "For how long it is worth sending").value("SECONDS"),
                option("--spread", how->spread, "The time over which the pushes are spaced").value("SECONDS"),
                option(
                    "--ignore-quiet-hours", how->ignore_quiet_hours,
                    "Do not wait for the end of quiet hours"),
                option("--send-at", how->send_at, "When to send (RFC 3339)").value("TIME"),
                option("--id", how->id, "The idempotency key; default: the stream entry's id").value("ID"),
                option("--collapse-id", how->collapse_id, "What replaces an earlier notification")
                    .value("ID"),
                option("--app", how->apps, "Only through this app").value("APP"),
                option("--data", how->data, "For the app").value("KEY=VALUE"),
                option("--mode", how->mode, "`actual` or `dry_run`").value("MODE"),
                option(
                    "--receipts", how->receipts, "Apps report whether it was received, displayed and opened"),
                option("--plan", how->plan, "Send nothing: say whom it would reach, and how fast"),
                option(
                    "--file", how->file,
                    "An event as JSON, which the other flags change; `-` for standard input")
                    .value("FILE"),
                option(
                    "--watch", how->watch,
                    "Follow it until its result, its refusal, or the answer that its id was used before"),
            },
        .details =
            "Prints the event's id. The command checks the document first; the engine checks whether "
            "communes and apps exist. Flags win over the file, in `notification` and `data` member by "
            "member. `localized`, `apns`, `fcm`, `webpush`, `expires_at`, `badge`, `sound` and `thread` can "
            "only be given in the file: see the page [Events](events.md).\n\n"
            "`--plan` reads the devices by the rule that sending uses, and writes nothing. It says how many "
            "devices the event would be sent to by app and platform, how many mute it, how many entries are "
            "left out because their device is matched elsewhere, how large the largest payload is, and how "
            "long sending takes from a cold start: at the rates in force, or as fast as the threads of one "
            "engine can send (`bottleneck`: `rate`, `engine`, `spread`, `quiet_hours`, or `nothing` if there "
            "is no device). It reads the key files, as `serve` does. With "
            "`--json`: "
            "`targeted` (as the "
            "result will say), `muted`, `duplicates`, `seconds`, `bottleneck`, and `apps` by app and "
            "platform with "
            "`devices` (without the muted), `muted` and `payload_bytes`; `deferred` lists the parts that "
            "quiet hours hold back: `until` (ms), `territories`, `zones` and `devices`.\n\n"
            "`--json` prints `event` and `entry`; with `--watch`, the "
            "[result](redis-interface.md#result).\n\n"
            "Exit codes: 0; with `--watch` 1 if the event was refused or did not end as `finished`; 2 if the "
            "document is wrong.",
        .run = [how](const common_options& common) { return publish(common, *how); },
    };
}

}  // namespace tocsin::cli
