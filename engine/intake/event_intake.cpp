#include "engine/intake/event_intake.hpp"

#include "engine/event/refusal_codes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Some milliseconds of Redis' time.
constexpr std::size_t most_questions_at_once = 2'000;
// Between two looks at what is unread, while there is more to plan.
constexpr auto between_looks = std::chrono::milliseconds(100);

/// Whether finding its devices takes so many questions that what comes behind it would have to wait.
bool takes_long(const active_event& event) noexcept {
    const std::size_t asked =
        event.audience.devices().size() + event.audience.communes().size() + event.audience.zones().size();
    return !event.content.reached_by.empty() || asked * event.targets.size() > most_questions_at_once;
}

}  // namespace

planning_moment planning_moment_of(
    const active_event& event, ledger::knowledge ends, wall_time now) noexcept {
    // What it ends must be over: who was sent to is known then. Of one that nobody knows the entry may be in
    // the hands of another engine at this moment.
    if (event.content.send_at.value_or(wall_time{}) > now || ends != ledger::knowledge::ended) {
        return planning_moment::later;
    }
    return takes_long(event) ? planning_moment::beside : planning_moment::now;
}

asio::awaitable<result<>> event_intake::handle(std::vector<redis::stream_entry>& entries) {
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
        const bool others_wait = &entry != &entries.back() || entries.size() >= batch_size();
        if (others_wait && time_.now() >= next_look_) {
            co_await look_ahead();
            next_look_ = time_.now() + between_looks;
        }
    }
    co_return result<>();
}

// However many events are unread, an alert behind them does not wait until all of them are planned. Its entry
// stays where it is: whoever reads it finds the event made from this very entry, and acknowledges it. What is
// wrong with it is told then.
asio::awaitable<void> event_intake::look_ahead() {
    auto found = co_await ahead_.look();
    if (found.has_error()) {
        co_return;  // Reading the stream meets the same, and says so.
    }
    for (auto& one : *found) {
        auto prepared = preparer_.accept(one.document, one.entry);
        if (prepared.has_error() || (*prepared)->content.priority != priority::critical ||
            !(*prepared)->content.reached_by.empty()) {
            continue;
        }
        std::shared_ptr<active_event> event = std::move(*prepared);
        const planning_moment when = planning_moment_of(*event, ledger::knowledge::ended, time_.wall_now());
        if (when == planning_moment::later) {
            continue;
        }
        const auto taken = co_await take_up(
            std::move(event), std::move(one.entry), std::move(one.document), when, reading::ahead);
        if (taken.has_error()) {
            co_return;
        }
    }
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
    const auto ends = co_await desk_.known_of_ended(event);
    if (ends.has_error()) {
        co_return ends.error();
    }
    const planning_moment when = planning_moment_of(*event, *ends, time_.wall_now());
    co_return co_await take_up(
        std::move(event), std::move(entry), std::move(document), when, reading::in_turn);
}

asio::awaitable<result<>> event_intake::take_up(
    std::shared_ptr<active_event> event, std::string entry, std::string document, planning_moment when,
    reading how) {
    auto fields = preparer_.describe(*event, document);
    const bool at_once = when == planning_moment::now;
    if (when != planning_moment::later && event->content.priority == priority::critical) {
        listener_.alert_read(*event);
    }
    event_plan plan;
    if (!at_once) {
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
    plan.begun_at = time_.wall_now();
    const event_state state = at_once ? event_state::running : event_state::scheduled;
    const auto planned = co_await ledger_.plan(plan, state);
    if (planned.has_error()) {
        co_return planned.error();
    }
    if (how == reading::ahead && *planned != plan_outcome::created) {
        co_return result<>();
    }
    if (*planned == plan_outcome::damaged) {
        refusal why = not_a_ledger(event->id);
        co_return co_await refuse(std::move(entry), std::move(why), std::move(document));
    }
    if (*planned == plan_outcome::called_off) {
        co_return co_await end_unsent(std::move(entry), std::move(document));
    }
    if (*planned == plan_outcome::duplicate) {
        log_.info("event.duplicate", {{"event_id", event->id}, {"entry", entry}});
        metrics_.counter(metric::events_total, {"duplicate"}).add(1);
        co_return co_await ledger_.acknowledge(ledger_.keys().events(), std::move(entry));
    }
    if (!at_once) {
        co_return co_await put_on_schedule(std::move(event), std::move(entry), when);
    }
    const auto active =
        co_await ledger_.activate(event->id, std::move(entry), event->content.priority, event->accepted_at);
    if (active.has_error()) {
        co_return active.error();
    }
    tell_planned(*event, log_);
    if (*planned == plan_outcome::created) {
        listener_.event_planned(std::move(event));
    }  // Else somebody has planned it otherwise, perhaps: it is found as it stands in Redis.
    co_return result<>();
}

// As one that was cancelled while it waited for its send_at: it runs, and has nothing left to do.
asio::awaitable<result<>> event_intake::end_unsent(std::string entry, std::string document) {
    auto prepared = preparer_.accept(document, entry);
    if (prepared.has_error()) {
        refusal why = std::move(prepared.error());
        co_return co_await refuse(std::move(entry), std::move(why), std::move(document));
    }
    const std::shared_ptr<active_event> event = std::move(*prepared);
    event_plan plan;
    plan.event = event->id;
    plan.entry = entry;
    plan.fields = preparer_.describe(*event, document);
    plan.begun_at = time_.wall_now();
    const auto planned = co_await ledger_.plan(plan, event_state::cancelling);
    if (planned.has_error()) {
        co_return planned.error();
    }
    log_.info("event.called_off", {{"event_id", event->id}, {"entry", entry}});
    co_return co_await ledger_.activate(
        event->id, std::move(entry), event->content.priority, event->accepted_at);
}

asio::awaitable<result<>> event_intake::put_on_schedule(
    std::shared_ptr<active_event> event, std::string entry, planning_moment when) {
    const wall_time due = event->content.send_at.value_or(time_.wall_now());
    const auto scheduled = co_await ledger_.schedule(event->id, std::move(entry), due);
    if (scheduled.has_error()) {
        co_return scheduled;
    }
    if (when == planning_moment::beside) {
        desk_.begin(event->id);
    } else {
        log_.info("event.scheduled", {{"event_id", event->id}});
    }
    co_return scheduled;
}

}  // namespace tocsin
