#include "engine/delivery/pruner.hpp"

#include "engine/audience/removal_traces.hpp"
#include "engine/plan/dead_device.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <map>

namespace tocsin {

namespace asio = boost::asio;

removal_terms removal_terms_of(const engine_settings& how) {
    removal_terms out;
    out.limits.floor = how.brake_floor;
    out.limits.share = static_cast<double>(how.brake_share) / 100;
    out.limits.times = static_cast<double>(how.brake_times);
    out.limits.first_share = static_cast<double>(how.brake_first_share) / 100;
    out.kept_for = how.removed_kept;
    out.feedback_length = how.feedback_max_length;
    return out;
}

asio::awaitable<result<pruner::prune_outcome>> pruner::prune(
    std::string event, std::vector<std::pair<std::string, std::string>> dead, removal_moment when,
    std::optional<answer_counts> page) {
    std::map<target, std::vector<dying>> by_target;
    std::vector<std::string> unreadable;
    for (auto& [member, reason] : dead) {
        auto which = decode_dead(member);
        if (!which) {
            unreadable.push_back(std::move(member));
            continue;
        }
        dying one;
        one.member = std::move(member);
        one.device.token = std::move(which->token);
        one.device.entry = std::move(which->entry);
        one.device.reason = reason_of_dead(reason);
        one.device.event = event;
        by_target[std::move(which->which)].push_back(std::move(one));
    }
    const auto struck = co_await book_.strike_dead(event, std::move(unreadable), ledger::dead_end::removed);
    if (struck.has_error()) {
        co_return struck.error();
    }
    prune_outcome out = prune_outcome::done;
    for (auto& [which, of_target] : by_target) {
        const auto pruned = co_await prune_of_target(event, which, std::move(of_target), when, page);
        if (pruned.has_error()) {
            co_return pruned.error();
        }
        if (*pruned == prune_outcome::some_wait) {
            out = prune_outcome::some_wait;
        }
    }
    co_return out;
}

asio::awaitable<result<pruner::prune_outcome>> pruner::prune_of_target(
    std::string event, target which, std::vector<dying> dead, removal_moment when,
    std::optional<answer_counts> page) {
    auto facts = co_await removals_.facts(event, which, terms_.limits.floor);
    if (facts.has_error()) {
        co_return facts.error();
    }
    if (!facts->readable) {
        co_return co_await leave(std::move(event), std::move(which), dead);
    }
    facts->when = when;
    facts->page = page;
    const removal_judgement judged = judge_removals(terms_.limits, *facts);
    if (judged.word == removal_word::wait) {
        const auto left = co_await let_wait(std::move(event), dead);
        co_return left.has_error() ? result<prune_outcome>(left.error()) : prune_outcome::some_wait;
    }
    bool held = false;
    if (judged.word == removal_word::hold) {
        const auto kept = co_await hold(event, which, dead, judged, facts->usual);
        if (kept.has_error() && kept.error() == redis::redis_errc::damaged) {
            co_return co_await leave(std::move(event), std::move(which), dead);
        }
        if (kept.has_error()) {
            co_return kept.error();
        }
        held = *kept != removal_book::hold_outcome::believed;
    }
    wall_time begun{};
    if (!held) {
        const auto expected = co_await expect_removals(which);
        if (expected.has_error() && expected.error() == redis::redis_errc::damaged) {
            co_return co_await leave(std::move(event), std::move(which), dead);
        }
        if (expected.has_error()) {
            co_return expected.error();
        }
        begun = *expected;
    }
    std::vector<std::string> members;
    std::vector<held_device> devices;
    for (dying& one : dead) {
        members.push_back(std::move(one.member));
        devices.push_back(std::move(one.device));
    }
    if (!held) {
        const auto removed = co_await remove(which, devices, begun);
        if (removed.has_error()) {
            co_return removed.error();
        }
        log_.debug("devices.pruned", {{"event_id", event}, {"devices", devices.size()}});
    }
    // Only now: who is taken off the list must have been reported, or be held.
    const auto how = held ? ledger::dead_end::held : ledger::dead_end::removed;
    const auto struck = co_await book_.strike_dead(std::move(event), std::move(members), how);
    co_return struck.has_error() ? result<prune_outcome>(struck.error()) : prune_outcome::done;
}

asio::awaitable<result<wall_time>> pruner::expect_removals(target which) {
    redis::request before;
    before.add("XLEN", book_.keys().feedback());  // Whoever is removed is reported, too.
    if (terms_.kept_for.count() != 0) {
        const removal_traces kept(book_.connection(), book_.keys());
        kept.expect(before, which.app, which.on, terms_.kept_for);
    }
    const auto expected = co_await redis::execute_checked(book_.connection(), std::move(before));
    if (expected.has_error()) {
        co_return expected.error();
    }
    const auto at = expected->size() == 1 ? std::nullopt : (*expected)[1].integer();
    co_return wall_time(std::chrono::milliseconds(at.value_or(0)));
}

asio::awaitable<result<pruner::prune_outcome>> pruner::leave(
    std::string event, target which, const std::vector<dying>& dead) {
    if (told_.insert(which).second) {
        const std::string answers = book_.keys().answers(which.app, which.on);
        log_.error(
            "removals.unreadable",
            {{"event_id", event},
             {"app", which.app},
             {"platform", to_string(which.on)},
             {"keys", answers.substr(0, answers.rfind(':') + 1) + "* " + book_.keys().feedback()},
             {"advice",
              "One of these keys holds something that Tocsin has not written. No device of that app and "
              "platform is removed before you delete it."}});
    }
    std::vector<std::string> members;
    for (const dying& one : dead) {
        members.push_back(one.member);
    }
    const auto struck =
        co_await book_.strike_dead(std::move(event), std::move(members), ledger::dead_end::held);
    co_return struck.has_error() ? result<prune_outcome>(struck.error()) : prune_outcome::done;
}

asio::awaitable<result<>> pruner::let_wait(std::string event, const std::vector<dying>& dead) {
    std::vector<std::pair<std::string, std::string>> left;
    for (const dying& one : dead) {
        left.emplace_back(one.member, one.device.reason);
    }
    return book_.let_dead_wait(std::move(event), std::move(left));
}

asio::awaitable<result<removal_book::hold_outcome>> pruner::hold(
    std::string event, target which, const std::vector<dying>& dead, removal_judgement why,
    answer_counts usual) {
    removal_hold about;
    about.since = time_.wall_now().time_since_epoch().count();
    about.event = std::move(event);
    about.seen = why.seen;
    about.usual = usual;
    about.limit = why.limit;
    std::vector<held_device> devices;
    for (const dying& one : dead) {
        devices.push_back(one.device);
    }
    const auto held = co_await removals_.hold(which, about, std::move(devices));
    if (held.has_value() && *held == removal_book::hold_outcome::begun) {
        log_.error(
            "removals.held",
            {{"event_id", about.event},
             {"app", which.app},
             {"platform", to_string(which.on)},
             {"dead", about.seen.dead},
             {"accepted", about.seen.accepted},
             {"usual_share", about.usual.share()},
             {"advice",
              "Nobody of them is removed before you decide: look at tocsin devices prune, then say --remove "
              "or --keep."}});
    }
    co_return held;
}

asio::awaitable<result<std::vector<bool>>> pruner::remove(
    target which, const std::vector<held_device>& devices, wall_time begun) {
    std::vector<device_change> changes;
    for (const held_device& one : devices) {
        device_change change;
        change.what = device_change::action::remove;
        change.app = which.app;
        change.where = which.on;
        change.which.token = one.token;
        change.only_if_entry = one.entry;
        changes.push_back(std::move(change));
    }
    const removal_traces kept(book_.connection(), book_.keys());
    auto removed = co_await store_.apply_telling(std::move(changes));
    if (removed.has_error()) {
        co_return removed.error();
    }
    const std::string feedback = book_.keys().feedback();
    redis::request report;
    std::vector<removal_trace> traces;
    std::vector<bool> out(devices.size(), false);
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const held_device& one = devices[i];
        // Registered again since its page was read: alive, and not to be reported.
        if ((*removed)[i].outcome == change_outcome::kept) {
            continue;
        }
        out[i] = true;
        const boost::json::object document{
            {"app", which.app},
            {"platform", to_string(which.on)},
            {"token", platforms_[which.on].written_token(one.token)},
            {"reason", one.reason},
            {"at", time_.wall_now().time_since_epoch().count()},
            {"event", one.event}};
        report.add(
            "XADD", feedback, "MAXLEN", "~", terms_.feedback_length, "*", "feedback",
            boost::json::serialize(document));
        if ((*removed)[i].outcome == change_outcome::removed) {
            traces.push_back({one.token, one.entry, std::move((*removed)[i].before)});
        }
    }
    kept.keep(report, which.app, which.on, traces, terms_.kept_for, begun);
    if (report.empty()) {
        co_return out;
    }
    auto reported = co_await book_.connection().execute(std::move(report));
    const auto told = redis::checked(std::move(reported));
    if (told.has_error()) {
        co_return told.error();
    }
    co_return out;
}

asio::awaitable<result<pruner::tally>> pruner::remove_held(target which) {
    const auto believed = co_await removals_.believe(which);
    if (believed.has_error()) {
        co_return believed.error();
    }
    tally out;
    std::string cursor;
    while (cursor != "0") {
        const auto some = co_await removals_.some_held(which, cursor);
        if (some.has_error()) {
            co_return some.error();
        }
        cursor = some->next;
        const auto expected = co_await expect_removals(which);
        if (expected.has_error()) {
            co_return expected.error();
        }
        const auto removed = co_await remove(which, some->devices, *expected);
        if (removed.has_error()) {
            co_return removed.error();
        }
        std::vector<std::string> tokens;
        for (std::size_t i = 0; i < some->devices.size(); ++i) {
            tokens.push_back(some->devices[i].token);
            ++((*removed)[i] ? out.removed : out.kept);
        }
        const auto struck = co_await removals_.strike(which, std::move(tokens));
        if (struck.has_error()) {
            co_return struck.error();
        }
    }
    const auto closed = co_await removals_.close(std::move(which));
    co_return closed.has_error() ? result<tally>(closed.error()) : out;
}

}  // namespace tocsin
