#include "engine/audience/removal_traces.hpp"

#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/core/varint.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

constexpr std::size_t entries_of_page = 500;
constexpr auto longest_kept = std::chrono::hours(24 * 90);

// Some hundreds at a time, so that nobody waits for it. With commands that every engine has had the right to
// use.
//
// KEYS: removed, unregistered    ARGV: how long (ms) they are kept, how many at most, when their removal
// began (ms), a
//                                device, …
// Returns 1 if there may be more that is too old.
const redis::script keep_script("removal_traces.keep", R"lua(
local now = redis.call('TIME')
local oldest = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[1])
for i = 4, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'devices', ARGV[i], 'begun', ARGV[3])
end
if #ARGV > 3 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. oldest)
local old = redis.call('XRANGE', KEYS[1], '-', '(' .. oldest .. '-0', 'COUNT', 500)
for _, entry in ipairs(old) do redis.call('XDEL', KEYS[1], entry[1]) end
return #old == 500 and 1 or 0
)lua");

// An empty stream is there, too.
//
// KEYS: removed, unregistered    ARGV: how long (ms) they are kept
const redis::script expect_script("removal_traces.expect", R"lua(
redis.call('XLEN', KEYS[1])  -- Not where something else stands.
redis.call('ZCARD', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XDEL', KEYS[1], redis.call('XADD', KEYS[1], '*', 'devices', ''))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local now = redis.call('TIME')
return now[1] * 1000 + math.floor(now[2] / 1000)
)lua");

// Nothing is written down of who could not be brought back anyway, and nothing for longer than the most that
// engine.removed_kept may be.
//
// What is not ours does not keep an app from taking its devices out: where `held` stands something else,
// nobody is held, and where `unregistered` does, nobody is brought back.
//
// KEYS: removed, unregistered, held    ARGV: how long (ms) to remember at most, token hash, …
const redis::script forget_script("removal_traces.forget", R"lua(
local function is_ours(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end
if is_ours(KEYS[3], 'hash') then
  for a = 2, #ARGV do redis.call('HDEL', KEYS[3], ARGV[a]) end
end
if redis.call('EXISTS', KEYS[1]) == 0 or not is_ours(KEYS[2], 'zset') then return 0 end
local now = redis.call('TIME')
local at = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
for a = 2, #ARGV do redis.call('ZADD', KEYS[2], at, ARGV[a]) end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
)lua");

void append_trace(std::string& into, const removal_trace& which) {
    append_counted(into, which.token);
    append_counted(into, which.entry);
    append_counted(into, encode_follows(which.follow));
}

/// The next of an entry's devices; empty at the end, or where it makes no sense.
std::optional<removal_trace> take_trace(std::string_view& from) {
    const auto token = take_counted(from);
    const auto entry = token ? take_counted(from) : std::nullopt;
    const auto follows = entry ? take_counted(from) : std::nullopt;
    auto follow = follows ? decode_follows(*follows) : std::nullopt;
    if (!follow) {
        return std::nullopt;
    }
    return removal_trace{std::string(*token), std::string(*entry), std::move(*follow)};
}

std::string id_of(wall_time at) {
    return std::to_string(at.time_since_epoch().count());
}

std::optional<wall_time> time_in(std::optional<std::string_view> text) {
    std::int64_t ms = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), ms).ec != std::errc()) {
        return std::nullopt;
    }
    return wall_time(std::chrono::milliseconds(ms));
}

}  // namespace

void removal_traces::expect(
    redis::request& into, std::string_view app, platform on, std::chrono::milliseconds kept_for) const {
    const std::vector<std::string> keys{keys_.removed_devices(app, on), keys_.unregistered(app, on)};
    const std::vector<std::string> arguments{std::to_string(kept_for.count())};
    into.add_script(expect_script, keys, arguments);
}

void removal_traces::keep(
    redis::request& into, std::string_view app, platform on, const std::vector<removal_trace>& gone,
    std::chrono::milliseconds kept_for, wall_time begun) const {
    if (gone.empty() || kept_for.count() == 0) {
        return;
    }
    const std::vector<std::string> keys{keys_.removed_devices(app, on), keys_.unregistered(app, on)};
    std::vector<std::string> arguments{
        std::to_string(kept_for.count()), std::to_string(most_devices), id_of(begun)};
    for (const removal_trace& one : gone) {
        append_trace(arguments.emplace_back(), one);
    }
    into.add_script(keep_script, keys, arguments);
}

void removal_traces::forget(
    redis::request& into, std::string_view app, platform on, const std::vector<std::string>& tokens) const {
    const std::vector<std::string> keys{
        keys_.removed_devices(app, on), keys_.unregistered(app, on), keys_.held_devices(app, on)};
    std::vector<std::string> arguments{std::to_string(longest_kept / std::chrono::milliseconds(1))};
    for (const std::string& token : tokens) {
        arguments.emplace_back(hash_token(token).view());
    }
    into.add_script(forget_script, keys, arguments);
}

asio::awaitable<result<>> removal_traces::trim(
    std::string app, platform on, std::chrono::milliseconds kept_for) {
    const std::vector<std::string> keys{keys_.removed_devices(app, on), keys_.unregistered(app, on)};
    const std::vector<std::string> arguments{
        std::to_string(kept_for.count()), std::to_string(most_devices), std::string()};
    for (bool more = true; more;) {
        redis::request ask(keep_script, keys, arguments);
        const auto checked = co_await redis::execute_checked(redis_, std::move(ask));
        if (checked.has_error()) {
            co_return checked.error();
        }
        more = checked->front().integer() == 1;
    }
    co_return result<>();
}

asio::awaitable<result<removal_traces::page>> removal_traces::read(
    std::string app, platform on, wall_time since, std::string from) {
    redis::request ask(
        "XREVRANGE", keys_.removed_devices(app, on), from.empty() ? std::string("+") : "(" + from,
        id_of(since), "COUNT", entries_of_page);
    const auto read = co_await redis::execute_checked(redis_, std::move(ask));
    if (read.has_error()) {
        co_return read.error();
    }
    const auto entries = redis::parse_entries(read->front());
    if (entries.has_error()) {
        co_return entries.error();
    }
    page out;
    for (const redis::stream_entry& one : *entries) {
        const auto id = redis::parse_entry_id(one.id);
        const wall_time at(std::chrono::milliseconds(id ? static_cast<std::int64_t>(id->ms) : 0));
        const wall_time begun = time_in(one.field("begun")).value_or(at);  // Of before: none.
        std::string_view rest = one.field("devices").value_or(std::string_view());
        while (auto which = take_trace(rest)) {
            out.removals.push_back({begun, std::move(*which)});
        }
        out.next = one.id;
    }
    if (entries->size() < entries_of_page) {
        out.next.clear();
    }
    co_return out;
}

asio::awaitable<result<std::map<std::string, wall_time>>> removal_traces::unregistered(
    std::string app, platform on, wall_time since) {
    redis::request ask("ZRANGEBYSCORE", keys_.unregistered(app, on), id_of(since), "+inf", "WITHSCORES");
    const auto read = co_await redis::execute_checked(redis_, std::move(ask));
    if (read.has_error()) {
        co_return read.error();
    }
    std::map<std::string, wall_time> out;
    const redis::reply members = read->front();
    for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
        out.emplace(
            members[i].text(), wall_time(std::chrono::milliseconds(members[i + 1].integer().value_or(0))));
    }
    co_return out;
}

}  // namespace tocsin
