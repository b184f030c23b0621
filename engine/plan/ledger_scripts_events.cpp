#include "engine/plan/ledger_scripts.hpp"

#include <deque>
#include <string>
#include <string_view>

// The scripts with which an event begins and ends.

namespace tocsin::ledger_scripts {
namespace {

// The ledger counts what is left in the event's other keys, and every script changes both. If they differ,
// one of them is not as it was left: an older copy was brought back, or something was deleted. Then the sums
// mean nothing any more, and which pages are free neither: the event is damaged.
//
// KEYS from the second on: settled, then for each target its shards, its parked pushes and what waits
constexpr std::string_view agreement = R"lua(
local most_pages = 2 ^ 26
local ones = {[0] = 0}
for byte = 1, 255 do ones[byte] = ones[math.floor(byte / 2)] + byte % 2 end
-- What stands beyond the last page is not looked at, however much it is.
local function settled_of(pages)
  local count = 0
  for first = 0, pages - 1, 4096 do
    local words = {}
    for word = first / 32, math.min(first + 4096, pages + 31) / 32 - 1 do
      words[#words + 1], words[#words + 2], words[#words + 3] = 'GET', 'u32', '#' .. math.floor(word)
    end
    for _, bits in ipairs(redis.call('BITFIELD', KEYS[2], unpack(words))) do
      while bits > 0 do
        count = count + ones[bits % 256]
        bits = math.floor(bits / 256)
      end
    end
  end
  return count
end
local function disagreement()
  -- A later version may know platforms that this one does not: who does not see all targets cannot tell.
  local targets = redis.call('HGET', KEYS[1], 'targets') or ''
  local known = (#KEYS - 2) / 3
  if select(2, string.gsub(targets, '[^;]+', '')) ~= known then return nil end
  local open, parked = 0, 0
  for k = 3, #KEYS, 3 do
    open = open + redis.call('XLEN', KEYS[k]) + redis.call('ZCARD', KEYS[k + 2])
    parked = parked + redis.call('ZCARD', KEYS[k + 1])
  end
  local pages = tonumber(redis.call('HGET', KEYS[1], 'pages') or '0')
  if not pages or pages % 1 ~= 0 or pages > most_pages then
    return 'its ledger has a number of pages that cannot be'
  end
  local kept = {open = open, parked = parked, pages_settled = settled_of(pages)}
  for field, count in pairs(kept) do
    local counted = redis.call('HGET', KEYS[1], field) or '0'
    if tonumber(counted) ~= count then
      return 'its ledger counts ' .. counted .. ' as "' .. field .. '", and its other keys hold ' .. count
    end
  end
end
local function agrees()
  if redis.call('HEXISTS', KEYS[1], 'damaged') == 1 then return true end
  local fine, why = pcall(disagreement)
  if not fine then
    why = type(why) == 'table' and why.err or tostring(why)
    if not string.find(why, 'WRONGTYPE', 1, true) then error(why, 0) end
  end
  if why then redis.call('HSET', KEYS[1], 'damaged', why) end
  return not why
end
)lua";

/// A script views its source: these are kept for good.
const std::string& with_agreement(std::string_view body) {
    static std::deque<std::string> kept;
    return kept.emplace_back(std::string(agreement).append(body));
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

// KEYS: ledger, called off    ARGV: how long (ms), at least, to remember that an event is not to be sent
// which is not there yet Returns the state that it was in (empty: there is no such event), and 1 if it was
// called off before.
const redis::script cancel("ledger.cancel", R"lua(
local state = redis.call('HGET', KEYS[1], 'state') or ''
if state == 'running' or state == 'scheduled' then redis.call('HSET', KEYS[1], 'state', 'cancelling') end
local lasts = tonumber(redis.call('GET', KEYS[2]) or '0')
if state == '' and lasts <= tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[1]) end
return {state, lasts == 0 and 0 or 1}
)lua");

// KEYS: ledger
// Returns 1 if the event still waited, and is gone now.
const redis::script erase_scheduled("ledger.erase_scheduled", R"lua(
if redis.call('HGET', KEYS[1], 'state') ~= 'scheduled' then return 0 end
redis.call('DEL', KEYS[1])
return 1
)lua");

// KEYS: ledger, settled, then for each target its shards, its parked pushes and what waits
// The next claim finds out what came of it.
const redis::script audit("ledger.audit", with_agreement(R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'result')
if (have[1] == 'running' or have[1] == 'cancelling') and not have[2] then agrees() end
return 0
)lua"));

// An event ends in steps of one slot each, any of which any engine can repeat.
//
// KEYS: ledger, settled, then for each target its shards, its parked pushes and what waits
// ARGV: document, the revision of the sums that it was made of
// The first document is the one that is published, whoever goes on. There is none before everything is
// planned and done: no shard is open, no push is parked, and nothing was added since the sums were read.
// Whoever comes with a document too early, however long it was on its way, gets 0; so does whoever finds
// out here that the event is damaged.
const redis::script conclude("ledger.conclude", with_agreement(R"lua(
local have = redis.call('HMGET', KEYS[1], 'state', 'result', 'open', 'parked', 'revision')
if have[1] ~= 'running' and have[1] ~= 'cancelling' then return false end
if have[2] then return have[2] end
if have[3] ~= '0' or have[4] ~= '0' or (have[5] or '') ~= ARGV[2] or not agrees() then return 0 end
redis.call('HSET', KEYS[1], 'result', ARGV[1])
return ARGV[1]
)lua"));

// A stream that is something else for now gets the document once it is a stream again: what failed is not
// noted as published.
//
// KEYS: results, published    ARGV: event, document, max length, now (ms), remember (ms)
const redis::script publish("ledger.publish", R"lua(
if redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[1]) == 0 then return 0 end
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'result', ARGV[2])
if type(added) == 'table' and added.err then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return added
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - ARGV[5])
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
if state == 'scheduled' and ARGV[1] ~= '' then
  redis.call('HSET', KEYS[1], 'state', 'running')
elseif (state ~= 'running' and state ~= 'cancelling') or redis.call('HEXISTS', KEYS[1], 'result') == 1 then
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

}  // namespace tocsin::ledger_scripts
