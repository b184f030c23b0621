#include "engine/plan/ledger_scripts.hpp"

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>

// The scripts of those who work on shards.

namespace tocsin::ledger_scripts {
namespace {

// What stands under a key of an event may be nothing that we have written: a key of another type, a
// left-over, a number that is none. Only that event ends by it: the script notes it in the ledger, if there
// is one, and the next claim finds the note. Everything else that Redis refuses is an error of Redis.
constexpr std::string_view guard = R"lua(
local function guarded(body)
  local fine, out = pcall(body)
  if fine then return out end
  local text = type(out) == 'table' and out.err or tostring(out)
  for _, sign in ipairs({'WRONGTYPE', 'NOGROUP', 'not an integer', 'out of range', 'attempt to'}) do
    if string.find(text, sign, 1, true) then
      if redis.call('TYPE', KEYS[1]).ok == 'hash' then redis.call('HSETNX', KEYS[1], 'damaged', text) end
      return nil, text
    end
  end
  return redis.error_reply(text)
end
)lua";

// 1 if nothing is left to do: no shard is open, and no push waits for a retry.
constexpr std::string_view drained = R"lua(
local function drained()
  local left = redis.call('HMGET', KEYS[1], 'open', 'parked')
  return (left[1] == '0' and left[2] == '0') and 1 or 0
end
)lua";

// A shard is done when each of its pages is settled as far as Redis knows, whatever the engine that has it
// believes: a settlement may be on its way again, or lost with Redis' last writes.
constexpr std::string_view ending_of_shard = R"lua(
local function all_settled(key, first, pages)
  return redis.call('BITFIELD', key, 'GET', 'u' .. pages, first)[1] == 2 ^ tonumber(pages) - 1
end
local function close_shard(key, group, entry)
  if redis.call('XACK', key, group, entry) == 1 then
    redis.call('XDEL', key, entry)
    redis.call('HINCRBY', KEYS[1], 'open', -1)
  end
end
)lua";

// Gives a shard back, unless another engine has taken it over meanwhile.
constexpr std::string_view give_back = R"lua(
local function give_back(key, group, consumer, entry)
  local held = redis.call('XPENDING', key, group, entry, entry, 1)
  if #held == 0 or held[1][2] ~= consumer then return 0 end
  local found = redis.call('XRANGE', key, entry, entry)
  redis.call('XACK', key, group, entry)
  redis.call('XDEL', key, entry)
  if #found == 0 then return 0 end
  redis.call('XADD', key, '*', unpack(found[1][2]))
  return 1
end
)lua";

// What settling a page and amending it have in common.
constexpr std::string_view settling = R"lua(
-- The state of the event, and whether it is over: whoever was taken for dead may come with its pages when
-- others have ended it, or are about to.
local function state_of_event()
  local have = redis.call('HMGET', KEYS[1], 'state', 'result', 'damaged')
  local state = have[1] or ''
  return state, (state ~= 'running' and state ~= 'cancelling') or have[2] or have[3]
end
-- All of a page is added or nothing: what could be refused is asked first. A stream has to be there.
local function check_types(kinds)
  for k, kind in pairs(kinds) do
    local found = redis.call('TYPE', KEYS[k]).ok
    if found ~= kind and (found ~= 'none' or kind == 'stream') then
      error('WRONGTYPE ' .. KEYS[k] .. ' is a ' .. found)
    end
  end
end
-- Adds what stands from ARGV[a] on: increments, field, amount, …, parked, due, member, …, dead, member, reason,
-- …. Returns how many were parked, and where the arguments go on.
local function add_sums(a, parked, dead)
  local function each(add)
    local count = tonumber(ARGV[a])
    a = a + 1
    for i = 1, count do
      add(ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    return count
  end
  each(function(field, amount) redis.call('HINCRBY', KEYS[1], field, amount) end)
  local waiting = each(function(due, member) redis.call('ZADD', parked, due, member) end)
  each(function(member, reason) redis.call('HSET', dead, member, reason) end)
  return waiting, a
end
)lua";

/// A script views its source: this keeps it. `functions`: what the body uses.
std::string_view with_functions(std::initializer_list<std::string_view> functions, std::string_view body) {
    static std::deque<std::string> kept;
    std::string& whole = kept.emplace_back();
    for (const std::string_view one : functions) {
        whole += one;
    }
    return whole += body;
}

}  // namespace

// KEYS: ledger, shards, parked, waiting
// ARGV: group, consumer, now, lease, limit, own, devices a page, most takeovers, up to which moment waiting
//       shards are taken, between how many engines new shards are divided, 0 for none of them,
//       the score from which on parked pushes are late ones, names of those a page
// Returns state, open, parked, entries as XREADGROUP gives them, the ids of those that were put
// aside (taken up too often, without a page of them ever being settled), how many new ones were left
// to others, the first page number that is free, what is damaged, and the moment of the first waiting
// shard if there is nothing else.
const redis::script claim("ledger.claim", with_functions({guard}, R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then return {'', '0', '0', {}, {}, 0, '0', 'the ledger is a ' .. kind, ''} end
local have = redis.call('HMGET', KEYS[1], 'state', 'open', 'parked', 'damaged')
local state = have[1] or ''
local live = state == 'running' or state == 'cancelling'
local out, poison, left, damaged, rests = {}, {}, 0, have[4], nil
local has_shards = redis.call('EXISTS', KEYS[2]) == 1
-- One that is cancelled before it was planned never had any.
if live and not damaged and not has_shards and (have[2] ~= '0' or have[3] ~= '0') then
  damaged = 'the stream of its shards is gone'
  redis.call('HSET', KEYS[1], 'damaged', damaged)
end
local function take()
  local limit = tonumber(ARGV[5])
  local add = function(entries)
    for _, e in ipairs(entries) do
      if not e then
        -- Redis 6.2 says nothing at all of an entry that is gone.
      elseif not e[2] then
        redis.call('XACK', KEYS[2], ARGV[1], e[1])
      else
        local times = redis.call('XPENDING', KEYS[2], ARGV[1], e[1], e[1], 1)
        if times[1] and times[1][4] > tonumber(ARGV[8]) then
          poison[#poison + 1] = e[1]
          redis.call('XACK', KEYS[2], ARGV[1], e[1])
          redis.call('XDEL', KEYS[2], e[1])
          redis.call('HINCRBY', KEYS[1], 'open', -1)
          redis.call('HINCRBY', KEYS[1], 'poison', 1)
          redis.call('HINCRBY', KEYS[1], 'revision', 1)
        else
          out[#out + 1] = e
        end
      end
    end
  end
  -- Those whose answers are late come after all others. Each name is of many devices.
  local late = tonumber(ARGV[11])
  local latest = state == 'cancelling' and '(' .. ARGV[11] or ARGV[3]
  for _ = 1, limit do
    local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', latest, 'LIMIT', 0, tonumber(ARGV[7]))
    if #due == 0 then
      local until_now = string.format('%.0f', late + tonumber(ARGV[3]))
      due = redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[11], until_now, 'LIMIT', 0, tonumber(ARGV[12]))
    end
    if #due == 0 then break end
    local page = redis.call('HINCRBY', KEYS[1], 'pages', 1) - 1
    redis.call('XADD', KEYS[2], '*', 'page', page, 'devices', table.concat(due))
    for i = 1, #due do redis.call('ZREM', KEYS[3], due[i]) end
    redis.call('HINCRBY', KEYS[1], 'open', 1)
    redis.call('HINCRBY', KEYS[1], 'parked', -#due)
  end
  local moment = state == 'cancelling' and '+inf' or ARGV[9]
  for _, shard in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', moment, 'LIMIT', 0, limit)) do
    local first = string.find(shard, ':', 1, true)
    local second = string.find(shard, ':', first + 1, true)
    redis.call('XADD', KEYS[2], '*', 'page', string.sub(shard, 1, first - 1),
      string.sub(shard, first + 1, second - 1), string.sub(shard, second + 1))
    redis.call('ZREM', KEYS[4], shard)
  end
  if ARGV[6] == '1' then
    local own = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1000, 'STREAMS', KEYS[2], '0')
    if own then add(own[1][2]) end
  end
  if #out < limit then
    local taken = redis.call('XAUTOCLAIM', KEYS[2], ARGV[1], ARGV[2], ARGV[4], '0-0', 'COUNT', limit - #out)
    add(taken[2])
  end
  local count = limit - #out
  local engines = tonumber(ARGV[10])
  if count > 0 and engines ~= 1 then
    -- What is done leaves the stream, so this is what nobody has. Each engine takes its part of the rest at a
    -- time: large pieces first, and small ones towards the end.
    local rest = redis.call('XLEN', KEYS[2]) - redis.call('XPENDING', KEYS[2], ARGV[1])[1]
    local share = engines == 0 and 0 or math.ceil(rest / engines)
    if share < count then count, left = share, rest - share end
  end
  if count > 0 then
    local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', KEYS[2], '>')
    if new then
      for _, e in ipairs(new[1][2]) do out[#out + 1] = e end
    end
  end
  if redis.call('XLEN', KEYS[2]) == 0 and redis.call('ZCARD', KEYS[3]) == 0 then
    rests = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')[2]
  end
end
if live and not damaged and has_shards then
  local refused, why = guarded(take)
  if refused then return refused end
  if why then damaged, out = why, {} end
end
have = redis.call('HMGET', KEYS[1], 'open', 'parked', 'pages')
return {state, have[1] or '0', have[2] or '0', out, poison, left, have[3] or '0', damaged or '', rests or ''}
)lua"));

// KEYS: ledger, opened, settled    ARGV: page
// Returns how often the page was opened by now, and 1 if there is nothing left to do for it.
const redis::script open("ledger.open", with_functions({guard}, R"lua(
local out, damaged = guarded(function()
  local have = redis.call('HMGET', KEYS[1], 'state', 'damaged')
  if have[2] or (have[1] ~= 'running' and have[1] ~= 'cancelling') then return {0, 1} end
  local settled = redis.call('GETBIT', KEYS[3], ARGV[1])
  local opened = redis.call('BITFIELD', KEYS[2], 'OVERFLOW', 'SAT', 'INCRBY', 'u8', '#' .. ARGV[1], 1)[1]
  return {opened, settled}
end)
return damaged and {0, 1} or out
)lua"));

// KEYS: shards    ARGV: group, consumer, entry
const redis::script release("ledger.release", with_functions({give_back}, R"lua(
return give_back(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
)lua"));

// KEYS: ledger, shards    ARGV: group, entry
const redis::script put_aside("ledger.put_aside", with_functions({guard}, R"lua(
guarded(function()
  if redis.call('XACK', KEYS[2], ARGV[1], ARGV[2]) == 1 then
    redis.call('XDEL', KEYS[2], ARGV[2])
    redis.call('HINCRBY', KEYS[1], 'open', -1)
    redis.call('HINCRBY', KEYS[1], 'poison', 1)
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
  end
end)
return 0
)lua"));

// KEYS: ledger, shards, settled    ARGV: group, consumer, entry, its first page, its pages
// Of a shard with which its engine is done. Returns 1 if the event has nothing left to do.
const redis::script leave("ledger.leave", with_functions({guard, drained, ending_of_shard, give_back}, R"lua(
local out, damaged = guarded(function()
  if all_settled(KEYS[3], ARGV[4], ARGV[5]) then
    close_shard(KEYS[2], ARGV[1], ARGV[3])
  else
    give_back(KEYS[2], ARGV[1], ARGV[2], ARGV[3])
  end
  return drained()
end)
return damaged and 0 or out
)lua"));

// KEYS: ledger, settled, dead, shards, parked, opened, reached
// ARGV: group, consumer, page, entry, first page and pages of the shard, devices,
//       increments, field, amount, …, parked, due, member, …, dead, member, reason, …,
//       whom it reached, the others of the page, how long (ms) to remember them
// Returns repeated, drained, state, 1 if that was the end of the shard.
const redis::script settle("ledger.settle", with_functions({guard, drained, ending_of_shard, settling}, R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return {1, 0, '', 0} end
local out, damaged = guarded(function()
  local state, over = state_of_event()
  if over then return {1, 0, state, 0} end
  check_types({[2] = 'string', [3] = 'hash', [4] = 'stream', [5] = 'zset', [6] = 'string', [7] = 'hash'})
  -- A shard that Redis does not have is done, was given back, or was lost with the last writes: then its numbers
  -- may be given out again. One that it has owns its pages, whoever holds it.
  if #redis.call('XPENDING', KEYS[4], ARGV[1], ARGV[4], ARGV[4], 1) == 0 and
     #redis.call('XRANGE', KEYS[4], ARGV[4], ARGV[4]) == 0 then return {1, drained(), state, 0} end
  local repeated = redis.call('SETBIT', KEYS[2], ARGV[3], 1)
  if repeated == 0 then
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    redis.call('HINCRBY', KEYS[1], 'pages_settled', 1)
    -- Each further engine that opened the page, dead or alive, may have sent to all of it. One that
    -- opens it from now on sees that it is settled.
    local opened = redis.call('BITFIELD', KEYS[6], 'GET', 'u8', '#' .. ARGV[3])[1]
    if opened > 1 and ARGV[7] ~= '0' then
      redis.call('HINCRBY', KEYS[1], 'possible_duplicates', (opened - 1) * ARGV[7])
    end
    local parked, a = add_sums(8, KEYS[5], KEYS[3])
    if parked > 0 then redis.call('HINCRBY', KEYS[1], 'parked', parked) end
    local reached = opened > 1 and ARGV[a] .. ARGV[a + 1] or ARGV[a]
    if reached ~= '' then
      redis.call('HSET', KEYS[7], ARGV[3], reached)
      redis.call('PEXPIRE', KEYS[7], ARGV[a + 2])
    end
  end
  local done = all_settled(KEYS[2], ARGV[5], ARGV[6])
  if done then
    close_shard(KEYS[4], ARGV[1], ARGV[4])
  else
    redis.call('XCLAIM', KEYS[4], ARGV[1], ARGV[2], 0, ARGV[4], 'RETRYCOUNT', 1, 'JUSTID')
  end
  return {repeated, drained(), state, done and 1 or 0}
end)
return damaged and {1, 0, redis.call('HGET', KEYS[1], 'state') or '', 0} or out
)lua"));

// KEYS: ledger, dead, parked
// ARGV: name, increments, field, amount, …, parked, due, member, …, dead, member, reason, …
// Returns repeated, drained, state. What others have taken meanwhile is theirs to count.
const redis::script amend("ledger.amend", with_functions({guard, drained, settling}, R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return {1, 0, ''} end
local out, damaged = guarded(function()
  local state, over = state_of_event()
  if over then return {1, 0, state} end
  check_types({[2] = 'hash', [3] = 'zset'})
  local repeated = 1
  if redis.call('ZREM', KEYS[3], ARGV[1]) == 1 then
    repeated = 0
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    local parked = add_sums(2, KEYS[3], KEYS[2])
    redis.call('HINCRBY', KEYS[1], 'parked', parked - 1)
  end
  return {repeated, drained(), state}
end)
return damaged and {1, 0, redis.call('HGET', KEYS[1], 'state') or ''} or out
)lua"));

}  // namespace tocsin::ledger_scripts
