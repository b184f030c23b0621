#include "engine/intake/planning_desk.hpp"

#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Of events that wait for one of the places.
constexpr std::size_t most_waiting = 1'000;
constexpr auto between_tries = std::chrono::seconds(1);
// Until the configuration may be another one.
constexpr auto between_restores = std::chrono::seconds(10);
// What another engine is just planning is known by then.
constexpr auto unknown_for = std::chrono::seconds(10);
// Whoever began an event has taken the second step by then, or has lost the entry to another engine.
constexpr auto second_step_within = std::chrono::minutes(1);
// New ones in one look.
constexpr std::size_t most_begun = 1'000;

}  // namespace

void keep_planned_targets(active_event& event, const event_plan& plan) {
    event.when = plan.when;
    event.pages_planned = plan.pages;
    event.targets.clear();
    for (const auto& one : plan.targets) {
        event.targets.push_back(one.which);
    }
}

refusal not_a_ledger(const std::string& id) {
    return {
        std::string(damaged_ledger), "where Redis should hold the progress of event \"" + id +
                                         "\" stands something else: it is sent to nobody."};
}

void tell_planned(const active_event& event, logger& log) {
    log.info(
        "event.planned", {{"event_id", event.id},
                          {"priority", to_string(event.content.priority)},
                          {"targets", event.targets.size()},
                          {"pages", event.pages_planned}});
}

asio::awaitable<result<>> planning_desk::resume_begun() {
    const auto begun = co_await ledger_.begun_before(time_.wall_now() - second_step_within, most_begun);
    if (begun.has_error()) {
        co_return begun.error();
    }
    for (const std::string& id : *begun) {
        const auto fields = co_await ledger_.read(id);
        if (fields.has_error() && fields.error() != redis::redis_errc::damaged) {
            co_return fields.error();
        }
        const bool exists = fields.has_value() && fields->contains(ledger_names::state);
        result<> done;
        if (exists && is_open(parse_event_state(fields->at(std::string(ledger_names::state))))) {
            log_.warning("event.resumed", {{"event_id", id}});
            done = co_await ledger_.resume(id, time_.wall_now());
        } else {
            done = co_await ledger_.forget_begun(id);
        }
        if (done.has_error()) {
            co_return done;
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> planning_desk::look() {
    // Which of them are critical is only known once they are read: all of them are, as far as there is room.
    for (bool more = true; more && under_way_.size() < most_under_way;) {
        const std::size_t at_most = under_way_.size() + most_begun;
        const auto due = co_await ledger_.due_events(time_.wall_now(), at_most);
        if (due.has_error()) {
            co_return due.error();
        }
        for (const std::string& id : *due) {
            if (under_way_.size() < most_under_way) {
                begin(id);
            }
        }
        more = due->size() == at_most;
    }
    co_return co_await resume_begun();
}

void planning_desk::begin(std::string id) {
    if (!stopping_ && under_way_.insert(id).second) {
        asio::co_spawn(executor_, plan(std::move(id)), asio::detached);
    }
}

asio::awaitable<void> planning_desk::plan(std::string id) {
    const auto planned = co_await plan_scheduled(id);
    if (planned.has_error()) {
        // It holds up itself alone.
        log_.warning("event.not_planned", {{"event_id", id}, {"error", planned.error().message()}});
        static_cast<void>(co_await postpone(id, between_tries));
    }
    under_way_.erase(id);
}

// What stays on the schedule must not hide what is due behind it.
asio::awaitable<result<>> planning_desk::postpone(std::string id, std::chrono::milliseconds by) {
    return ledger_.postpone(std::move(id), time_.wall_now() + by);
}

asio::awaitable<result<>> planning_desk::write_off(std::string id, refusal why, std::string document) {
    log_.error("event.written_off", {{"event_id", id}, {"reason", why.code}, {"message", why.message}});
    const auto posted =
        co_await letters_.post_once(ledger_.keys().events(), id, std::move(why), std::move(document));
    if (posted.has_error()) {
        co_return posted.error();
    }
    co_return co_await ledger_.forget_scheduled(std::move(id));
}

asio::awaitable<result<>> planning_desk::wait_or_refuse(
    std::shared_ptr<active_event> event, ledger_fields fields) {
    if (time_.wall_now() < event->accepted_at + unknown_for) {
        co_return co_await postpone(event->id, between_tries);
    }
    refusal why{
        "unknown_event", "reached_by: nothing is known of \"" + event->content.reached_by.front() +
                             "\", or not any longer: nobody can be told who was sent to by it"};
    std::string entry = fields["entry"];
    std::string document = fields[std::string(ledger_names::document)];
    log_.warning("event.refused", {{"entry", entry}, {"reason", why.code}, {"message", why.message}});
    const auto posted = co_await letters_.post_once(
        ledger_.keys().events(), std::move(entry), std::move(why), std::move(document));
    if (posted.has_error()) {
        co_return posted.error();
    }
    if (*posted == letter_fate::posted) {
        metrics_.counter(metric::events_total, {"refused"}).add(1);
    }
    co_return co_await ledger_.erase_scheduled(event->id);
}

asio::awaitable<result<>> planning_desk::plan_scheduled(std::string id) {
    auto fields = co_await ledger_.read(id);
    if (fields.has_error() && fields.error() == redis::redis_errc::damaged) {
        refusal why = not_a_ledger(id);
        co_return co_await write_off(std::move(id), std::move(why), std::string());
    }
    if (fields.has_error()) {
        co_return fields.error();
    }
    const auto state = fields->find(ledger_names::state);
    if (state == fields->end()) {
        refusal why{
            "event_vanished", "event \"" + id +
                                  "\" was due, and Redis knows nothing of it but its time: it "
                                  "is sent to nobody."};
        co_return co_await write_off(std::move(id), std::move(why), std::string());
    }
    const event_state now = parse_event_state(state->second);
    if (!is_open(now)) {
        co_return co_await ledger_.forget_scheduled(std::move(id));
    }
    auto restored = preparer_.restore(id, *fields);
    if (restored.has_error()) {
        log_.error("event.cannot_be_restored", {{"event_id", id}, {"reason", restored.error().message}});
        if (restored.error().code == damaged_ledger) {
            const auto document = fields->find(ledger_names::document);
            std::string payload = document == fields->end() ? std::string() : document->second;
            refusal why = std::move(restored.error());
            co_return co_await write_off(std::move(id), std::move(why), std::move(payload));
        }
        co_return co_await postpone(std::move(id), between_restores);
    }
    std::shared_ptr<active_event> event = std::move(*restored);
    if (now != event_state::scheduled) {
        co_return co_await ledger_.activate_scheduled(
            std::move(id), event->content.priority, event->accepted_at);
    }
    if (const wall_time due = event->content.send_at.value_or(wall_time{}); due > time_.wall_now()) {
        co_return co_await ledger_.postpone(std::move(id), due);
    }
    const auto ends = co_await known_of_ended(event);
    if (ends.has_error()) {
        co_return ends.error();
    }
    if (*ends == ledger::knowledge::under_way && time_.wall_now() < event->content.expires_at) {
        co_return co_await postpone(std::move(id), between_tries);
    }
    if (*ends == ledger::knowledge::none) {
        co_return co_await wait_or_refuse(std::move(event), std::move(*fields));
    }
    co_return co_await plan_in_turn(std::move(event), std::move(*fields));
}

asio::awaitable<result<>> planning_desk::plan_in_turn(
    std::shared_ptr<active_event> event, ledger_fields fields) {
    if (event->content.priority == priority::critical) {
        co_return co_await plan_now(std::move(event), std::move(fields));
    }
    if (others_ >= most_others && waiting_ >= most_waiting) {
        co_return co_await postpone(event->id, between_tries);
    }
    ++waiting_;
    while (others_ >= most_others) {
        co_await room_.wait();
    }
    --waiting_;
    ++others_;
    const auto planned = co_await plan_now(std::move(event), std::move(fields));
    --others_;
    room_.notify_all();
    co_return planned;
}

asio::awaitable<result<>> planning_desk::plan_now(std::shared_ptr<active_event> event, ledger_fields fields) {
    if (event->content.send_at || !event->content.reached_by.empty()) {
        // Latencies count from when it was due: the waiting before was asked for.
        event->accepted_at = time_.wall_now();
        fields.insert_or_assign(
            std::string(ledger_names::accepted_at),
            std::to_string(event->accepted_at.time_since_epoch().count()));
    }
    std::string entry = fields.contains("entry") ? fields.at("entry") : std::string();
    for (const char* const made_anew : {"entry", "state", "pages", "open", "shards", "parked"}) {
        fields.erase(made_anew);
    }
    auto made = co_await planner_.make(event, entry, std::move(fields));
    if (made.has_error()) {
        co_return made.error();
    }
    keep_planned_targets(*event, *made);
    const auto planned = co_await ledger_.plan(*made, event_state::running);
    if (planned.has_error()) {
        co_return planned.error();
    }
    const auto active =
        co_await ledger_.activate_scheduled(event->id, event->content.priority, event->accepted_at);
    if (active.has_error()) {
        co_return active.error();
    }
    if (*planned == plan_outcome::created) {
        tell_planned(*event, log_);
        listener_.event_planned(std::move(event));
    }
    co_return result<>();
}

asio::awaitable<result<ledger::knowledge>> planning_desk::known_of_ended(
    std::shared_ptr<const active_event> event) {
    if (event->content.reached_by.empty()) {
        co_return ledger::knowledge::ended;
    }
    ledger::knowledge out = ledger::knowledge::none;
    for (const std::string& id : event->content.reached_by) {
        const auto one = co_await ledger_.known(id, event->targets);
        if (one.has_error()) {
            co_return one.error();
        }
        if (*one == ledger::knowledge::under_way) {
            co_return *one;
        }
        out = *one == ledger::knowledge::ended ? *one : out;
    }
    co_return out;
}

}  // namespace tocsin
