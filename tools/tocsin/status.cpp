#include "engine/keyspace/keyspace.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "engine/redis/streams.hpp"
#include "tools/tocsin/admin_client.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/interrupt_watch.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <memory>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct status_options {
    std::string event;
    bool watch = false;
};

constexpr auto between_looks = std::chrono::seconds(1);

struct overview {
    std::vector<event_report> running;
    std::vector<std::string> scheduled;
    struct stream {
        std::string name;
        redis::group_state read_by;
    };
    std::vector<stream> streams;
};

asio::awaitable<result<overview>> look_around(redis_session& redis) {
    overview out;
    ledger book(redis.redis(), redis.keys(), "");
    const auto running = co_await book.running(1'000);
    if (running.has_error()) {
        co_return running.error();
    }
    for (const std::string& id : *running) {
        auto event = co_await read_stored_event(redis, id);
        if (event.has_error()) {
            co_return event.error();
        }
        if (*event) {
            out.running.push_back(std::move((*event)->report));
        }
    }
    redis::request ask("ZRANGE", redis.keys().scheduled(), 0, 999);
    for (const incoming_stream& stream : incoming_streams) {
        ask.add("XINFO", "GROUPS", stream.key_in(redis.keys()));
    }
    const auto answer = co_await redis.redis().execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    out.scheduled = (*answer)[0].texts();
    for (std::size_t i = 0; i < incoming_streams.size(); ++i) {
        const auto group = redis::parse_group((*answer)[i + 1], keyspace::group);
        out.streams.push_back({std::string(incoming_streams[i].name), group.value_or(redis::group_state())});
    }
    co_return out;
}

json::value optional_number(const std::optional<std::int64_t>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

std::string said(const std::optional<std::int64_t>& number) {
    return number ? grouped(static_cast<std::uint64_t>(*number)) : std::string("?");
}

void show(
    const common_options& common, const territories& places, wall_time now, const overview& all,
    const std::optional<json::value>& lanes) {
    if (common.json) {
        json::array running;
        for (const event_report& report : all.running) {
            running.push_back(document_so_far(report, places, now));
        }
        json::object streams;
        for (const auto& one : all.streams) {
            streams[one.name] = json::object{
                {"lag", optional_number(one.read_by.lag)}, {"pending", optional_number(one.read_by.pending)}};
        }
        print_json(json::object{
            {"running", std::move(running)},
            {"scheduled", json::array(all.scheduled.begin(), all.scheduled.end())},
            {"streams", std::move(streams)},
            {"lanes", lanes ? lanes->as_object().at("lanes") : json::value(nullptr)}});
        return;
    }
    table events({"event", "state", "pages", "accepted", "dead", "waiting"});
    for (const event_report& one : all.running) {
        events.add(
            {one.event, std::string(to_string(one.state)),
             fmt::format("{}/{}", one.pages_settled, one.pages_planned),
             grouped(one.count(outcome::accepted)), grouped(one.count(outcome::dead)), grouped(one.parked)});
    }
    print(all.running.empty() ? "No event is running." : events.text());
    for (const event_report& one : all.running) {
        if (const std::string held = deferral_lines(one, now); !held.empty()) {
            print(shown(one.event) + ": " + held);
        }
    }
    if (!all.scheduled.empty()) {
        print(fmt::format("{} scheduled for later.", all.scheduled.size()));
    }
    for (const auto& one : all.streams) {
        print(fmt::format(
            "{}: {} not read yet, {} being handled", one.name, said(one.read_by.lag),
            said(one.read_by.pending)));
    }
    if (!lanes) {
        print("Lanes: no engine answers at admin.listen.");
        return;
    }
    table lines({"lane", "waiting", "in flight", "connections", "bound by", "lately", ""});
    for (const json::value& lane : lanes->as_object().at("lanes").as_array()) {
        const json::object& one = lane.as_object();
        const auto number = [&](const char* name) {
            return grouped(one.at(name).to_number<std::uint64_t>());
        };
        const json::value* const lately = one.if_contains("bound_lately");  // An older engine has none.
        const std::string paused(one.at("paused").as_string());
        lines.add(
            {std::string(one.at("app").as_string()) + "/" + std::string(one.at("platform").as_string()),
             number("waiting"), number("in_flight"), number("connections"),
             std::string(one.at("bound_by").as_string()),
             lately == nullptr ? std::string() : spoken_shares(lately->as_object()),
             paused.empty() ? "" : "paused: " + paused});
    }
    if (!lanes->as_object().at("lanes").as_array().empty()) {
        print(lines.text());
    }
}

void look_once(
    const common_options& common, const settings& how, redis_session& redis, const territories& places) {
    const overview all = redis.run(look_around(redis));
    show(common, places, redis.time().wall_now(), all, admin_get(how.admin.listen, "/api/v1/lanes"));
}

/// Over and over until it is interrupted: on a terminal in place, elsewhere one below the other.
int keep_looking(
    const common_options& common, const settings& how, redis_session& redis, const territories& places) {
    interrupt_watch interrupts;
    for (bool first = true;; first = false) {
        if (!common.json && colour()) {
            clear_screen();
        } else if (!common.json && !first) {
            print("");
        }
        look_once(common, how, redis, places);
        if (output_failed()) {
            return exit_ok;  // The end of the process says why.
        }
        if (interrupts.wait(between_looks)) {
            return exit_interrupted;
        }
    }
}

int status(const common_options& common, const status_options& how) {
    opened_session in(common);
    redis_session& redis = in.redis;
    const territories places = load_territories(in.how);
    if (how.event.empty() && how.watch) {
        return keep_looking(common, in.how, redis, places);
    }
    if (how.event.empty()) {
        look_once(common, in.how, redis, places);
        return exit_ok;
    }
    if (how.watch) {
        return follow_event(redis, common, how.event, "");
    }
    const auto event = redis.run(read_stored_event(redis, how.event));
    if (!event) {
        end_without(redis, how.event);
    }
    const event_report& report = event->report;
    if (common.json) {
        json::object out =
            event->result.empty() ? document_so_far(report, places, redis.time().wall_now()) : event->result;
        if (report.asks_receipts) {
            add_reach(out, report, places);
        }
        print_json(out);
    } else {
        print(report_table(report, redis.time().wall_now()));
    }
    return exit_ok;
}

}  // namespace

command status_command() {
    const auto how = std::make_shared<status_options>();
    return {
        .name = "status",
        .group = command_group::look,
        .summary = "Progress and result of an event, or what is running.",
        .examples =
            "tocsin status\n"
            "tocsin status crue-ouche-2026-11-23 --watch\n"
            "tocsin status crue-ouche-2026-11-23 --json\n",
        .options =
            {
                option("EVENT", how->event, "The event's id; without one, what is running"),
                option(
                    "--watch", how->watch,
                    "Follow it to its result; without an event, look again every second"),
            },
        .details =
            "`tocsin status EVENT` shows an event's sums; `--json` prints its result, or its sums so far "
            "and, for an event with `receipts`, the sums of its receipts. If the event was refused, it "
            "prints the reason and the dead letter's id. Exit code 1 if the event was refused or is not "
            "known.\n\n"
            "`tocsin status` shows the running events, how many are scheduled, how many entries of the "
            "streams were not read yet and how many are being handled, and the lanes of the engine that "
            "answers at `admin.listen`: what [holds each back](admin-api.md#lanes) at this moment, and what "
            "did in the last seconds. With `--watch` it looks again every second until it is interrupted "
            "(exit code 130); with `--json`, each look prints a line.\n\n"
            "    event     state  pages  accepted  dead  waiting\n"
            "    crash1  running  45/82     6 558     0        0\n"
            "    events: 0 not read yet, 0 being handled\n"
            "    registrations: 0 not read yet, 0 being handled\n"
            "    receipts: 0 not read yet, 0 being handled\n"
            "    Lanes: no engine answers at admin.listen.\n\n"
            "Territories that [quiet hours](configuration.md#quiet_hours) hold back are listed below that, "
            "with the time at which their pushes leave; with `--json` as `deferred`: `until` (ms), "
            "`territories`, `zones`.\n\n"
            "`--json`: `running` (a list of results so far), `scheduled` (ids), `streams` (`lag`, "
            "`pending`), `lanes` ([Admin API](admin-api.md#lanes), or null).",
        .run = [how](const common_options& common) { return status(common, *how); },
    };
}

}  // namespace tocsin::cli
