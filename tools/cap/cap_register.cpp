#include "tools/cap/cap_register.hpp"

#include "engine/core/json_members.hpp"
#include "engine/redis/check.hpp"
#include "tools/cap/cap_event.hpp"

#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// 30 days: longer than any event may wait or live.
constexpr std::int64_t kept_seconds = 30 * 24 * 3600;

// KEYS: the message, then those that it refers to; all share a slot.
// ARGV: its collapse id if no earlier message has one, when it was sent (ms), how long to keep, prefix of
// chains.
const redis::script admit_script("cap_admit", R"(
local kept = tonumber(ARGV[3])
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'done' then return {'repeated', '', {}} end
if redis.call('HEXISTS', KEYS[1], 'replaced') == 1 then return {'late', '', {}} end
local collapse = ARGV[1]
for i = 2, #KEYS do
  local known = redis.call('HGET', KEYS[i], 'collapse')
  if known then collapse = known break end
end
local chain = ARGV[4] .. collapse
local newest = tonumber(redis.call('GET', chain) or '0')
if state ~= 'begun' and tonumber(ARGV[2]) < newest then return {'late', '', {}} end
redis.call('SET', chain, math.max(newest, tonumber(ARGV[2])), 'EX', kept)
redis.call('HSET', KEYS[1], 'state', 'begun', 'collapse', collapse)
redis.call('EXPIRE', KEYS[1], kept)
local records = {}
for i = 2, #KEYS do
  redis.call('HSET', KEYS[i], 'replaced', '1')
  redis.call('HSETNX', KEYS[i], 'collapse', collapse)
  redis.call('EXPIRE', KEYS[i], kept)
  local record = redis.call('HGET', KEYS[i], 'record')
  if record then records[#records + 1] = record end
end
return {'fresh', collapse, records}
)");

// KEYS: the message    ARGV: record, how long to keep
// Returns 0 if a message that replaces it has come since it was admitted.
const redis::script begin_script("cap_begin", R"(
if redis.call('HEXISTS', KEYS[1], 'replaced') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[1])
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[2]))
return 1
)");

bool flag_of(const json::object& from, std::string_view name) {
    const json::value* const found = from.if_contains(name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::vector<std::string> words_of(const json::array& list) {
    std::vector<std::string> out;
    for (const json::value& one : list) {
        if (one.is_string()) {
            out.emplace_back(one.get_string());
        }
    }
    return out;
}

}  // namespace

std::string cap_register::key_of(std::string_view what) const {
    return keys_.prefix() + ":{cap}:" + std::string(what);
}

asio::awaitable<result<cap_admission>> cap_register::admit(const cap_message& message) {
    std::vector<std::string> keys{key_of(cap_key(message.name))};
    for (const cap_name& one : message.references) {
        if (std::string key = key_of(cap_key(one)); key != keys.front()) {
            keys.push_back(std::move(key));
        }
    }
    const std::vector<std::string> arguments{
        cap_collapse_id(message), std::to_string(message.sent.time_since_epoch().count()),
        std::to_string(kept_seconds), key_of("chain:")};
    redis::request ask(admit_script, keys, arguments);
    const auto got = co_await redis::execute_checked(redis_, std::move(ask));
    if (got.has_error()) {
        co_return got.error();
    }
    const redis::reply answer = got->front();
    if (answer.size() != 3) {
        co_return redis::redis_errc::unexpected_reply;
    }
    cap_admission out;
    const std::string_view word = answer[0].text();
    out.what = word == "fresh"      ? cap_admission::verdict::fresh
               : word == "repeated" ? cap_admission::verdict::repeated
                                    : cap_admission::verdict::late;
    out.collapse_id = answer[1].text();
    for (std::size_t i = 0; i < answer[2].size(); ++i) {
        if (const auto fields = parse_object(answer[2][i].text())) {
            out.replaced.push_back(
                {words_of(list_at(*fields, "events")), std::string(text_at(*fields, "title")),
                 list_at(*fields, "audience"), list_at(*fields, "apps"),
                 std::string(text_at(*fields, "category")), flag_of(*fields, "ignores_quiet_hours")});
        }
    }
    co_return out;
}

asio::awaitable<result<cap_admission::verdict>> cap_register::begin(
    const cap_message& message, const cap_record& what) {
    const json::object record{
        {"events", json::array(what.events.begin(), what.events.end())},
        {"title", what.title},
        {"audience", what.audience},
        {"apps", what.apps},
        {"category", what.category},
        {"ignores_quiet_hours", what.ignores_quiet_hours}};
    const std::vector<std::string> keys{key_of(cap_key(message.name))};
    const std::vector<std::string> arguments{json::serialize(record), std::to_string(kept_seconds)};
    redis::request ask(begin_script, keys, arguments);
    const auto got = co_await redis::execute_checked(redis_, std::move(ask));
    if (got.has_error()) {
        co_return got.error();
    }
    co_return got->front().integer() == 1 ? cap_admission::verdict::fresh : cap_admission::verdict::late;
}

asio::awaitable<result<>> cap_register::done(const cap_message& message) {
    const std::string key = key_of(cap_key(message.name));
    redis::request ask;
    ask.add("HSET", key, "state", "done").add("EXPIRE", key, kept_seconds);
    co_return co_await redis::carry_out(redis_, std::move(ask));
}

}  // namespace tocsin
