#include "engine/core/plain_json.hpp"
#include "engine/delivery/coordinator.hpp"
#include "engine/delivery/event_end.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <utility>

// The end of an event that has nothing left to do: its dead devices are removed, and its result is published.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto error_pause = 250ms;
// How long another engine has to finish removing the dead devices that it counted.
constexpr auto foreign_pruning = 2s;
// A village whose last device is tried again for hours does not wait for that.
constexpr auto removals_overdue = 30s;

bool all_wait(const std::vector<std::pair<std::string, std::string>>& dead) {
    return std::ranges::all_of(dead, [](const auto& one) { return waits_for_the_end(one.second); });
}

}  // namespace

asio::awaitable<void> coordinator::finish(std::string id) {
    const std::shared_ptr<active_event> event = events_.at(id).event;
    timer pause(executor_, time_);
    for (;;) {
        const auto published = co_await publish_result(event);
        if (published.has_value()) {
            // What turns out to have something left to do is looked at anew, as Redis has it.
            events_.erase(id);
            next_refresh_ = *published == finish_outcome::unfinished ? time_point() : next_refresh_;
            break;
        }
        if (published.error() == redis::redis_errc::damaged) {
            tracked& lost = events_.at(id);
            lost.finishing = false;
            lost.missing_since = time_.now();
            break;
        }
        if (stopping_) {
            break;  // Another engine, or this one when it comes back, finds it drained and goes on.
        }
        log_.warning("event.result_later", {{"event_id", id}, {"error", published.error().message()}});
        co_await pause.wait_for(error_pause);
    }
    --finishing_;
    changed_.wake_all();
}

asio::awaitable<result<>> coordinator::remove_dead(std::shared_ptr<active_event> event) {
    timer pause(executor_, time_);
    const time_point patience = time_.now() + foreign_pruning;
    bool ours = false;
    for (;;) {
        // Before the list is read: what is on the way to be struck off it must not be reported twice.
        const bool quiet = event->pruning.load() == 0;
        auto dead = co_await ledger_.dead(event->id);
        if (dead.has_error() && dead.error() == redis::redis_errc::damaged) {
            const auto noted = co_await ledger_.give_up(
                event->id, "the list of its dead devices is something else", event->targets);
            co_return noted.has_error() ? result<>(noted.error()) : result<>();
        }
        if (dead.has_error()) {
            co_return dead.error();
        }
        if (dead->empty()) {
            co_return result<>();
        }
        const bool settled = quiet && event->pruning.load() == 0;
        if (settled && (time_.now() >= patience || all_wait(*dead))) {
            if (ours) {
                auto left = std::move(*dead);
                const auto pruned = co_await pruner_.prune(event->id, std::move(left), removal_moment::end);
                co_return pruned.has_error() ? result<>(pruned.error()) : result<>();
            }
            const auto claimed = co_await ledger_.claim_dead(event->id, time_.wall_now());
            if (claimed.has_error()) {
                co_return claimed.error();
            }
            ours = *claimed == ledger::claimed::ours;
            if (ours) {
                continue;  // And as the list is now: another engine may have been at it.
            }
        }
        co_await pause.wait_for(5ms);
    }
}

asio::awaitable<result<>> coordinator::remove_overdue() {
    std::vector<std::shared_ptr<active_event>> late;
    for (const auto& [id, entry] : events_) {
        if (entry.event == nullptr || entry.finishing) {
            continue;
        }
        const duration since(entry.event->removals_wait_since.load());
        if (since.count() != 0 && time_.now() - time_point(since) >= removals_overdue) {
            late.push_back(entry.event);
        }
    }
    result<> first;
    for (const std::shared_ptr<active_event>& event : late) {
        const auto at = events_.find(event->id);
        if (at == events_.end() || at->second.event != event || at->second.finishing) {
            continue;  // While we saw to another, its end has come.
        }
        ++event->pruning;  // Its end, if that comes meanwhile, waits for us.
        const auto removed = co_await remove_waiting(event);
        --event->pruning;
        if (!goes_on(removed, first)) {
            break;
        }
    }
    co_return first;
}

asio::awaitable<result<>> coordinator::remove_waiting(std::shared_ptr<active_event> event) {
    const duration::rep since = event->removals_wait_since.exchange(0);
    const auto claimed = co_await ledger_.claim_dead(event->id, time_.wall_now());
    if (claimed.has_error()) {
        event->removals_wait_since = since;
        co_return claimed.error();
    }
    if (*claimed == ledger::claimed::theirs) {
        event->removals_wait_since = time_.now().time_since_epoch().count();
        co_return result<>();
    }
    auto dead = co_await ledger_.dead(event->id);
    if (dead.has_error()) {
        const bool damaged = dead.error() == redis::redis_errc::damaged;  // The end of that event sees to it.
        event->removals_wait_since = damaged ? 0 : since;
        co_return damaged ? result<>() : result<>(dead.error());
    }
    auto waiting = std::move(*dead);
    std::erase_if(waiting, [](const auto& one) { return !waits_for_the_end(one.second); });
    const auto pruned = co_await pruner_.prune(event->id, std::move(waiting), removal_moment::overdue);
    if (pruned.has_error()) {
        event->removals_wait_since = since;
        co_return pruned.error();
    }
    if (*pruned == pruner::prune_outcome::some_wait) {
        event->removals_wait_since = time_.now().time_since_epoch().count();
    }
    co_return result<>();
}

asio::awaitable<void> coordinator::learn_answers(std::shared_ptr<active_event> event, event_report report) {
    for (const target& which : event->targets) {
        const auto app = report.apps.find(which.app);
        if (app == report.apps.end() || event->content.skips_provider(which.on)) {
            continue;
        }
        const auto sums = app->second.find(std::string(to_string(which.on)));
        if (sums == app->second.end()) {
            continue;
        }
        const auto of = [&](outcome how) { return sums->second[static_cast<std::size_t>(how)]; };
        const answer_counts answers{of(outcome::accepted), of(outcome::dead)};
        if (answers.answers() == 0) {
            continue;
        }
        const auto learnt = co_await pruner_.learn(event->id, which, answers);
        if (learnt.has_error()) {
            log_.warning("removals.not_counted", {{"error", learnt.error().message()}});
            co_return;  // One event less to judge by.
        }
    }
}

asio::awaitable<result<finish_outcome>> coordinator::publish_result(std::shared_ptr<active_event> event) {
    // The result comes after the removal of the devices that it calls dead.
    const auto removed = co_await remove_dead(event);
    if (removed.has_error()) {
        co_return removed.error();
    }
    const auto fields = co_await ledger_.read(event->id);
    if (fields.has_error()) {
        co_return fields.error();
    }
    event_report report = read_report(event->id, *fields);
    const event_end end = judge_end(report);
    if (end == event_end::not_there) {
        co_return redis::redis_errc::damaged;
    }
    if (end == event_end::had_ended) {
        co_return finish_outcome::had_ended;
    }
    if (end == event_end::give_up) {
        const auto failed = co_await ledger_.give_up(event->id, std::string(), event->targets);
        co_return failed.has_error() ? result<finish_outcome>(failed.error()) : finish_outcome::unfinished;
    }
    report.state = final_state(report);
    report.finished_at = time_.wall_now().time_since_epoch().count();
    std::string document = plain_json(result_document(report, preparer_.places()));
    const auto revision = fields->find(ledger_names::revision);
    std::string made_of = revision == fields->end() ? std::string() : revision->second;
    std::optional<std::chrono::milliseconds> window;
    if (report.asks_receipts) {
        window = how_.receipts_window;
    }
    const auto ended = co_await ledger_.finish(
        event->id, std::move(document), std::move(made_of), how_.results_max_length, time_.wall_now(),
        how_.event_retention, event->targets, window);
    if (ended.has_error()) {
        co_return ended.error();
    }
    if (report.state == event_state::cancelled && *ended != finish_outcome::unfinished) {
        const auto forgotten = co_await board_.forget_cancelled(event->id);
        if (forgotten.has_error()) {
            co_return forgotten.error();
        }
    }
    if (*ended == finish_outcome::published) {
        tell_finished(*event, report);
        co_await learn_answers(event, std::move(report));
    }
    co_return *ended;
}

void coordinator::tell_finished(const active_event& event, const event_report& report) {
    metrics_.counter(metric::events_total, {to_string(report.state)}).add(1);
    metrics_.histogram(metric::event_seconds, {to_string(event.content.priority)})
        .record_microseconds(
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, report.finished_at - report.accepted_at)) *
            1000);
    log_.info(
        "event.finished", {{"event_id", event.id},
                           {"state", to_string(report.state)},
                           {"targeted", report.targeted},
                           {"accepted", report.count(outcome::accepted)},
                           {"dead", report.count(outcome::dead)},
                           {"possible_duplicates", report.possible_duplicates},
                           {"ms", report.finished_at - report.accepted_at}});
}

}  // namespace tocsin
