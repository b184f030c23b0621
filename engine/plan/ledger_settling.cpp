#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_numbers.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <utility>

// What came of a page: its sums, its retries, its dead devices.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using ledger_numbers::to_ms;
using redis::redis_errc;

// A score that no time of the day reaches.
constexpr std::int64_t late_base = 100'000'000'000'000;

/// What a page adds to its event, for the scripts that do so.
void append_sums(std::vector<std::string>& into, page_settlement& what) {
    into.push_back(std::to_string(what.increments.size()));
    for (const auto& [field, amount] : what.increments) {
        into.push_back(field);
        into.push_back(std::to_string(amount));
    }
    into.push_back(std::to_string(what.parked.size()));
    for (auto& [due, member] : what.parked) {
        into.push_back(std::to_string(due));
        into.push_back(std::move(member));
    }
    into.push_back(std::to_string(what.dead.size()));
    for (auto& [member, reason] : what.dead) {
        into.push_back(std::move(member));
        into.push_back(std::move(reason));
    }
}

result<settle_answer> read_settled(const redis::reply& parts) {
    if (parts.size() < 3) {
        return redis_errc::unexpected_reply;
    }
    settle_answer out;
    out.repeated = parts[0].integer() == 1;
    out.drained = parts[1].integer() == 1;
    out.state = parse_event_state(parts[2].text());
    out.shard_done = parts.size() > 3 && parts[3].integer() == 1;
    return out;
}

}  // namespace

std::int64_t late_score(wall_time due) noexcept {
    return late_base + to_ms(due);
}

asio::awaitable<result<settle_answer>> ledger::settle(page_settlement what) {
    const std::string name = to_string(what.which);
    const std::vector<std::string> keys{keys_.ledger(what.event),       keys_.settled(what.event),
                                        keys_.dead(what.event),         keys_.shards(what.event, name),
                                        keys_.parked(what.event, name), keys_.opened(what.event),
                                        keys_.reached(what.event, name)};
    std::vector<std::string> arguments{std::string(keys_.group),        consumer_,
                                       std::to_string(what.page),       what.shard_entry,
                                       std::to_string(what.first_page), std::to_string(what.shard_pages),
                                       std::to_string(what.devices)};
    append_sums(arguments, what);
    arguments.push_back(std::move(what.reached));
    arguments.push_back(std::move(what.others));
    arguments.push_back(std::to_string(what.remember_for.count()));
    redis::request ask(ledger_scripts::settle, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return read_settled(answer->front());
}

asio::awaitable<result<settle_answer>> ledger::amend(page_settlement what) {
    const std::vector<std::string> keys{
        keys_.ledger(what.event), keys_.dead(what.event), keys_.parked(what.event, to_string(what.which))};
    std::vector<std::string> arguments{std::move(what.late)};
    append_sums(arguments, what);
    redis::request ask(ledger_scripts::amend, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return read_settled(answer->front());
}

asio::awaitable<result<>> ledger::renew_late(
    std::string event, target which, std::vector<std::string> late, wall_time due) {
    const std::string score = std::to_string(late_score(due));
    redis::request ask;
    ask.begin(3 + 2 * late.size());
    ask.append("ZADD").append(keys_.parked(event, to_string(which))).append("XX");
    for (const std::string& name : late) {
        ask.append(score).append(name);
    }
    // That the set is gone is no failure: the others have ended the event.
    const auto answer = co_await redis_.execute(std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<std::vector<std::pair<std::string, std::string>>>> ledger::dead(std::string event) {
    redis::request ask("HGETALL", keys_.dead(event));
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    std::vector<std::pair<std::string, std::string>> out;
    const redis::reply fields = answer->front();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        out.emplace_back(fields[i].text(), fields[i + 1].text());
    }
    co_return out;
}

}  // namespace tocsin
