#include "engine/plan/ledger_scripts.hpp"

#include <deque>
#include <string>

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

/// A script views its source: this keeps it.
std::string_view with_guard(std::string_view body) {
    static std::deque<std::string> kept;
    return kept.emplace_back(std::string(guard).append(body));
}

}  // namespace

// What is left of an event that Redis has forgotten (some of its keys may have outlived the ledger) makes
// way.
//
// A shard that may leave at once goes into the stream; one with a moment of its own waits for it in a sorted
// set, as the text "page:kind:bytes". Both are open.
//
// KEYS: ledger, called off, opened, settled, dead, then for each target its shards, its parked pushes and
// what waits
// ARGV: group, entry, state, fields, name, value, …, then for each target: shards, (kind, page, bytes,
// moment) …
const redis::script plan("ledger.plan", R"lua(
local entry, state = ARGV[2], ARGV[3]
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'hash' then return 'damaged' end
local have = redis.call('HMGET', KEYS[1], 'entry', 'state')
if have[1] and have[1] ~= entry then return 'duplicate' end
if have[2] and not (have[2] == 'scheduled' and state == 'running') then return 'exists' end
if not have[2] and state ~= 'cancelling' and redis.call('EXISTS', KEYS[2]) == 1 then return 'called_off' end
for k = 3, #KEYS do redis.call('DEL', KEYS[k]) end
local a = 5
for i = 1, tonumber(ARGV[4]) do
  redis.call('HSET', KEYS[1], ARGV[a], ARGV[a + 1])
  a = a + 2
end
local open = 0
for k = 6, #KEYS, 3 do
  local shards = tonumber(ARGV[a])
  a = a + 1
  redis.call('XGROUP', 'CREATE', KEYS[k], ARGV[1], '0', 'MKSTREAM')
  for i = 1, shards do
    if ARGV[a + 3] == '' then
      redis.call('XADD', KEYS[k], '*', 'page', ARGV[a + 1], ARGV[a], ARGV[a + 2])
    else
      redis.call('ZADD', KEYS[k + 2], ARGV[a + 3], ARGV[a + 1] .. ':' .. ARGV[a] .. ':' .. ARGV[a + 2])
    end
    a = a + 4
  end
  open = open + shards
end
redis.call('HSET', KEYS[1], 'entry', entry, 'state', state, 'open', open, 'shards', open, 'parked', 0)
return 'created'
)lua");

// KEYS: ledger, shards, parked, waiting
// ARGV: group, consumer, now, lease, limit, own, devices a page, most takeovers, up to which moment waiting
//       shards are taken, between how many engines new shards are divided, 0 for none of them,
//       the score from which on parked pushes are late ones, names of those a page
// Returns state, open, parked, entries as XREADGROUP gives them, the ids of those that were put
// aside (taken up too often, without a page of them ever being settled), how many new ones were left
// to others, the first page number that is free, what is damaged, and the moment of the first waiting
// shard if there is nothing else.
const redis::script claim("ledger.claim", with_guard(R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then return {'', '0', '0', {}, {}, 0, '0', 'the ledger is a ' .. kind, ''} end
local have = redis.call('HMGET', KEYS[1], 'state', 'open', 'parked', 'damaged')
local state = have[1] or ''
local live = state == 'running' or state == 'cancelling'
local out, poison, left, damaged, rests = {}, {}, 0, have[4], nil
if live and not damaged and redis.call('EXISTS', KEYS[2]) == 0 then
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
if live and not damaged then
  local refused, why = guarded(take)
  if refused then return refused end
  if why then damaged, out = why, {} end
end
have = redis.call('HMGET', KEYS[1], 'open', 'parked', 'pages')
return {state, have[1] or '0', have[2] or '0', out, poison, left, have[3] or '0', damaged or '', rests or ''}
)lua"));

// KEYS: ledger, opened, settled    ARGV: page
// Returns how often the page was opened by now, and 1 if there is nothing left to do for it.
const redis::script open("ledger.open", with_guard(R"lua(
local out, damaged = guarded(function()
  local have = redis.call('HMGET', KEYS[1], 'state', 'damaged')
  if have[2] or (have[1] ~= 'running' and have[1] ~= 'cancelling') then return {0, 1} end
  local settled = redis.call('GETBIT', KEYS[3], ARGV[1])
  local opened = redis.call('BITFIELD', KEYS[2], 'OVERFLOW', 'SAT', 'INCRBY', 'u8', '#' .. ARGV[1], 1)[1]
  return {opened, settled}
end)
return damaged and {0, 1} or out
)lua"));

// KEYS: shards    ARGV: group, entry
const redis::script release("ledger.release", R"lua(
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
if #found == 0 then return 0 end
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[1], '*', unpack(found[1][2]))
return 1
)lua");

// KEYS: ledger, shards    ARGV: group, entry, 1 if it is put aside
const redis::script complete("ledger.complete", with_guard(R"lua(
local out, damaged = guarded(function()
  if redis.call('XACK', KEYS[2], ARGV[1], ARGV[2]) == 1 then
    redis.call('XDEL', KEYS[2], ARGV[2])
    redis.call('HINCRBY', KEYS[1], 'open', -1)
    if ARGV[3] == '1' then
      redis.call('HINCRBY', KEYS[1], 'poison', 1)
      redis.call('HINCRBY', KEYS[1], 'revision', 1)
    end
  end
  local left = redis.call('HMGET', KEYS[1], 'open', 'parked')
  return (left[1] == '0' and left[2] == '0') and 1 or 0
end)
return damaged and 0 or out
)lua"));

// KEYS: ledger, settled, dead, shards, parked, opened, reached
// ARGV: group, consumer, page, entry, done, devices,
//       increments, field, amount, …, parked, due, member, …, dead, member, reason, …,
//       whom it reached, the others of the page, how long (ms) to remember them
// Returns repeated, drained, state.
const redis::script settle("ledger.settle", with_guard(R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return {1, 0, ''} end
local out, damaged = guarded(function()
  local have = redis.call('HMGET', KEYS[1], 'state', 'result', 'damaged')
  local state = have[1] or ''
  -- Whoever was taken for dead may come with its pages when others have ended the event, or are about to.
  if (state ~= 'running' and state ~= 'cancelling') or have[2] or have[3] then return {1, 0, state} end
  -- All of a page is added or nothing: what could be refused is asked first.
  for k, kind in pairs({[2] = 'string', [3] = 'hash', [4] = 'stream', [5] = 'zset', [6] = 'string', [7] = 'hash'}) do
    local found = redis.call('TYPE', KEYS[k]).ok
    if found ~= kind and (found ~= 'none' or k == 4) then error('WRONGTYPE ' .. KEYS[k] .. ' is a ' .. found) end
  end
  local repeated = redis.call('SETBIT', KEYS[2], ARGV[3], 1)
  if repeated == 0 then
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    -- Each further engine that opened the page, dead or alive, may have sent to all of it. One that
    -- opens it from now on sees that it is settled.
    local opened = redis.call('BITFIELD', KEYS[6], 'GET', 'u8', '#' .. ARGV[3])[1]
    if opened > 1 and ARGV[6] ~= '0' then
      redis.call('HINCRBY', KEYS[1], 'possible_duplicates', (opened - 1) * ARGV[6])
    end
    local a = 8
    for i = 1, tonumber(ARGV[7]) do
      redis.call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    local parked = tonumber(ARGV[a])
    a = a + 1
    for i = 1, parked do
      redis.call('ZADD', KEYS[5], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    if parked > 0 then redis.call('HINCRBY', KEYS[1], 'parked', parked) end
    local dead = tonumber(ARGV[a])
    a = a + 1
    for i = 1, dead do
      redis.call('HSET', KEYS[3], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    local reached = opened > 1 and ARGV[a] .. ARGV[a + 1] or ARGV[a]
    if reached ~= '' then
      redis.call('HSET', KEYS[7], ARGV[3], reached)
      redis.call('PEXPIRE', KEYS[7], ARGV[a + 2])
    end
  end
  if ARGV[5] == '1' then
    if redis.call('XACK', KEYS[4], ARGV[1], ARGV[4]) == 1 then
      redis.call('XDEL', KEYS[4], ARGV[4])
      redis.call('HINCRBY', KEYS[1], 'open', -1)
    end
  else
    redis.call('XCLAIM', KEYS[4], ARGV[1], ARGV[2], 0, ARGV[4], 'RETRYCOUNT', 1, 'JUSTID')
  end
  local left = redis.call('HMGET', KEYS[1], 'open', 'parked', 'state')
  local drained = (left[1] == '0' and left[2] == '0') and 1 or 0
  return {repeated, drained, left[3] or ''}
end)
return damaged and {1, 0, redis.call('HGET', KEYS[1], 'state') or ''} or out
)lua"));

// KEYS: ledger, dead, parked
// ARGV: name, increments, field, amount, …, parked, due, member, …, dead, member, reason, …
// Returns repeated, drained, state. What others have taken meanwhile is theirs to count.
const redis::script amend("ledger.amend", with_guard(R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return {1, 0, ''} end
local out, damaged = guarded(function()
  local have = redis.call('HMGET', KEYS[1], 'state', 'result', 'damaged')
  local state = have[1] or ''
  if (state ~= 'running' and state ~= 'cancelling') or have[2] or have[3] then return {1, 0, state} end
  for k, kind in pairs({[2] = 'hash', [3] = 'zset'}) do
    local found = redis.call('TYPE', KEYS[k]).ok
    if found ~= kind and found ~= 'none' then error('WRONGTYPE ' .. KEYS[k] .. ' is a ' .. found) end
  end
  local repeated = 1
  if redis.call('ZREM', KEYS[3], ARGV[1]) == 1 then
    repeated = 0
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    local a = 3
    for i = 1, tonumber(ARGV[2]) do
      redis.call('HINCRBY', KEYS[1], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    local parked = tonumber(ARGV[a])
    a = a + 1
    for i = 1, parked do
      redis.call('ZADD', KEYS[3], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
    redis.call('HINCRBY', KEYS[1], 'parked', parked - 1)
    local dead = tonumber(ARGV[a])
    a = a + 1
    for i = 1, dead do
      redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1])
      a = a + 2
    end
  end
  local left = redis.call('HMGET', KEYS[1], 'open', 'parked')
  local drained = (left[1] == '0' and left[2] == '0') and 1 or 0
  return {repeated, drained, state}
end)
return damaged and {1, 0, redis.call('HGET', KEYS[1], 'state') or ''} or out
)lua"));

// An event ends in steps of one slot each, any of which any engine can repeat.
//
// KEYS: ledger    ARGV: document, the revision of the sums that it was made of
// The first document is the one that is published, whoever goes on. There is none before everything is
// planned and done: no shard is open, no push is parked, and nothing was added since the sums were read.
// Whoever comes with a document too early, however long it was on its way, gets 0.
const redis::script conclude("ledger.conclude", R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'result', 'open', 'parked', 'revision')
if have[1] ~= 'running' and have[1] ~= 'cancelling' then return false end
if have[2] then return have[2] end
if have[3] ~= '0' or have[4] ~= '0' or (have[5] or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'result', ARGV[1])
return ARGV[1]
)lua");

// KEYS: results, published    ARGV: event, document, max length, now (ms), remember (ms)
const redis::script publish("ledger.publish", R"lua(
if redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[1]) == 0 then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - ARGV[5])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'result', ARGV[2])
return 1
)lua");

// An event that its apps report on stays whole until that is over; whoever closes its receipts says how long
// it is kept from then on.
//
// KEYS: ledger, then the event's other keys    ARGV: state, retention (ms), until when (ms) receipts count,
// or empty
const redis::script close("ledger.close", R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'result')
if (have[1] ~= 'running' and have[1] ~= 'cancelling') or not have[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
if ARGV[3] == '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('HSET', KEYS[1], 'receipts_until', ARGV[3])
end
for k = 2, #KEYS do redis.call('DEL', KEYS[k]) end
return 1
)lua");

// What cannot be gone on with for damage is over: its devices that have no outcome yet have failed, so that
// the sums agree, and no shard is open any more.
//
// KEYS: ledger, then for each target its shards, its parked pushes and what waits
// ARGV: why, the field that counts the failed
// Returns 0 if there is no ledger to say it in.
const redis::script give_up("ledger.give_up", R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local state = redis.call('HGET', KEYS[1], 'state')
if (state ~= 'running' and state ~= 'cancelling') or redis.call('HEXISTS', KEYS[1], 'result') == 1 then
  return 1
end
local fields, ended, targeted = redis.call('HGETALL', KEYS[1]), 0, 0
for i = 1, #fields, 2 do
  local amount = tonumber(fields[i + 1])
  if string.sub(fields[i], 1, 2) == 'o:' then
    if not amount or amount < 0 or amount % 1 ~= 0 then
      amount = 0
      redis.call('HDEL', KEYS[1], fields[i])
    end
    ended = ended + amount
  elseif fields[i] == 'targeted' and amount and amount % 1 == 0 then
    targeted = amount
  end
end
if targeted > ended then redis.call('HINCRBY', KEYS[1], ARGV[2], targeted - ended) end
redis.call('HSET', KEYS[1], 'targeted', math.max(targeted, ended), 'open', 0, 'parked', 0)
if ARGV[1] ~= '' then redis.call('HSETNX', KEYS[1], 'damaged', ARGV[1]) end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
for k = 2, #KEYS do redis.call('DEL', KEYS[k]) end
return 1
)lua");

// KEYS: ledger, called off    ARGV: how long (ms) to remember that an event is not to be sent which is not
// there yet
// Returns the state that it was in; empty: there is no such event.
const redis::script cancel("ledger.cancel", R"lua(
local state = redis.call('HGET', KEYS[1], 'state') or ''
if state == 'running' or state == 'scheduled' then redis.call('HSET', KEYS[1], 'state', 'cancelling') end
if state == '' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[1]) end
return state
)lua");

}  // namespace tocsin::ledger_scripts
