#include "tools/tocsin/redis_examination.hpp"

#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/error_replies.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;
using severity = redis_finding::severity;

// Each command of an engine and its scripts, once: what it says of the probe's type does not matter, that its
// user may not use it does. Before its arguments are looked at, Redis looks at the rights.
constexpr auto commands = std::to_array<std::string_view>({
    "HGET K f",
    "HGETALL K",
    "HVALS K",
    "HMGET K f",
    "HSET K f 1",
    "HSETNX K f 1",
    "HDEL K f",
    "HEXISTS K f",
    "HLEN K",
    "HINCRBY K f 1",
    "HSCAN K 0",
    "DEL K",
    "GET K",
    "SET K 1",
    "GETBIT K 0",
    "SETBIT K 0 1",
    "BITFIELD K GET u8 0",
    "EXISTS K",
    "EXPIRE K 60",
    "PEXPIRE K 60000",
    "TYPE K",
    "DEL K",
    "SADD K m",
    "SISMEMBER K m",
    "SREM K m",
    "SMEMBERS K",
    "DEL K",
    "ZADD K 1 m",
    "ZREM K m",
    "ZCARD K",
    "ZRANGE K 0 -1",
    "ZRANGEBYSCORE K 0 1",
    "ZREMRANGEBYSCORE K 0 1",
    "DEL K",
    "XADD K * f v",
    "XGROUP CREATE K g 0",
    "XLEN K",
    "XRANGE K - +",
    "XREVRANGE K + -",
    "XREAD STREAMS K 0",
    "XREADGROUP GROUP g c STREAMS K >",
    "XPENDING K g",
    "XCLAIM K g c 0 0-1",
    "XAUTOCLAIM K g c 0 0",
    "XACK K g 0-1",
    "XDEL K 0-1",
    "TIME",
});

// Returns the commands that were refused, each followed by the error.
const redis::script probe_script("redis_examination.probe", R"lua(
local out = {}
for _, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do words[#words + 1] = word == 'K' and KEYS[1] or word end
  local answer = redis.pcall(unpack(words))
  if type(answer) == 'table' and answer.err then
    out[#out + 1] = words[1]
    out[#out + 1] = answer.err
  end
end
redis.pcall('DEL', KEYS[1])
return out
)lua");

struct typed_key {
    std::string key;
    std::string_view type;
};

std::vector<typed_key> fixed_keys(const keyspace& keys) {
    std::vector<typed_key> out{{keys.results(), "stream"},       {keys.feedback(), "stream"},
                               {keys.dead_letters(), "stream"},  {keys.begun(), "zset"},
                               {keys.running(), "zset"},         {keys.scheduled(), "zset"},
                               {keys.engines(), "zset"},         {keys.registrar(), "string"},
                               {keys.control(), "hash"},         {keys.control_changes(), "stream"},
                               {keys.cancelling(), "set"},       {keys.published(), "zset"},
                               {keys.reach(), "stream"},         {keys.receipts_open(), "zset"},
                               {keys.reach_published(), "zset"}, {keys.removals_held(), "hash"}};
    for (const incoming_stream& stream : incoming_streams) {
        out.push_back({stream.key_in(keys), "stream"});
    }
    return out;
}

/// The value behind "name:" in an answer to INFO.
std::string_view value_of(std::string_view info, std::string_view name) {
    for (std::size_t at = info.find(name); at != std::string_view::npos; at = info.find(name, at + 1)) {
        const bool begins = at == 0 || info[at - 1] == '\n';
        const std::size_t after = at + name.size();
        if (begins && after < info.size() && info[after] == ':') {
            return info.substr(after + 1, info.find_first_of("\r\n", after) - after - 1);
        }
    }
    return {};
}

/// "7.0.15" → 7 and 0.
std::optional<std::pair<int, int>> version_of(std::string_view text) {
    int major = 0;
    int minor = 0;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, major);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') {
        return std::nullopt;
    }
    const auto second = std::from_chars(first.ptr + 1, end, minor);
    return second.ec == std::errc() ? std::optional(std::pair(major, minor)) : std::nullopt;
}

class examination {
public:
    void look_at_info(const redis::reply& answer);
    void look_at_type(const typed_key& which, const redis::reply& answer);
    void look_at_probe(const redis::reply& answer);
    void look_at_right(std::string_view command, const redis::reply& answer, std::string_view why);

    std::vector<redis_finding> findings;

private:
    void add(severity how, std::string problem) { findings.push_back({how, std::move(problem)}); }
    void refuse(std::string_view said) {
        add(severity::failure,
            fmt::format("Redis says \"{}\": {}", said, redis::advice_for(redis::error_class(said))));
    }
};

void examination::look_at_info(const redis::reply& answer) {
    if (answer.is_error()) {
        add(severity::warning,
            fmt::format(
                "what kind of Redis it is cannot be seen (\"{}\"): allow +info to have version, memory and "
                "persistence looked at",
                answer.text()));
        return;
    }
    const std::string_view info = answer.text();
    const std::string_view version = value_of(info, "redis_version");
    if (const auto number = version_of(version); number && *number < std::pair(6, 2)) {
        add(severity::failure, fmt::format("version {} is too old: Tocsin needs 6.2 or newer", version));
    }
    if (value_of(info, "role") == "slave") {
        add(severity::failure, "it is a replica: point redis.url at the master");
    }
    const std::string_view policy = value_of(info, "maxmemory_policy");
    if (!policy.empty() && policy != "noeviction") {
        add(severity::warning,
            fmt::format(
                "maxmemory-policy is {}: when it is full it forgets devices and running events; set "
                "noeviction",
                policy));
    }
    if (value_of(info, "aof_enabled") == "0") {
        add(severity::warning,
            "appendonly is off: a restart of Redis loses what it acknowledged since its last snapshot");
    }
    if (value_of(info, "rdb_last_bgsave_status") == "err" ||
        value_of(info, "aof_last_write_status") == "err") {
        add(severity::warning, "its last snapshot or log could not be written: look at its disk and its log");
    }
}

void examination::look_at_type(const typed_key& which, const redis::reply& answer) {
    if (!answer.is_error() && answer.text() != "none" && answer.text() != which.type) {
        add(severity::failure, fmt::format(
                                   "{} holds a {}, where Tocsin keeps a {}: another program has written it; "
                                   "docs/reference/redis-keys.md says what belongs there",
                                   which.key, answer.text(), which.type));
    }
}

void examination::look_at_probe(const redis::reply& answer) {
    if (answer.is_error()) {
        refuse(answer.text());
        return;
    }
    std::string missing;
    for (std::size_t i = 0; i + 1 < answer.size(); i += 2) {
        const std::string_view said = answer[i + 1].text();
        const std::string_view kind = redis::error_class(said);
        if (kind == "NOPERM") {
            missing += fmt::format(" {}", answer[i].text());
        } else if (kind != "ERR" && kind != "WRONGTYPE" && kind != "NOGROUP") {
            refuse(said);
            return;
        }
    }
    if (!missing.empty()) {
        add(severity::failure,
            fmt::format(
                "the user of redis.url may not use{}: docs/how-to/run-in-production.md lists all rights",
                missing));
    }
}

void examination::look_at_right(std::string_view command, const redis::reply& answer, std::string_view why) {
    if (answer.is_error() && redis::error_class(answer.text()) == "NOPERM") {
        add(severity::warning, fmt::format("the user of redis.url may not use {}: {}", command, why));
    }
}

}  // namespace

asio::awaitable<result<std::vector<redis_finding>>> examine_redis(redis::client& redis, keyspace keys) {
    const std::vector<typed_key> expected = fixed_keys(keys);
    redis::request ask;
    // Without a section it is every section; some would need rights of their own.
    ask.add("INFO").add("ROLE").add("CONFIG", "GET", "hash-max-listpack-value");
    for (const typed_key& one : expected) {
        ask.add("TYPE", one.key);
    }
    const std::size_t probe = ask.count();
    const std::vector<std::string> where{keys.probe()};
    const std::vector<std::string> what(commands.begin(), commands.end());
    ask.add_script(probe_script, where, what);
    const auto answer = co_await redis.execute(std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    examination out;
    out.look_at_info((*answer)[0]);
    out.look_at_right(
        "ROLE", (*answer)[1], "with replicas, a failover may repeat pushes that are not counted");
    out.look_at_right(
        "CONFIG", (*answer)[2],
        "hash-max-listpack-entries and hash-max-listpack-value must stand in its configuration");
    for (std::size_t i = 0; i < expected.size(); ++i) {
        out.look_at_type(expected[i], (*answer)[3 + i]);
    }
    out.look_at_probe((*answer)[probe]);
    co_return std::move(out.findings);
}

}  // namespace tocsin::cli
