#include "engine/delivery/removal_book.hpp"

#include "engine/core/digest.hpp"
#include "engine/core/varint.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto believed_for = 24h;
constexpr std::size_t held_at_once = 500;

// KEYS: answers, held    ARGV: why, now (ms), how many may be held, token hash, device, …
// Returns 1 if nobody was asked before, 0 if somebody was, 2 if the provider is believed.
const redis::script hold_script("removals.hold", R"lua(
local believed = redis.call('HGET', KEYS[1], 'believed')
if believed and tonumber(believed) > tonumber(ARGV[2]) then return 2 end
local first = redis.call('HSETNX', KEYS[1], 'held', ARGV[1])
local room, left = ARGV[3] - redis.call('HLEN', KEYS[2]), 0
for a = 4, #ARGV, 2 do
  if room > 0 or redis.call('HEXISTS', KEYS[2], ARGV[a]) == 1 then
    room = room - redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1])
  else
    left = left + 1
  end
end
if left > 0 then redis.call('HINCRBY', KEYS[1], 'unlisted', left) end
return first
)lua");

// KEYS: answers    ARGV: until when (ms) the provider is believed
const redis::script believe_script("removals.believe", R"lua(
redis.call('HDEL', KEYS[1], 'held', 'unlisted')
redis.call('HSET', KEYS[1], 'believed', ARGV[1])
return 1
)lua");

// KEYS: answers    ARGV: this day
const redis::script keep_script("removals.keep", R"lua(
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.match(all[i], '^s') or all[i] == 'd' .. ARGV[1] then redis.call('HDEL', KEYS[1], all[i]) end
end
redis.call('HDEL', KEYS[1], 'held', 'unlisted', 'believed')
return 1
)lua");

std::int64_t day_of(wall_time now) {
    return now.time_since_epoch() / 24h;
}

std::string encode_held(const held_device& which) {
    std::string out;
    append_counted(out, which.token);
    append_counted(out, which.reason);
    append_counted(out, which.event);
    out += which.entry;
    return out;
}

std::optional<held_device> decode_held(std::string_view bytes) {
    const auto token = take_counted(bytes);
    const auto reason = token ? take_counted(bytes) : std::nullopt;
    const auto event = reason ? take_counted(bytes) : std::nullopt;
    if (!event) {
        return std::nullopt;
    }
    return held_device{std::string(*token), std::string(bytes), std::string(*reason), std::string(*event)};
}

asio::awaitable<result<redis::replies>> run(redis::client& redis, redis::request what) {
    auto answer = co_await redis.execute(std::move(what));
    co_return redis::checked(std::move(answer));
}

asio::awaitable<result<>> finish(redis::client& redis, redis::request what) {
    const auto done = co_await run(redis, std::move(what));
    co_return done.has_error() ? result<>(done.error()) : result<>();
}

std::uint64_t to_count(const redis::reply& value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.integer().value_or(0)));
}

}  // namespace

asio::awaitable<result<removal_book::hold_outcome>> removal_book::hold(
    target which, removal_hold why, std::vector<held_device> devices) {
    const std::string record = encode_hold(why);
    const std::vector<std::string> keys{
        keys_.answers(which.app, which.on), keys_.held_devices(which.app, which.on)};
    std::vector<std::string> arguments{
        record, std::to_string(time_.wall_now().time_since_epoch().count()), std::to_string(most_held)};
    for (const held_device& one : devices) {
        arguments.emplace_back(hash_token(one.token).view());
        arguments.push_back(encode_held(one));
    }
    redis::request ask;
    ask.add_script(hold_script, keys, arguments);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const std::int64_t word = answer->front().integer().value_or(0);
    if (word == 2) {
        co_return hold_outcome::believed;
    }
    // Whoever dies before this has not taken the devices off their event's list: they come here again.
    redis::request list;
    list.add("HSETNX", keys_.removals_held(), to_string(which), record);
    const auto listed = co_await run(redis_, std::move(list));
    if (listed.has_error()) {
        co_return listed.error();
    }
    co_return listed->front().integer() == 1 ? hold_outcome::begun : hold_outcome::added;
}

asio::awaitable<result<std::vector<removal_book::open_question>>> removal_book::questions() {
    redis::request ask;
    ask.add("HGETALL", keys_.removals_held());
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    std::vector<open_question> out;
    redis::request count;
    const redis::reply fields = answer->front();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        auto which = parse_target(fields[i].text());
        auto why = decode_hold(fields[i + 1].text());
        if (which && why) {
            count.add("HLEN", keys_.held_devices(which->app, which->on));
            count.add("HGET", keys_.answers(which->app, which->on), "unlisted");
            out.push_back({std::move(*which), std::move(*why)});
        }
    }
    if (out.empty()) {
        co_return out;
    }
    const auto counts = co_await run(redis_, std::move(count));
    if (counts.has_error()) {
        co_return counts.error();
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].devices = to_count((*counts)[2 * i]);
        out[i].unlisted = to_count((*counts)[2 * i + 1]);
    }
    co_return out;
}

asio::awaitable<result<std::uint64_t>> removal_book::keep(target which) {
    const std::vector<std::string> keys{keys_.answers(which.app, which.on)};
    const std::vector<std::string> arguments{std::to_string(day_of(time_.wall_now()))};
    redis::request ask;
    ask.add_script(keep_script, keys, arguments);
    const auto kept = co_await finish(redis_, std::move(ask));
    if (kept.has_error()) {
        co_return kept.error();
    }
    std::uint64_t out = 0;
    std::string cursor;
    while (cursor != "0") {
        const auto some = co_await some_held(which, cursor);
        if (some.has_error()) {
            co_return some.error();
        }
        cursor = some->next;
        std::vector<std::string> tokens;
        for (const held_device& one : some->devices) {
            tokens.push_back(one.token);
        }
        out += tokens.size();
        const auto struck = co_await strike(which, std::move(tokens));
        if (struck.has_error()) {
            co_return struck.error();
        }
    }
    const auto closed = co_await close(std::move(which));
    co_return closed.has_error() ? result<std::uint64_t>(closed.error()) : out;
}

asio::awaitable<result<>> removal_book::believe(target which) {
    const std::vector<std::string> keys{keys_.answers(which.app, which.on)};
    const wall_time until = time_.wall_now() + believed_for;
    const std::vector<std::string> arguments{std::to_string(until.time_since_epoch().count())};
    redis::request ask;
    ask.add_script(believe_script, keys, arguments);
    return finish(redis_, std::move(ask));
}

asio::awaitable<result<removal_book::held_page>> removal_book::some_held(target which, std::string cursor) {
    const std::string key = keys_.held_devices(which.app, which.on);
    redis::request ask;
    ask.add("HSCAN", key, cursor.empty() ? std::string("0") : cursor, "COUNT", held_at_once);
    const auto answer = co_await run(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply parts = answer->front();
    if (parts.size() != 2) {
        co_return redis::redis_errc::unexpected_reply;
    }
    held_page out;
    out.next = parts[0].text();
    redis::request unreadable;
    const redis::reply fields = parts[1];
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (auto one = decode_held(fields[i + 1].text())) {
            out.devices.push_back(std::move(*one));
        } else {
            unreadable.add("HDEL", key, fields[i].text());
        }
    }
    if (!unreadable.empty()) {
        const auto gone = co_await finish(redis_, std::move(unreadable));
        if (gone.has_error()) {
            co_return gone.error();
        }
    }
    co_return out;
}

asio::awaitable<result<>> removal_book::strike(target which, std::vector<std::string> tokens) {
    if (tokens.empty()) {
        co_return result<>();
    }
    redis::request ask;
    ask.begin(2 + tokens.size()).append("HDEL").append(keys_.held_devices(which.app, which.on));
    for (const std::string& token : tokens) {
        ask.append(hash_token(token).view());
    }
    co_return co_await finish(redis_, std::move(ask));
}

asio::awaitable<result<>> removal_book::close(target which) {
    redis::request off;
    const std::string name = to_string(which);
    off.add("HGET", keys_.removals_held(), name).add("HDEL", keys_.removals_held(), name);
    const auto before = co_await run(redis_, std::move(off));
    if (before.has_error()) {
        co_return before.error();
    }
    redis::request look;
    look.add("HLEN", keys_.held_devices(which.app, which.on));
    const auto left = co_await run(redis_, std::move(look));
    if (left.has_error()) {
        co_return left.error();
    }
    if (to_count(left->front()) == 0 || before->front().is_nil()) {
        co_return result<>();
    }
    // An engine has added some at that moment: they must not wait where nobody sees them.
    redis::request on_again;
    on_again.add("HSETNX", keys_.removals_held(), name, before->front().text());
    co_return co_await finish(redis_, std::move(on_again));
}

}  // namespace tocsin
