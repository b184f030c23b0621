#include "engine/delivery/removal_book.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/error_replies.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

// What providers have said about an app's devices lately: what is usual, and what small events show together.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// What is usual is what was so in these days, and small events are looked at together for these hours.
constexpr std::int64_t days_known = 30;
constexpr std::int64_t hours_together = 2;

// What a small event has shown counts from the moment at which it is judged, once: its ledger says what of it
// was counted. One that has grown large takes it back. Nothing is written of an event that Redis has
// forgotten.
//
// KEYS: ledger    ARGV: its fields of the accepted, the dead, those that wait and what was counted, from how
// many
//                       answers on it is large
// Returns accepted, dead, waiting, what is to be counted of the accepted and of the dead, 1 if the event is
// known.
const redis::script sums_script("removals.sums", R"lua(
local had = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'state')
local function number(text) return tonumber(text or '') or 0 end
local accepted, dead, waiting = number(had[1]), number(had[2]), number(had[3])
if not had[5] then return {accepted, dead, waiting, 0, 0, 0} end
local of_accepted, of_dead = string.match(had[4] or '', '^(%d+):(%d+)$')
of_accepted, of_dead = number(of_accepted), number(of_dead)
local small = accepted + dead < tonumber(ARGV[5])
local now_accepted, now_dead = small and accepted or 0, small and dead or 0
if now_accepted ~= of_accepted or now_dead ~= of_dead then
  redis.call('HSET', KEYS[1], ARGV[4], now_accepted .. ':' .. now_dead)
end
return {accepted, dead, waiting, now_accepted - of_accepted, now_dead - of_dead, 1}
)lua");

// While a question is open, nothing is learnt: it may be a fault that it is about.
//
// KEYS: answers    ARGV: accepted, dead, day, hour, oldest day, oldest hour, small events' accepted, and dead
// Returns all that is known.
const redis::script count_script("removals.count", R"lua(
if redis.call('HEXISTS', KEYS[1], 'held') == 1 then return redis.call('HGETALL', KEYS[1]) end
local function count(field, amount)
  if amount > 0 then redis.call('HINCRBY', KEYS[1], field, amount) end
end
count('a' .. ARGV[3], tonumber(ARGV[1]))
count('d' .. ARGV[3], tonumber(ARGV[2]))
local function count_small(field, amount)
  count(field .. ARGV[4], amount)
  local hour = tonumber(ARGV[4])
  while amount < 0 and hour >= tonumber(ARGV[6]) do
    local part = math.min(-amount, tonumber(redis.call('HGET', KEYS[1], field .. hour) or '') or 0)
    if part > 0 then redis.call('HINCRBY', KEYS[1], field .. hour, -part) end
    amount, hour = amount + part, hour - 1
  end
end
count_small('sa', tonumber(ARGV[7]))
count_small('sd', tonumber(ARGV[8]))
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local field = all[i]
  local kind, at = string.match(field, '^(s?)[ad](%d+)$')
  if at and tonumber(at) < tonumber(kind == 's' and ARGV[6] or ARGV[5]) then redis.call('HDEL', KEYS[1], field) end
end
return redis.call('HGETALL', KEYS[1])
)lua");

std::int64_t day_of(wall_time now) {
    return now.time_since_epoch() / 24h;
}

std::int64_t hour_of(wall_time now) {
    return now.time_since_epoch() / 1h;
}

std::uint64_t to_count(const redis::reply& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.integer().value_or(0)));
}

/// Sums up one field of the answers into what is known.
void count_field(removal_facts& into, std::string_view field, std::uint64_t amount, wall_time now) {
    const bool small = field.starts_with('s');
    field.remove_prefix(small ? 1 : 0);
    if (field.size() < 2 || (field[0] != 'a' && field[0] != 'd')) {
        return;
    }
    std::int64_t at = 0;
    const auto [end, ec] = std::from_chars(field.data() + 1, field.data() + field.size(), at);
    if (ec != std::errc() || end != field.data() + field.size()) {
        return;
    }
    const bool old = small ? at <= hour_of(now) - hours_together : at <= day_of(now) - days_known;
    answer_counts& counts = small ? into.small : into.usual;
    (field[0] == 'a' ? counts.accepted : counts.dead) += old ? 0 : amount;
}

void read_answers(removal_facts& into, const redis::reply& fields, wall_time now) {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        const std::string_view name = fields[i].text();
        if (name == "held") {
            into.held = true;
        } else if (name == "believed") {
            into.believed = fields[i + 1].integer().value_or(0) > now.time_since_epoch().count();
        } else {
            count_field(into, name, to_count(fields[i + 1]), now);
        }
    }
}

/// What is to be counted of an event among the small ones: less than nothing once it has grown large.
struct small_change {
    std::int64_t accepted = 0;
    std::int64_t dead = 0;
};

void ask_for_sums(
    redis::request& into, const keyspace& keys, const std::string& event, const target& which,
    std::uint64_t floor) {
    const std::vector<std::string> names{keys.ledger(event)};
    const std::vector<std::string> arguments{
        ledger_names::outcome_field(which, outcome::accepted),
        ledger_names::outcome_field(which, outcome::dead), std::string(ledger_names::removals_waited),
        std::string(ledger_names::removals_counted) + to_string(which), std::to_string(floor)};
    into.add_script(sums_script, names, arguments);
}

void ask_to_count(
    redis::request& into, std::string answers, answer_counts of_day, small_change of_hour, wall_time now) {
    const std::vector<std::string> names{std::move(answers)};
    const std::vector<std::string> arguments{
        std::to_string(of_day.accepted),
        std::to_string(of_day.dead),
        std::to_string(day_of(now)),
        std::to_string(hour_of(now)),
        std::to_string(day_of(now) - days_known + 1),
        std::to_string(hour_of(now) - hours_together + 1),
        std::to_string(of_hour.accepted),
        std::to_string(of_hour.dead)};
    into.add_script(count_script, names, arguments);
}

}  // namespace

asio::awaitable<result<removal_facts>> removal_book::facts(
    std::string event, target which, std::uint64_t floor) {
    const std::string answers = keys_.answers(which.app, which.on);
    redis::request ask;
    ask_for_sums(ask, keys_, event, which, floor);
    ask.add("HGETALL", answers);
    const auto known = co_await redis_.execute(std::move(ask));
    if (known.has_error()) {
        co_return known.error();
    }
    if (const auto refused = known->first_error(1)) {
        co_return redis::code_for(*refused);  // Of the event's own ledger.
    }
    removal_facts out;
    if (const auto refused = known->first_error()) {
        const redis::redis_errc why = redis::code_for(*refused);
        out.readable = false;
        co_return why == redis::redis_errc::damaged ? result<removal_facts>(out) : why;
    }
    const wall_time now = time_.wall_now();
    const redis::reply sums = (*known)[0];
    small_change change;
    if (sums.size() == 6) {
        out.event = {to_count(sums[0]), to_count(sums[1])};
        out.waiting = to_count(sums[2]);
        change = {sums[3].integer().value_or(0), sums[4].integer().value_or(0)};
    }
    if (change.accepted == 0 && change.dead == 0) {
        read_answers(out, (*known)[1], now);
    } else {
        redis::request count;
        ask_to_count(count, answers, answer_counts(), change, now);
        const auto counted = co_await redis::execute_checked(redis_, std::move(count));
        if (counted.has_error()) {
            co_return counted.error();
        }
        read_answers(out, counted->front(), now);
    }
    if (out.event.answers() < floor) {
        out.small.accepted -= std::min(out.small.accepted, out.event.accepted);
        out.small.dead -= std::min(out.small.dead, out.event.dead);
    }
    co_return out;
}

asio::awaitable<result<>> removal_book::learn(
    std::string event, target which, answer_counts of_event, std::uint64_t floor) {
    redis::request ask;
    ask_for_sums(ask, keys_, event, which, floor);
    const auto known = co_await redis::execute_checked(redis_, std::move(ask));
    if (known.has_error()) {
        co_return known.error();
    }
    const redis::reply sums = known->front();
    small_change change;
    if (sums.size() == 6 && sums[5].integer() == 1) {
        change = {sums[3].integer().value_or(0), sums[4].integer().value_or(0)};
    } else if (of_event.answers() < floor) {
        change = {static_cast<std::int64_t>(of_event.accepted), static_cast<std::int64_t>(of_event.dead)};
    }
    redis::request count;
    ask_to_count(count, keys_.answers(which.app, which.on), of_event, change, time_.wall_now());
    const auto counted = co_await redis::execute_checked(redis_, std::move(count));
    co_return counted.has_error() ? result<>(counted.error()) : result<>();
}

}  // namespace tocsin
