#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_numbers.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/plan/shard_entry.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <utility>

// Who works on what: shards are claimed, kept, given back and done with.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using ledger_numbers::to_ms;
using ledger_numbers::to_number;
using redis::redis_errc;

// Each stands for some tens of devices.
constexpr std::size_t late_names_per_page = 16;

}  // namespace

void ask_to_open(redis::request& into, const keyspace& keys, std::string_view event, std::uint32_t page) {
    const std::vector<std::string> where{keys.ledger(event), keys.opened(event), keys.settled(event)};
    const std::vector<std::string> which{std::to_string(page)};
    into.add_script(ledger_scripts::open, where, which);
}

page_state read_opening(const redis::reply& answer) noexcept {
    return answer.size() == 2 && answer[1].integer() == 1 ? page_state::settled : page_state::opened;
}

asio::awaitable<result<claim_answer>> ledger::claim(
    std::string event, target which, claim_terms how, wall_time now) {
    const std::string name = to_string(which);
    const std::vector<std::string> keys{
        keys_.ledger(event), keys_.shards(event, name), keys_.parked(event, name),
        keys_.waiting(event, name)};
    const std::vector<std::string> arguments{
        std::string(keys_.group),
        consumer_,
        std::to_string(to_ms(now)),
        std::to_string(how.lease.count()),
        std::to_string(how.limit),
        how.own ? "1" : "0",
        std::to_string(devices_per_page),
        std::to_string(how.most_takeovers),
        std::to_string(to_ms(now + how.ahead)),
        std::to_string(how.engines),
        std::to_string(late_score({})),
        std::to_string(late_names_per_page)};
    redis::request ask(ledger_scripts::claim, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply parts = answer->front();
    if (parts.size() != 9) {
        co_return redis_errc::unexpected_reply;
    }
    claim_answer out;
    out.damaged = parts[7].text();
    if (const std::string_view until = parts[8].text(); !until.empty()) {
        out.rests_until = wall_time(std::chrono::milliseconds(to_number(until)));
    }
    const std::uint64_t free_page = to_number(parts[6].text());
    out.left_to_others = static_cast<std::uint64_t>(parts[5].integer().value_or(0));
    out.poison = parts[4].texts();
    out.state = parse_event_state(parts[0].text());
    out.open = to_number(parts[1].text());
    out.parked = to_number(parts[2].text());
    const redis::reply entries = parts[3];
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const redis::reply entry = entries[i];
        if (entry.size() != 2) {
            co_return redis_errc::unexpected_reply;
        }
        auto work = parse_shard(entry[1]);
        if (work && std::uint64_t{work->first_page} + page_count(*work) <= free_page) {
            out.shards.push_back({std::string(entry[0].text()), std::move(*work)});
        } else {
            out.unreadable.emplace_back(entry[0].text());
        }
    }
    co_return out;
}

asio::awaitable<result<>> ledger::renew(std::string event, target which, std::vector<std::string> entries) {
    if (entries.empty()) {
        co_return result<>();
    }
    redis::request ask;
    ask.begin(6 + entries.size());
    ask.append("XCLAIM").append(keys_.shards(event, to_string(which))).append(keys_.group).append(consumer_);
    ask.append("0");
    for (const std::string& entry : entries) {
        ask.append(entry);
    }
    ask.append("JUSTID");
    // That the stream is gone is no failure: the others have ended the event.
    const auto answer = co_await redis_.execute(std::move(ask));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

asio::awaitable<result<>> ledger::release(std::string event, target which, std::string entry) {
    const std::vector<std::string> keys{keys_.shards(event, to_string(which))};
    const std::vector<std::string> arguments{std::string(keys_.group), consumer_, std::move(entry)};
    return redis::carry_out(redis_, redis::request(ledger_scripts::release, keys, arguments));
}

asio::awaitable<result<>> ledger::put_aside(std::string event, target which, std::string entry) {
    const std::vector<std::string> keys{keys_.ledger(event), keys_.shards(event, to_string(which))};
    const std::vector<std::string> arguments{std::string(keys_.group), std::move(entry)};
    return redis::carry_out(redis_, redis::request(ledger_scripts::put_aside, keys, arguments));
}

asio::awaitable<result<remaining_work>> ledger::leave(
    std::string event, target which, std::string entry, std::uint32_t first_page, std::uint32_t pages) {
    const std::vector<std::string> keys{
        keys_.ledger(event), keys_.shards(event, to_string(which)), keys_.settled(event)};
    const std::vector<std::string> arguments{
        std::string(keys_.group), consumer_, std::move(entry), std::to_string(first_page),
        std::to_string(pages)};
    redis::request ask(ledger_scripts::leave, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().integer() == 1 ? remaining_work::none : remaining_work::some;
}

}  // namespace tocsin
