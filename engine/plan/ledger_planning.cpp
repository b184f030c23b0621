#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_numbers.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/plan/shard_entry.hpp"
#include "engine/redis/check.hpp"

#include <utility>

// How an event begins: its shards and its ledger are made, and it stands on the list of those that run or
// wait.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using ledger_numbers::to_ms;

// Orders by urgency first and age second, in the 53 bits that a score keeps exactly.
std::string running_score(priority urgency, wall_time at) {
    return std::to_string(static_cast<std::int64_t>(urgency) * 10'000'000'000'000 + to_ms(at));
}

/// Of a sorted set of events by their moments: those whose moment is not after `then`, the first in front.
asio::awaitable<result<std::vector<std::string>>> up_to(
    redis::client& in, std::string key, wall_time then, std::size_t at_most) {
    redis::request ask("ZRANGEBYSCORE", key, "-inf", to_ms(then), "LIMIT", 0, at_most);
    const auto answer = co_await redis::execute_checked(in, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().texts();
}

}  // namespace

asio::awaitable<result<plan_outcome>> ledger::plan(const event_plan& what, event_state state) {
    std::vector<std::string> keys{
        keys_.ledger(what.event), keys_.called_off(what.event), keys_.opened(what.event),
        keys_.settled(what.event), keys_.dead(what.event)};
    std::vector<std::string> arguments{std::string(keys_.group), what.entry, std::string(to_string(state))};
    arguments.push_back(std::to_string(what.fields.size() + 1));
    for (const auto& [name, value] : what.fields) {
        arguments.push_back(name);
        arguments.push_back(value);
    }
    arguments.emplace_back("pages");
    arguments.push_back(std::to_string(what.pages));
    for (const auto& one : what.targets) {
        const std::string name = to_string(one.which);
        keys.push_back(keys_.shards(what.event, name));
        keys.push_back(keys_.parked(what.event, name));
        keys.push_back(keys_.waiting(what.event, name));
        arguments.push_back(std::to_string(one.shards.size()));
        for (const shard& piece : one.shards) {
            auto [kind, bytes] = written(piece);
            arguments.emplace_back(kind);
            arguments.push_back(std::to_string(piece.first_page));
            arguments.push_back(std::move(bytes));
            const wall_time due = what.when.due(piece.first_page);
            arguments.push_back(due == wall_time{} ? std::string() : std::to_string(to_ms(due)));
        }
    }
    redis::request ask;
    if (what.begun_at) {
        ask.add("ZADD", keys_.begun(), to_ms(*what.begun_at), what.event);
    }
    ask.add_script(ledger_scripts::plan, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const std::string_view word = (*answer)[what.begun_at ? 1 : 0].text();
    if (word == "damaged" || word == "called_off") {
        co_return word == "damaged" ? plan_outcome::damaged : plan_outcome::called_off;
    }
    co_return word == "created" ? plan_outcome::created
                                : (word == "exists" ? plan_outcome::exists : plan_outcome::duplicate);
}

asio::awaitable<result<>> ledger::move(
    std::string event, std::string into, std::string score, std::string out_of, std::string entry) {
    redis::request join("ZADD", into, score, event);
    const auto joined = co_await redis::execute_checked(redis_, std::move(join));
    if (joined.has_error()) {
        co_return joined.error();
    }
    // Only now: whoever dies before this is followed by somebody who reads the entry again.
    redis::request leave;
    if (!out_of.empty()) {
        leave.add("ZREM", out_of, event);
    }
    if (!entry.empty()) {
        leave.add("ZREM", keys_.begun(), event);
        leave.add("XACK", keys_.events(), keys_.group, entry);
    }
    co_return co_await redis::carry_out(redis_, std::move(leave));
}

asio::awaitable<result<>> ledger::activate(
    std::string event, std::string entry, priority urgency, wall_time at) {
    return move(
        std::move(event), keys_.running(), running_score(urgency, at), keys_.scheduled(), std::move(entry));
}

asio::awaitable<result<>> ledger::schedule(std::string event, std::string entry, wall_time due) {
    // Out of nothing: if it is among the running ones by now, it was cancelled meanwhile, and has to be
    // ended.
    return move(std::move(event), keys_.scheduled(), std::to_string(to_ms(due)), {}, std::move(entry));
}

asio::awaitable<result<>> ledger::activate_scheduled(std::string event, priority urgency, wall_time at) {
    return activate(std::move(event), "", urgency, at);
}

asio::awaitable<result<std::vector<std::string>>> ledger::due_events(wall_time now, std::size_t at_most) {
    return up_to(redis_, keys_.scheduled(), now, at_most);
}

asio::awaitable<result<std::vector<std::string>>> ledger::begun_before(wall_time then, std::size_t at_most) {
    return up_to(redis_, keys_.begun(), then, at_most);
}

asio::awaitable<result<>> ledger::resume(std::string event, wall_time now) {
    return move(std::move(event), keys_.scheduled(), std::to_string(to_ms(now)), keys_.begun(), {});
}

asio::awaitable<result<>> ledger::postpone(std::string event, wall_time until) {
    return redis::carry_out(redis_, redis::request("ZADD", keys_.scheduled(), "XX", to_ms(until), event));
}

asio::awaitable<result<>> ledger::acknowledge(std::string stream, std::string entry) {
    return redis::carry_out(redis_, redis::request("XACK", stream, keys_.group, entry));
}

}  // namespace tocsin
