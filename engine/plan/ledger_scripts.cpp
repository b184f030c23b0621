#include "engine/plan/ledger_scripts.hpp"

namespace tocsin::ledger_scripts {

// KEYS: ledger, shard stream of each target
// ARGV: group, entry, state, fields, name, value, …, then for each target: shards, (kind, page, bytes) …
const redis::script plan("ledger.plan", R"lua(
local entry, state = ARGV[2], ARGV[3]
local have = redis.call('HMGET', KEYS[1], 'entry', 'state')
if have[1] and have[1] ~= entry then return 'duplicate' end
if have[2] and not (have[2] == 'scheduled' and state == 'running') then return 'exists' end
local a = 5
for i = 1, tonumber(ARGV[4]) do
  redis.call('HSET', KEYS[1], ARGV[a], ARGV[a + 1])
  a = a + 2
end
local open = 0
for k = 2, #KEYS do
  local shards = tonumber(ARGV[a])
  a = a + 1
  redis.call('XGROUP', 'CREATE', KEYS[k], ARGV[1], '0', 'MKSTREAM')
  for i = 1, shards do
    redis.call('XADD', KEYS[k], '*', 'page', ARGV[a + 1], ARGV[a], ARGV[a + 2])
    a = a + 3
  end
  open = open + shards
end
redis.call('HSET', KEYS[1], 'entry', entry, 'state', state, 'open', open, 'shards', open, 'parked', 0)
return 'created'
)lua");

// KEYS: ledger, shards, parked
// ARGV: group, consumer, now, lease, limit, own, devices a page, most takeovers, pages due or empty,
//       between how many engines new shards are divided, 0 for none of them
// Returns state, open, parked, entries as XREADGROUP gives them, the ids of those that were put
// aside (taken up too often, without a page of them ever being settled), and how many new ones were left
// to others.
const redis::script claim("ledger.claim", R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'open', 'parked')
local state = have[1] or ''
local out, poison, left = {}, {}, 0
if (state == 'running' or state == 'cancelling') and redis.call('EXISTS', KEYS[2]) == 1 then
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
        else
          out[#out + 1] = e
        end
      end
    end
  end
  local latest = state == 'cancelling' and '+inf' or ARGV[3]
  for _ = 1, limit do
    local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', latest, 'LIMIT', 0, tonumber(ARGV[7]))
    if #due == 0 then break end
    local page = redis.call('HINCRBY', KEYS[1], 'pages', 1) - 1
    redis.call('XADD', KEYS[2], '*', 'page', page, 'devices', table.concat(due))
    for i = 1, #due do redis.call('ZREM', KEYS[3], due[i]) end
    redis.call('HINCRBY', KEYS[1], 'open', 1)
    redis.call('HINCRBY', KEYS[1], 'parked', -#due)
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
  if count > 0 and ARGV[9] ~= '' then
    -- Shards lie in the order of their pages: only those whose time has come are new.
    local after = redis.call('HGET', KEYS[1], 'given:' .. KEYS[2])
    local ahead = redis.call('XRANGE', KEYS[2], after and '(' .. after or '-', '+', 'COUNT', count)
    local due = 0
    for _, e in ipairs(ahead) do
      if tonumber(e[2][2]) > tonumber(ARGV[9]) then break end
      due = due + 1
    end
    count = due
  end
  if count > 0 then
    local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', KEYS[2], '>')
    if new then
      for _, e in ipairs(new[1][2]) do out[#out + 1] = e end
      if ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'given:' .. KEYS[2], out[#out][1]) end
    end
  end
  have = redis.call('HMGET', KEYS[1], 'state', 'open', 'parked')
end
return {state, have[2] or '0', have[3] or '0', out, poison, left}
)lua");

// KEYS: ledger, opened, settled    ARGV: page
// Returns how often the page was opened by now, and 1 if there is nothing left to do for it.
const redis::script open("ledger.open", R"lua(
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' and state ~= 'cancelling' then return {0, 1} end
local opened = redis.call('BITFIELD', KEYS[2], 'OVERFLOW', 'SAT', 'INCRBY', 'u8', '#' .. ARGV[1], 1)[1]
return {opened, redis.call('GETBIT', KEYS[3], ARGV[1])}
)lua");

// KEYS: shards    ARGV: group, entry
const redis::script release("ledger.release", R"lua(
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
if #found == 0 then return 0 end
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[1], '*', unpack(found[1][2]))
return 1
)lua");

// KEYS: ledger, shards    ARGV: group, entry
const redis::script complete("ledger.complete", R"lua(
if redis.call('XACK', KEYS[2], ARGV[1], ARGV[2]) == 1 then
  redis.call('XDEL', KEYS[2], ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'open', -1)
end
local left = redis.call('HMGET', KEYS[1], 'open', 'parked')
return (left[1] == '0' and left[2] == '0') and 1 or 0
)lua");

// KEYS: ledger, settled, dead, shards, parked, opened
// ARGV: group, consumer, page, entry, done, devices,
//       increments, field, amount, …, parked, due, member, …, dead, member, reason, …
// Returns repeated, drained, state.
const redis::script settle("ledger.settle", R"lua(
local state = redis.call('HGET', KEYS[1], 'state') or ''
-- Whoever was taken for dead may come with its pages when others have ended the event.
if state ~= 'running' and state ~= 'cancelling' then return {1, 0, state} end
local repeated = redis.call('SETBIT', KEYS[2], ARGV[3], 1)
if repeated == 0 then
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
)lua");

// An event ends in steps of one slot each, any of which any engine can repeat.
//
// KEYS: ledger    ARGV: document
// The first document is the one that is published, whoever goes on.
const redis::script conclude("ledger.conclude", R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'result')
if have[1] ~= 'running' and have[1] ~= 'cancelling' then return false end
if have[2] then return have[2] end
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

// KEYS: ledger, then the event's other keys    ARGV: state, retention (ms)
const redis::script close("ledger.close", R"lua(
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' and state ~= 'cancelling' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for k = 2, #KEYS do redis.call('DEL', KEYS[k]) end
return 1
)lua");

// KEYS: ledger
// Returns the state that it was in; empty: there is no such event.
const redis::script cancel("ledger.cancel", R"lua(
local state = redis.call('HGET', KEYS[1], 'state') or ''
if state == 'running' or state == 'scheduled' then redis.call('HSET', KEYS[1], 'state', 'cancelling') end
return state
)lua");

}  // namespace tocsin::ledger_scripts
