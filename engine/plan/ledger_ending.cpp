#include "engine/core/json_members.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/plan/ledger_numbers.hpp"
#include "engine/plan/ledger_scripts.hpp"
#include "engine/redis/check.hpp"

#include <utility>

// How an event ends: its result is published, and its keys go.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using ledger_numbers::to_ms;

/// What a result document says of the end of its event.
struct ending {
    std::string state{to_string(event_state::finished)};
    std::optional<std::int64_t> at;
};

ending ending_in(std::string_view document) {
    const auto told = parse_object(document).value_or(boost::json::object());
    ending out;
    if (const std::string_view state = text_at(told, "state"); !state.empty()) {
        out.state = state;
    }
    out.at = integer_at(told, "finished_at");
    return out;
}

}  // namespace

std::vector<std::string> ledger::keys_of(
    std::vector<std::string> first, std::string_view event, const std::vector<target>& targets) const {
    for (const target& which : targets) {
        const std::string name = to_string(which);
        first.push_back(keys_.shards(event, name));
        first.push_back(keys_.parked(event, name));
        first.push_back(keys_.waiting(event, name));
    }
    return first;
}

asio::awaitable<result<>> ledger::audit(std::string event, std::vector<target> targets) {
    const std::vector<std::string> keys =
        keys_of({keys_.ledger(event), keys_.settled(event)}, event, targets);
    return redis::carry_out(redis_, redis::request(ledger_scripts::audit, keys, {}));
}

asio::awaitable<result<>> ledger::expect_receipts(std::string event, std::string until) {
    return redis::carry_out(redis_, redis::request("ZADD", keys_.receipts_open(), until, event));
}

asio::awaitable<result<finish_outcome>> ledger::finish(
    std::string event, std::string document, std::string revision, std::size_t max_length, wall_time now,
    std::chrono::milliseconds retention, std::vector<target> targets,
    std::optional<std::chrono::milliseconds> receipts_window) {
    const std::vector<std::string> book =
        keys_of({keys_.ledger(event), keys_.settled(event)}, event, targets);
    const std::vector<std::string> proposal{std::move(document), std::move(revision)};
    redis::request conclude(ledger_scripts::conclude, book, proposal);
    const auto concluded = co_await redis::execute_checked(redis_, std::move(conclude));
    if (concluded.has_error()) {
        co_return concluded.error();
    }
    if (concluded->front().is_nil()) {
        co_return finish_outcome::had_ended;
    }
    if (concluded->front().type() == redis::reply_type::integer) {
        co_return finish_outcome::unfinished;
    }
    std::string agreed(concluded->front().text());
    ending how = ending_in(agreed);

    const std::vector<std::string> streams{keys_.results(), keys_.published()};
    const std::vector<std::string> letter{
        event, std::move(agreed), std::to_string(max_length), std::to_string(to_ms(now)),
        std::to_string(retention.count())};
    redis::request publish(ledger_scripts::publish, streams, letter);
    const auto published = co_await redis::execute_checked(redis_, std::move(publish));
    if (published.has_error()) {
        co_return published.error();
    }

    std::string until;
    if (receipts_window) {
        until = std::to_string(how.at.value_or(to_ms(now)) + receipts_window->count());
        // Before it is closed: whoever dies in between is followed by somebody who repeats all of this.
        const auto listed = co_await expect_receipts(event, until);
        if (listed.has_error()) {
            co_return listed.error();
        }
    }
    const std::vector<std::string> keys = keys_of(
        {keys_.ledger(event), keys_.opened(event), keys_.settled(event), keys_.dead(event),
         keys_.called_off(event)},
        event, targets);
    const std::vector<std::string> ending{
        std::move(how.state), std::to_string(retention.count()), std::move(until)};
    redis::request close(ledger_scripts::close, keys, ending);
    const auto closed = co_await redis::execute_checked(redis_, std::move(close));
    if (closed.has_error()) {
        co_return closed.error();
    }
    const bool first = closed->front().integer() == 1;
    const auto forgotten = co_await forget_running(std::move(event));
    if (forgotten.has_error()) {
        co_return forgotten.error();
    }
    co_return first ? finish_outcome::published : finish_outcome::had_ended;
}

asio::awaitable<result<ledger::given_up>> ledger::give_up(
    std::string event, std::string why, std::vector<target> targets) {
    const std::vector<std::string> keys = keys_of({keys_.ledger(event)}, event, targets);
    const std::vector<std::string> arguments{
        std::move(why),
        ledger_names::outcome_field(targets.empty() ? target() : targets.front(), outcome::failed)};
    redis::request ask(ledger_scripts::give_up, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().integer() == 1 ? given_up::noted : given_up::nowhere;
}

}  // namespace tocsin
