#include "engine/plan/receipt_book.hpp"

#include "engine/core/digest.hpp"
#include "engine/plan/event_preparer.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
namespace names = ledger_names;
using redis::redis_errc;

// A batch is remembered before its counts are added, and nothing in between can be refused: a command that
// fails is looked at, and does not end the script. Sums first, so that a commune costs one command however
// many receipts name it.
//
// KEYS: ledger, then parts of the batches
// ARGV: the event's entry, most batches, fields, field, …, then for each receipt: its part (of KEYS), its
// batch,
//       when (ms) it was handed in, counts, (place of its field, devices) …
// Returns a fate for each receipt, in the order of receipt_fate; one alone of all: "other_event".
const redis::script count_script("receipts.count", R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'other_event' end
local have = redis.call('HMGET', KEYS[1], 'entry', 'receipts_until', 'receipts_closed_at', 'batches')
if (have[1] or '') ~= ARGV[1] then return 'other_event' end
local till, closed = tonumber(have[2] or ''), have[3]
local room = tonumber(ARGV[2]) - (tonumber(have[4] or '') or 0)
local first = 3 + tonumber(ARGV[3])
local sums, fates, fresh = {}, {}, 0
local a = first + 1
while a <= #ARGV do
  local key, batch = KEYS[tonumber(ARGV[a])], ARGV[a + 1]
  local counts = tonumber(ARGV[a + 3])
  local late = closed or (till and tonumber(ARGV[a + 2]) > till)
  local known
  if late or room <= 0 then
    known = redis.pcall('SISMEMBER', key, batch)
    if known == 0 then known = late and 'late' or 'overflow' end
    if known == 1 then known = 'repeated' end
  else
    known = redis.pcall('SADD', key, batch)
    if known == 0 then known = 'repeated' end
    if known == 1 then
      known = 'counted'
      room, fresh = room - 1, fresh + 1
      for i = a + 4, a + 3 + 2 * counts, 2 do
        local place = tonumber(ARGV[i])
        sums[place] = (sums[place] or 0) + tonumber(ARGV[i + 1])
      end
    end
  end
  if type(known) == 'table' then
    -- Anything but a key of another type is refused of the first command, before anything is written.
    if not string.find(known.err, 'WRONGTYPE', 1, true) then return known end
    known = 'damaged'
  end
  fates[#fates + 1] = known
  a = a + 4 + 2 * counts
end
if fresh > 0 then redis.pcall('HINCRBY', KEYS[1], 'batches', fresh) end
for place, devices in pairs(sums) do redis.pcall('HINCRBY', KEYS[1], ARGV[3 + place], devices) end
return fates
)lua");

constexpr auto fate_names =
    std::to_array<std::string_view>({"counted", "repeated", "late", "overflow", "damaged", "other_event"});

std::string text_of(const redis::reply& value) {
    return value.is_nil() ? std::string() : std::string(value.text());
}

std::set<commune_id> read_communes(std::string_view list) {
    std::set<commune_id> out;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(';'), list.size());
        if (const auto id = parse_commune_id(list.substr(0, end))) {
            out.insert(*id);
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return out;
}

/// Where a batch is remembered, and as what: a number, of which Redis keeps small sets in 8 bytes each.
struct batch_place {
    std::size_t part;
    std::string member;
};

batch_place place_of(std::string_view batch) {
    const token_hash hash = hash_token(batch);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        number = number << 8U | static_cast<unsigned char>(hash.bytes[i]);
    }
    return {
        static_cast<unsigned char>(hash.bytes[8]) % keyspace::batch_parts,
        std::to_string(std::bit_cast<std::int64_t>(number))};
}

/// Numbers things in the order in which they are first met.
template <class Key>
std::size_t place_in(std::map<Key, std::size_t>& places, const Key& what) {
    return places.emplace(what, places.size()).first->second;
}

}  // namespace

bool receipt_terms::targets(commune_id where) const noexcept {
    const auto zone = std::ranges::lower_bound(whom.zones(), territory{where, {}});
    return whom.contains(where, {}) || (zone != whom.zones().end() && zone->commune == where) ||
           named_communes.contains(where);
}

asio::awaitable<result<std::shared_ptr<const receipt_terms>>> receipt_book::terms_of(std::string event) {
    redis::request ask(
        "HMGET", keys_.ledger(event), "entry", names::state, names::receipts, names::targets, names::audience,
        names::named_communes);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply fields = answer->front();
    if (fields.size() != 6) {
        co_return redis_errc::unexpected_reply;
    }
    const event_state state = parse_event_state(text_of(fields[1]));
    if (state == event_state::none) {
        co_return std::shared_ptr<const receipt_terms>();
    }
    auto out = std::make_shared<receipt_terms>();
    out->entry = text_of(fields[0]);
    out->begun = state != event_state::scheduled;
    out->asked = text_of(fields[2]) == "1";
    ledger_fields planned;
    planned.emplace(names::targets, text_of(fields[3]));
    for (const target& which : read_targets(planned)) {
        out->apps.insert(which.app);
    }
    auto whom = audience::decode(text_of(fields[4]));
    if (whom.has_error()) {
        co_return redis_errc::damaged;
    }
    out->whom = std::move(*whom);
    out->named_communes = read_communes(text_of(fields[5]));
    co_return out;
}

asio::awaitable<result<std::vector<receipt_fate>>> receipt_book::count(
    std::string event, std::string entry, std::vector<handed_in> receipts) {
    std::map<std::string, std::size_t> fields;
    std::map<std::size_t, std::size_t> parts;
    std::vector<std::string> each;
    for (const handed_in& one : receipts) {
        batch_place batch = place_of(one.what->batch);
        each.push_back(std::to_string(place_in(parts, batch.part) + 2));
        each.push_back(std::move(batch.member));
        each.push_back(std::to_string(one.at.time_since_epoch().count()));
        each.push_back(std::to_string(one.what->counts.size()));
        for (const auto& [commune, devices] : one.what->counts) {
            each.push_back(
                std::to_string(place_in(fields, names::receipt_field(one.what->kind, commune)) + 1));
            each.push_back(std::to_string(devices));
        }
    }
    std::vector<std::string> keys(parts.size() + 1);
    keys.front() = keys_.ledger(event);
    for (const auto& [part, place] : parts) {
        keys[place + 1] = keys_.batches(event, part);
    }
    std::vector<std::string> arguments(3 + fields.size());
    arguments[0] = std::move(entry);
    arguments[1] = std::to_string(most_batches);
    arguments[2] = std::to_string(fields.size());
    for (const auto& [field, place] : fields) {
        arguments[3 + place] = field;
    }
    arguments.insert(
        arguments.end(), std::make_move_iterator(each.begin()), std::make_move_iterator(each.end()));
    redis::request ask(count_script, keys, arguments);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply fates = answer->front();
    if (fates.type() == redis::reply_type::string) {
        co_return std::vector<receipt_fate>(receipts.size(), receipt_fate::other_event);
    }
    if (fates.size() != receipts.size()) {
        co_return redis_errc::unexpected_reply;
    }
    std::vector<receipt_fate> out;
    for (std::size_t i = 0; i < fates.size(); ++i) {
        const auto word = std::ranges::find(fate_names, fates[i].text());
        out.push_back(
            word == fate_names.end() ? receipt_fate::damaged
                                     : static_cast<receipt_fate>(word - fate_names.begin()));
    }
    co_return out;
}

}  // namespace tocsin
