#include "tools/tocsin/bench_run.hpp"

#include "engine/core/json_members.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/streams.hpp"
#include "tools/tocsin/console.hpp"
#include "tools/tocsin/exit_code.hpp"
#include "tools/tocsin/follow.hpp"
#include "tools/tocsin/report_document.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto look_again = 20ms;
constexpr auto patience = 60s;  // Without any progress.
constexpr double alert_comes_at = 0.2;
// Beyond this, progress is only what ended events say: asking each of many would cost Redis something.
constexpr std::size_t watched_closely = 4;

std::string document(const bench_event& event) {
    return json::serialize(json::object{
        {"id", event.id},
        {"audience", json::array(event.audience.begin(), event.audience.end())},
        {"apps", json::array{bench_app}},
        {"priority", event.priority},
        {"notification",
         json::object{
             {"title", "Crue de l'Ouche"}, {"body", "Évitez les quais et les passages souterrains."}}},
        {"ttl", 14'400}});
}

struct ended_event {
    std::string id;
    std::uint64_t accepted = 0;
};

struct sight {
    std::vector<ended_event> ended;
    std::string last_result;
    std::uint64_t letters = 0;
    std::map<std::string, std::uint64_t> accepted;  ///< So far, of the events that were asked for.
};

ended_event read_result(const redis::stream_entry& entry) {
    const auto told = parse_object(entry.field("result").value_or("")).value_or(json::object());
    return {std::string(text_at(told, "event")), count_at(told, "accepted").value_or(0)};
}

asio::awaitable<result<sight>> see(
    redis_session& redis, std::string after, std::vector<std::string> running) {
    redis::request ask("XRANGE", redis.keys().results(), "(" + after, "+", "COUNT", 1'000);
    ask.add("XLEN", redis.keys().dead_letters());
    for (const std::string& id : running) {
        ask.add(
            "HMGET", redis.keys().ledger(id),
            ledger_names::outcome_field({std::string(bench_app), platform::apns}, outcome::accepted),
            ledger_names::outcome_field({std::string(bench_app), platform::fcm}, outcome::accepted),
            ledger_names::outcome_field({std::string(bench_app), platform::webpush}, outcome::accepted));
    }
    const auto answers = co_await redis.redis().execute(std::move(ask));
    if (answers.has_error()) {
        co_return answers.error();
    }
    sight out;
    const auto results = redis::parse_entries((*answers)[0]);
    if (results.has_error()) {
        co_return results.error();
    }
    for (const redis::stream_entry& entry : *results) {
        out.ended.push_back(read_result(entry));
        out.last_result = entry.id;
    }
    out.letters = static_cast<std::uint64_t>((*answers)[1].integer().value_or(0));
    for (std::size_t i = 0; i < running.size(); ++i) {
        const redis::reply counts = (*answers)[2 + i];
        for (std::size_t j = 0; j < counts.size(); ++j) {
            out.accepted[running[i]] += static_cast<std::uint64_t>(counts[j].integer().value_or(0));
        }
    }
    co_return out;
}

void draw(
    progress_line& progress, std::string_view label, std::uint64_t accepted, std::uint64_t devices,
    double seconds) {
    const double share = static_cast<double>(accepted) / static_cast<double>(devices);
    const double rate = static_cast<double>(accepted) / std::max(seconds, 0.001);
    progress.show(fmt::format(
        "{} {} {:3.0f} %  {} accepted  {}/s  {}", label, progress_line::bar(share), share * 100,
        grouped(accepted), grouped(static_cast<std::uint64_t>(rate)),
        rate == 0 ? std::string("…")
                  : spoken_ms(static_cast<double>(devices - std::min(devices, accepted)) / rate * 1'000) +
                        " left"));
}

}  // namespace

void bench_run::publish(const bench_event& event) {
    const std::string entry = redis_.run(add_event(redis_, document(event)));
    const auto id = redis::parse_entry_id(entry).value_or(redis::entry_id());
    flights_.push_back({event, static_cast<std::int64_t>(id.ms)});
}

void bench_run::look() {
    std::vector<std::string> running;
    for (const flight& one : flights_) {
        if (!one.ended && flights_.size() <= watched_closely) {
            running.push_back(one.event.id);
        }
    }
    const sight seen = redis_.run(see(redis_, last_result_, std::move(running)));
    letters_ = seen.letters;
    if (!seen.last_result.empty()) {
        last_result_ = seen.last_result;
    }
    for (const auto& [id, accepted] : seen.accepted) {
        std::ranges::find(flights_, id, [](const flight& one) -> const std::string& {
            return one.event.id;
        })->accepted = accepted;
    }
    for (const ended_event& one : seen.ended) {
        const auto found = std::ranges::find(
            flights_, one.id, [](const flight& each) -> const std::string& { return each.event.id; });
        if (found != flights_.end() && !found->ended) {
            found->ended = true;
            found->accepted = one.accepted;
            ++ended_;
        }
    }
}

void bench_run::perform(const bench_plan& plan, std::string_view label) {
    flights_.clear();
    timeline_.assign(1, {});
    ended_ = 0;
    has_alert_ = false;
    progress_line progress;
    const std::uint64_t devices = plan.devices();
    const std::size_t wanted = plan.events.size() + (plan.alert ? 1 : 0);
    const auto begun = steady::now();
    auto last_progress = begun;
    std::uint64_t accepted_before = 0;
    std::size_t published = 0;
    while (ended_ < wanted) {
        const auto now = steady::now();
        const double seconds = std::chrono::duration<double>(now - begun).count();
        const std::size_t due =
            plan.events_per_second == 0
                ? plan.events.size()
                : std::min(
                      plan.events.size(), static_cast<std::size_t>(seconds * plan.events_per_second) + 1);
        for (; published < due; ++published) {
            publish(plan.events[published]);
        }
        look();
        std::uint64_t accepted = 0;
        for (const flight& one : flights_) {
            accepted += one.accepted;
        }
        if (plan.alert && !has_alert_ &&
            static_cast<double>(accepted) >= alert_comes_at * static_cast<double>(devices)) {
            has_alert_ = true;
            publish(*plan.alert);
        }
        if (accepted != accepted_before || due < plan.events.size()) {
            last_progress = now;
        }
        if (accepted != accepted_before) {
            accepted_before = accepted;
            timeline_.push_back({seconds * 1'000, accepted});
            draw(progress, label, accepted, devices, seconds);
        }
        if (letters_ != 0) {
            throw command_end(
                exit_failed, "the engine refused an event: see the dead letters (tocsin dead-letters list)");
        }
        if (now - last_progress > patience) {
            throw command_end(
                exit_failed, fmt::format(
                                 "nothing was accepted for {} s: {} of {} devices, {} of {} events ended",
                                 patience / 1s, grouped(accepted), grouped(devices), ended_, wanted));
        }
        // Events that come at a pace are published when they are due, not when somebody looks again.
        const auto next = plan.events_per_second == 0 || published == plan.events.size()
                              ? std::chrono::nanoseconds(look_again)
                              : std::chrono::nanoseconds(std::min<std::int64_t>(
                                    std::chrono::nanoseconds(look_again).count(),
                                    static_cast<std::int64_t>(1e9 / plan.events_per_second)));
        if (interrupts_.wait(next)) {
            throw command_end(exit_interrupted);
        }
    }
}

bench_ending bench_run::ending(const flight& of) {
    const auto stored = redis_.run(read_stored_event(redis_, of.event.id));
    if (!stored) {
        end_without(redis_, of.event.id);
    }
    return {of.event, of.published_at, stored->report};
}

bench_record bench_run::record() {
    bench_record out;
    out.timeline = timeline_;
    for (const flight& one : flights_) {
        if (has_alert_ && &one == &flights_.back()) {
            out.alert = ending(one);
        } else {
            out.events.push_back(ending(one));
        }
    }
    return out;
}

}  // namespace tocsin::cli
