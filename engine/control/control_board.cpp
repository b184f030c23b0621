#include "engine/control/control_board.hpp"

#include "engine/control/unread_entry.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/redis/check.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Whoever waits reads them at once: they only have to outlast a short absence.
constexpr int changes_kept = 50'000;
// Longer than any entry is of use: no event lives for more than 28 days.
constexpr std::chrono::milliseconds called_off_lasts = std::chrono::hours(30 * 24);
constexpr std::chrono::milliseconds called_off_while_looking = std::chrono::minutes(10);

}  // namespace

asio::awaitable<result<control_state>> control_board::read() {
    redis::request ask;
    ask.add("HGETALL", keys_.control()).add("SMEMBERS", keys_.cancelling());
    const auto checked = co_await redis::execute_checked(redis_, std::move(ask));
    if (checked.has_error()) {
        co_return checked.error();
    }
    control_state out;
    const redis::reply fields = (*checked)[0];
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        read_control_field(out, fields[i].text(), fields[i + 1].text());
    }
    const redis::reply events = (*checked)[1];
    for (std::size_t i = 0; i < events.size(); ++i) {
        out.cancelling.emplace(events[i].text());
    }
    co_return out;
}

asio::awaitable<result<>> control_board::change(redis::request what, std::string word) {
    what.add("XADD", keys_.control_changes(), "MAXLEN", "~", changes_kept, "*", "change", word);
    co_return co_await redis::carry_out(redis_, std::move(what));
}

asio::awaitable<result<>> control_board::hold(hold_selector which, wall_time now) {
    redis::request ask("HSET", keys_.control(), hold_field(which), now.time_since_epoch().count());
    return change(std::move(ask), "pause");
}

asio::awaitable<result<>> control_board::release(hold_selector which) {
    const auto now = co_await read();
    if (now.has_error()) {
        co_return now.error();
    }
    redis::request ask;
    for (const hold_selector& one : now->holds) {
        if (which.covers(one)) {
            ask.add("HDEL", keys_.control(), hold_field(one));
        }
    }
    if (ask.empty()) {
        co_return result<>();
    }
    co_return co_await change(std::move(ask), "resume");
}

asio::awaitable<result<>> control_board::set_rate(target which, std::uint64_t rate) {
    redis::request ask("HSET", keys_.control(), rate_field(which), rate);
    return change(std::move(ask), "rate");
}

asio::awaitable<result<>> control_board::forget_rates() {
    const auto now = co_await read();
    if (now.has_error()) {
        co_return now.error();
    }
    redis::request ask;
    for (const auto& [which, rate] : now->rates) {
        ask.add("HDEL", keys_.control(), rate_field(which));
    }
    if (ask.empty()) {
        co_return result<>();
    }
    co_return co_await change(std::move(ask), "rate");
}

asio::awaitable<result<>> control_board::hold_quota(std::string quota, wall_time until) {
    redis::request ask("HSET", keys_.control(), quota_field(quota), until.time_since_epoch().count());
    return change(std::move(ask), "quota");
}

// In one step with the look at its state: an engine that takes it up finds either.
asio::awaitable<result<control_board::noted>> control_board::note_cancelled(
    std::string event, std::chrono::milliseconds lasts) {
    const std::vector<std::string> keys{keys_.ledger(event), keys_.called_off(event)};
    const std::vector<std::string> arguments{std::to_string(lasts.count())};
    redis::request ask(ledger_scripts::cancel, keys, arguments);
    const auto checked = co_await redis::execute_checked(redis_, std::move(ask));
    if (checked.has_error()) {
        co_return checked.error();
    }
    const redis::reply parts = checked->front();
    if (parts.size() != 2) {
        co_return redis::redis_errc::unexpected_reply;
    }
    co_return noted{parse_event_state(parts[0].text()), parts[1].integer() == 1};
}

asio::awaitable<result<control_board::cancel_answer>> control_board::cancel(std::string event, absent how) {
    cancel_answer out;
    // Whoever dies before it is known that there is such an event must not have called off another for long,
    // which gets the same name one day.
    const auto lasts = how == absent::call_off ? called_off_lasts : called_off_while_looking;
    auto before = co_await note_cancelled(event, lasts);
    if (before.has_error()) {
        co_return before.error();
    }
    const bool called_off_before = before->called_off;
    if (before->before == event_state::none) {
        const auto unread = co_await stands_unread(redis_, keys_, event);
        if (unread.has_error()) {
            co_return unread.error();
        }
        const bool there = *unread == unread_entry::there;
        // It may have been taken up between the two looks.
        before = co_await note_cancelled(event, there ? called_off_lasts : lasts);
        if (before.has_error()) {
            co_return before.error();
        }
        out.unread = there;
    }
    out.state = before->before;
    if (out.unread && out.state == event_state::none) {
        co_return out;
    }
    out.unread = false;
    if (out.state == event_state::none && how == absent::ignore && !called_off_before) {
        redis::request forget("DEL", keys_.called_off(event));
        const auto forgotten = co_await redis::execute_checked(redis_, std::move(forget));
        if (forgotten.has_error()) {
            co_return forgotten.error();
        }
    }
    if (out.cancelled()) {
        const auto obeyed = co_await obey_cancelled(std::move(event), out.state == event_state::scheduled);
        if (obeyed.has_error()) {
            co_return obeyed.error();
        }
    }
    co_return out;
}

asio::awaitable<result<>> control_board::obey_cancelled(std::string event, bool scheduled) {
    // A scheduled event has nobody who looks after it before its time: from here on it is a running
    // one that has nothing left to do. Its score is that of the most urgent.
    if (scheduled) {
        redis::request move("ZADD", keys_.running(), 0, event);
        const auto fine = co_await redis::execute_checked(redis_, std::move(move));
        if (fine.has_error()) {
            co_return fine.error();
        }
        redis::request leave("ZREM", keys_.scheduled(), event);
        const auto gone = co_await redis::execute_checked(redis_, std::move(leave));
        if (gone.has_error()) {
            co_return gone.error();
        }
    }
    redis::request tell("SADD", keys_.cancelling(), event);
    co_return co_await change(std::move(tell), "cancel");
}

asio::awaitable<result<>> control_board::tell_removed(std::vector<removed_device> devices) {
    redis::request ask;
    for (const removed_device& one : devices) {
        ask.add(
            "XADD", keys_.control_changes(), "MAXLEN", "~", changes_kept, "*", "removed",
            to_string(one.which), "token", one.token);
    }
    co_return co_await redis::carry_out(redis_, std::move(ask));
}

asio::awaitable<result<>> control_board::forget_cancelled(std::string event) {
    return redis::carry_out(redis_, redis::request("SREM", keys_.cancelling(), event));
}

}  // namespace tocsin
