#include "engine/intake/event_intake.hpp"

#include "engine/event/refusal_codes.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;

/// A first look, so that an alert does not wait behind the rest of its batch to be read properly.
bool looks_critical(std::string_view document) {
    return document.find("\"critical\"") != std::string_view::npos;
}

/// A target without a device has no shards, and nobody is to look for any.
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

}  // namespace

asio::awaitable<result<>> event_intake::handle(std::vector<redis::stream_entry>& entries) {
    last_answer_ = time_.now();
    std::ranges::stable_partition(entries, [](const redis::stream_entry& entry) {
        return looks_critical(entry.field("event").value_or(""));
    });
    for (const redis::stream_entry& entry : entries) {
        const auto document = entry.field("event");
        result<> handled;
        if (entry.deleted) {
            // Trimmed before it was read: all that is left is its name.
            log_.error("event.lost_to_trimming", {{"entry", entry.id}});
            handled = co_await ledger_.acknowledge(ledger_.keys().events(), entry.id);
        } else if (!document) {
            handled = co_await refuse(
                entry.id,
                tocsin::refuse(
                    refusal_code::missing_entry_field,
                    "the entry has no field \"event\"; write it with XADD " + ledger_.keys().events() +
                        " * event '{…}'"),
                fields_as_json(entry));
        } else {
            handled = co_await handle_event(entry.id, std::string(*document));
        }
        if (handled.has_error()) {
            co_return handled;
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> event_intake::refuse(std::string entry, refusal why, std::string document) {
    log_.warning("event.refused", {{"entry", entry}, {"reason", why.code}, {"message", why.message}});
    auto posted = co_await letters_.post(
        ledger_.keys().events(), std::move(entry), std::move(why), std::move(document));
    if (posted.has_value()) {
        metrics_.counter(metric::events_total, {"refused"}).add(1);
    }
    co_return posted;
}

asio::awaitable<result<>> event_intake::handle_event(std::string entry, std::string document) {
    auto prepared = preparer_.accept(document, entry);
    if (prepared.has_error()) {
        refusal why = std::move(prepared.error());
        co_return co_await refuse(std::move(entry), std::move(why), std::move(document));
    }
    std::shared_ptr<active_event> event = std::move(*prepared);
    const auto ends = co_await known_of_ended(event);
    if (ends.has_error()) {
        co_return ends.error();
    }
    if (*ends == ledger::knowledge::none) {
        refusal why{
            "unknown_event", "reached_by: nothing is known of \"" + event->content.reached_by.front() +
                                 "\", or not any longer: nobody can be told who was sent to by it"};
        co_return co_await refuse(std::move(entry), std::move(why), std::move(document));
    }
    // What it ends must be over: who was sent to is known then.
    const bool later = event->content.send_at.value_or(wall_time{}) > time_.wall_now() ||
                       *ends == ledger::knowledge::under_way;
    co_return co_await take_up(std::move(event), std::move(entry), std::move(document), later);
}

asio::awaitable<result<>> event_intake::take_up(
    std::shared_ptr<active_event> event, std::string entry, std::string document, bool later) {
    auto fields = preparer_.describe(*event, document);
    if (!later && event->content.priority == priority::critical) {
        alert_(*event);
    }
    event_plan plan;
    if (later) {
        plan.event = event->id;
        plan.entry = entry;
        plan.fields = std::move(fields);
    } else {
        auto made = co_await planner_.make(event, entry, std::move(fields));
        if (made.has_error()) {
            co_return made.error();
        }
        plan = std::move(*made);
        keep_planned_targets(*event, plan);
    }
    const std::string state = later ? "scheduled" : "running";
    const auto planned = co_await ledger_.plan(plan, state);
    if (planned.has_error()) {
        co_return planned.error();
    }
    if (*planned == plan_outcome::damaged) {
        refusal why = not_a_ledger(event->id);
        co_return co_await refuse(std::move(entry), std::move(why), std::move(document));
    }
    if (*planned == plan_outcome::duplicate) {
        log_.info("event.duplicate", {{"event_id", event->id}, {"entry", entry}});
        metrics_.counter(metric::events_total, {"duplicate"}).add(1);
        co_return co_await ledger_.acknowledge(ledger_.keys().events(), std::move(entry));
    }
    if (later) {
        log_.info("event.scheduled", {{"event_id", event->id}});
        const wall_time due = event->content.send_at.value_or(time_.wall_now());
        co_return co_await ledger_.schedule(event->id, std::move(entry), due);
    }
    const auto active =
        co_await ledger_.activate(event->id, std::move(entry), event->content.priority, event->accepted_at);
    if (active.has_error()) {
        co_return active.error();
    }
    log_.info(
        "event.planned", {{"event_id", event->id},
                          {"priority", to_string(event->content.priority)},
                          {"targets", event->targets.size()},
                          {"pages", plan.pages}});
    if (*planned == plan_outcome::created) {
        planned_(event);
    }  // Else somebody has planned it otherwise, perhaps: it is found as it stands in Redis.
    co_return result<>();
}

asio::awaitable<result<ledger::knowledge>> event_intake::known_of_ended(
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

asio::awaitable<result<>> event_intake::plan_due() {
    const auto due = co_await ledger_.due_events(time_.wall_now());
    if (due.has_error()) {
        co_return due.error();
    }
    result<> out;
    for (const std::string& id : *due) {
        const auto planned = co_await plan_scheduled(id);
        if (planned.has_error()) {
            // It holds up itself alone.
            log_.warning("event.not_planned", {{"event_id", id}, {"error", planned.error().message()}});
            out = planned;
        }
    }
    co_return out;
}

asio::awaitable<result<>> event_intake::write_off(std::string id, refusal why, std::string document) {
    log_.error("event.written_off", {{"event_id", id}, {"reason", why.code}, {"message", why.message}});
    const auto posted =
        co_await letters_.post_once(ledger_.keys().events(), id, std::move(why), std::move(document));
    if (posted.has_error()) {
        co_return posted;
    }
    co_return co_await ledger_.forget_scheduled(std::move(id));
}

asio::awaitable<result<>> event_intake::plan_scheduled(std::string id) {
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
    const std::string_view now = state->second;
    if (now != "scheduled" && now != "running" && now != "cancelling") {
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
        co_return result<>();
    }
    std::shared_ptr<active_event> event = std::move(*restored);
    if (now != "scheduled") {
        co_return co_await ledger_.activate_scheduled(
            std::move(id), event->content.priority, event->accepted_at);
    }
    const auto ends = co_await known_of_ended(event);
    if (ends.has_error()) {
        co_return ends.error();
    }
    if (*ends == ledger::knowledge::under_way && time_.wall_now() < event->content.expires_at) {
        co_return result<>();  // Looked at again in a second.
    }
    co_return co_await plan_now(std::move(event), std::move(*fields));
}

asio::awaitable<result<>> event_intake::plan_now(std::shared_ptr<active_event> event, ledger_fields fields) {
    // Latencies count from when it was due: the waiting before was asked for.
    event->accepted_at = time_.wall_now();
    fields.insert_or_assign(
        std::string(ledger_names::accepted_at),
        std::to_string(event->accepted_at.time_since_epoch().count()));
    std::string entry = fields.contains("entry") ? fields.at("entry") : std::string();
    for (const char* const made_anew : {"entry", "state", "pages", "open", "shards", "parked"}) {
        fields.erase(made_anew);
    }
    auto made = co_await planner_.make(event, entry, std::move(fields));
    if (made.has_error()) {
        co_return made.error();
    }
    keep_planned_targets(*event, *made);
    const auto planned = co_await ledger_.plan(*made, "running");
    if (planned.has_error()) {
        co_return planned.error();
    }
    const auto active =
        co_await ledger_.activate_scheduled(event->id, event->content.priority, event->accepted_at);
    if (active.has_error()) {
        co_return active.error();
    }
    if (*planned == plan_outcome::created) {
        log_.info("event.due", {{"event_id", event->id}, {"pages", made->pages}});
        planned_(event);
    }
    co_return result<>();
}

}  // namespace tocsin
