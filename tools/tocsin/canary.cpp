#include "engine/event/event_parser.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"
#include "providers/known_platforms.hpp"
#include "tools/tocsin/command.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/letters.hpp"
#include "tools/tocsin/report_document.hpp"
#include "tools/tocsin/session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

struct canary_options {
    std::vector<std::string> to;
    std::vector<std::string> apps;
    std::string deadline = "10s";
    std::string title;
    std::string body;
};

constexpr auto between_looks = 50ms;

/// "10s", "500ms", "2m"; a bare number is seconds. Empty if it is none, or not between 100 ms and an hour.
std::optional<std::chrono::milliseconds> read_duration(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (problem != std::errc() || number <= 0 || number > 3'600'000) {
        return std::nullopt;
    }
    std::chrono::milliseconds out(0);
    if (unit == "ms") {
        out = std::chrono::milliseconds(number);
    } else if (unit.empty() || unit == "s") {
        out = std::chrono::seconds(number);
    } else if (unit == "m") {
        out = std::chrono::minutes(number);
    }
    return out < 100ms || out > 1h ? std::nullopt : std::optional(out);
}

json::object event_for(const canary_options& how, std::chrono::milliseconds deadline) {
    std::random_device random;
    json::object event;
    event["id"] = fmt::format("canary-{:08x}{:08x}", random(), random());
    event["audience"] = json::array(how.to.begin(), how.to.end());
    if (!how.apps.empty()) {
        event["apps"] = json::array(how.apps.begin(), how.apps.end());
    }
    event["priority"] = "critical";
    // What comes later than the deadline is of no use to anybody.
    event["ttl"] = std::chrono::ceil<std::chrono::seconds>(deadline).count();
    if (how.title.empty() && how.body.empty()) {
        event["data"] = json::object{{"tocsin_canary", "1"}};
    } else {
        event["notification"] = json::object{{"title", how.title}, {"body", how.body}};
    }
    return event;
}

/// What became of the event by its deadline.
struct canary_flight {
    std::int64_t published_at = 0;  ///< ms, by the clock of Redis.
    std::optional<event_report>
        report;  ///< Its result, or what is known of it; nothing if no engine has taken it.
    std::optional<letter> refusal;  ///< Its dead letter.
};

asio::awaitable<result<canary_flight>> follow(
    redis_session& redis, std::string document, std::string id, std::chrono::milliseconds deadline) {
    const time_point until = redis.time().now() + deadline;
    const auto added = co_await add_event(redis, std::move(document));
    if (added.has_error()) {
        co_return added.error();
    }
    canary_flight out;
    out.published_at =
        static_cast<std::int64_t>(redis::parse_entry_id(*added).value_or(redis::entry_id()).ms);
    refusal_search refusals(redis, id, *added);
    asio::steady_timer pause(redis.loop());
    for (;;) {
        auto known = co_await read_stored_event(redis, id);
        if (known.has_error()) {
            co_return known.error();
        }
        if (*known) {
            out.report = std::move((*known)->report);
        }
        if (!out.report) {
            auto refused = co_await refusals.look();
            if (refused.has_error()) {
                co_return refused.error();
            }
            out.refusal = std::move(*refused);
        }
        const bool over = out.refusal || (out.report && out.report->finished_at != 0);
        if (over || redis.time().now() >= until) {
            co_return std::move(out);
        }
        pause.expires_after(between_looks);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

/// What the metric tocsin_canary_age_seconds is made of.
asio::awaitable<result<>> note_arrival(redis_session& redis, std::int64_t at, std::int64_t took) {
    return redis::carry_out(
        redis.redis(), redis::request("HSET", redis.keys().canary(), "at", at, "ms", took));
}

/// Why it did not arrive.
std::string spoken_failure(const canary_flight& flight, const std::string& id, std::int64_t took) {
    const std::string after = spoken_ms(static_cast<double>(took));
    if (flight.refusal) {
        return fmt::format(
            "{}: refused: {} (dead letter {})", id, flight.refusal->reason, flight.refusal->id);
    }
    if (!flight.report) {
        return fmt::format("{}: late: no engine has taken it after {}", id, after);
    }
    const event_report& report = *flight.report;
    if (report.finished_at != 0 && report.targeted == 0) {
        return fmt::format(
            "{}: lost: it targeted no device; is the device registered, or an --app missing?", id);
    }
    return fmt::format(
        "{}: {} after {}: accepted for {} of {}; tocsin status {} says more", id,
        report.finished_at != 0 && report.count(outcome::accepted) != report.targeted ? "lost" : "late",
        after, report.count(outcome::accepted), report.targeted, id);
}

int canary(const common_options& common, const canary_options& how) {
    const auto deadline = read_duration(how.deadline);
    if (!deadline) {
        throw command_end(
            exit_usage, "--deadline: \"" + how.deadline + "\" is no time like 10s or 500ms, up to an hour");
    }
    const json::object event = event_for(how, *deadline);
    const std::string id(event.at("id").as_string());
    const std::string document = json::serialize(event);
    const auto now = system_time_source().wall_now();
    value_or_end(parse_event(known_platforms(), document, "", event_limits{}, now), exit_usage);
    opened_session in(common);
    redis_session& redis = in.redis;
    const time_point began = redis.time().now();
    const canary_flight flight = redis.run(follow(redis, document, id, *deadline));
    const std::int64_t took =
        std::chrono::duration_cast<std::chrono::milliseconds>(redis.time().now() - began).count();
    const bool over = flight.report && flight.report->finished_at != 0;
    const std::uint64_t targeted = flight.report ? flight.report->targeted : 0;
    const std::uint64_t accepted = flight.report ? flight.report->count(outcome::accepted) : 0;
    const bool in_time = took <= (*deadline + between_looks).count();
    const bool fine = over && targeted != 0 && accepted == targeted && in_time;
    std::string_view state = over && (accepted != targeted || targeted == 0) ? "lost" : "late";
    state = flight.refusal ? "refused" : state;
    state = fine ? "arrived" : state;
    // If it cannot be noted that is told; it has arrived all the same.
    if (fine) {
        redis.attempt(note_arrival(redis, flight.published_at + took, took));
    }
    if (common.json) {
        print_json(json::object{
            {"event", id}, {"state", state}, {"targeted", targeted}, {"accepted", accepted}, {"ms", took}});
    } else if (fine) {
        print(fmt::format(
            "{}: accepted for {} of {} in {}", id, accepted, targeted, spoken_ms(static_cast<double>(took))));
    } else {
        complain(spoken_failure(flight, id, took));
    }
    return fine ? exit_ok : exit_failed;
}

}  // namespace

command canary_command() {
    const auto how = std::make_shared<canary_options>();
    return {
        .name = "canary",
        .group = command_group::test,
        .summary = "Send a test event through the whole path, in time.",
        .examples =
            "tocsin canary --to device:fcm:TOKEN --deadline 10s\n"
            "tocsin canary --to device:apns:TOKEN --app mairies --deadline 5s --json\n",
        .options =
            {
                option("--to", how->to, "A device of your own, as a selector").value("SELECTOR").required(),
                option("--app", how->apps, "Only through this app").value("APP"),
                option(
                    "--deadline", how->deadline, "The time within which the provider must have accepted it")
                    .value("TIME")
                    .preset("10s"),
                option("--title", how->title, "Show a notification; without, the push is silent")
                    .value("TEXT"),
                option("--body", how->body, "The notification's body").value("TEXT"),
            },
        .details =
            "Publishes a critical event to the named devices, and waits for its result, so that it tries the "
            "whole path: stream, engine, connection, provider. Exit code 0 if the provider accepted it for "
            "all of them in time, 1 if it came late, was lost or refused, 69 if Redis does not answer. It is "
            "meant for cron and monitoring: a canary that arrives resets the metric "
            "`tocsin_canary_age_seconds` of every engine. See [Prove "
            "reach](../how-to/prove-reach.md#does-the-whole-path-work-now). `--json`: `event`, `state` "
            "(`arrived`, `late`, `lost`, `refused`), `targeted`, `accepted`, `ms`.",
        .run = [how](const common_options& common) { return canary(common, *how); },
    };
}

}  // namespace tocsin::cli
