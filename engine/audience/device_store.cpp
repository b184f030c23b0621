#include "engine/audience/device_store.hpp"

#include "engine/audience/device_change_work.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

// Applies changes one after the other. Each carries what the index said and which heads it was computed from;
// one that finds another value is left undone and reported: with the index's value, or with 1 if it is a
// head. A head that is not there is written with the first device that relies on it: Redis may have forgotten
// it since. One that meets a key of another type is reported with 2, and is nobody else's affair.
const redis::script apply_script("device_store.apply", R"lua(
local k, a, out = 1, 1, {}
local function agrees(heads, field, head, make)
  local stored = redis.call('HGET', heads, field)
  if not stored and make then redis.call('HSET', heads, field, head) end
  return not stored or stored == head
end
while k <= #KEYS do
  local heads, index = KEYS[k], KEYS[k + 1]
  local field, expected, new, place, record = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local guard, adds, dels = ARGV[a + 5], tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7])
  local first, now = a + 9, #out
  local fine, why = pcall(function()
    local fresh = agrees(heads, 'index', ARGV[a + 8], adds > 0)
    for j = 1, adds + dels do
      fresh = agrees(heads, ARGV[first + 2 * j - 2], ARGV[first + 2 * j - 1], j <= adds) and fresh
    end
    local current = redis.call('HGET', index, field) or ''
    if not fresh then
      out[now + 1], out[now + 2] = ARGV[first + 2 * (adds + dels)], 1
    elseif current ~= expected then
      out[now + 1], out[now + 2] = ARGV[first + 2 * (adds + dels)], current
    elseif guard ~= '' and redis.call('HGET', KEYS[k + adds + 2], place) ~= guard then
      out[now + 1], out[now + 2] = ARGV[first + 2 * (adds + dels)], false
    else
      for j = 1, adds do redis.call('HSET', KEYS[k + 1 + j], place, record) end
      for j = 1, dels do redis.call('HDEL', KEYS[k + 1 + adds + j], place) end
      if new == '' then redis.call('HDEL', index, field) else redis.call('HSET', index, field, new) end
    end
  end)
  if not fine then
    local text = type(why) == 'table' and why.err or tostring(why)
    if not string.find(text, 'WRONGTYPE', 1, true) then return redis.error_reply(text) end
    out[now + 1], out[now + 2] = ARGV[first + 2 * (adds + dels)], 2
  end
  k = k + 2 + adds + dels
  a = first + 2 * (adds + dels) + 1
end
return out
)lua");

// Small enough that no script holds Redis up for long (some 200 µs).
constexpr std::size_t changes_per_script = 64;

bool in(const std::vector<territory>& list, const territory& which) {
    return std::ranges::binary_search(list, which);
}

}  // namespace

std::uint32_t device_store::buckets_for(platform on, const territory& where) const {
    const std::uint32_t population = sizing_.population(where.commune);
    // A zone is a part of its commune; nobody tells us how large a part.
    const std::uint32_t people = where.zone.empty() ? population : population / 4;
    const std::uint32_t share = row_of(on).inhabitants_per_bucket;
    return std::max(1U, (people + share - 1) / share);
}

/// A bucket, and the head that says that the device belongs there.
struct device_store::change_batch::placement {
    std::string key;
    std::string field;
    std::string head;
};

std::optional<device_store::change_batch::placement> device_store::change_batch::place_of(
    const pending& item, const territory& where) const {
    const device_change& change = *item.change;
    const auto head = known_head(change.app, change.where, where);
    if (!head) {
        return std::nullopt;
    }
    return placement{
        store_.keys_.roster_bucket(
            change.app, change.where, to_string(where), head->generation, item.hash.bucket(head->buckets)),
        roster_head_field(change.where, where), encode_roster_head(*head)};
}

/// The calls of one pass: so many changes a script.
struct device_store::change_batch::script_calls {
    redis::request request;
    std::vector<std::vector<std::size_t>> sent{};  ///< Which changes each call holds.
    std::vector<std::string> keys{};
    std::vector<std::string> arguments{};
    std::vector<std::size_t> members{};

    void flush() {
        if (!members.empty()) {
            request.add_script(apply_script, keys, arguments);
            sent.push_back(std::move(members));
        }
        keys.clear();
        members.clear();
        arguments.clear();
    }
};

bool device_store::change_batch::add_call(
    script_calls& calls, const pending& item, std::size_t number) const {
    const device_change& change = *item.change;
    const auto index = heads_.find(cache_key(change.app, "index"));
    if (index == heads_.end()) {
        return false;
    }
    const bool put = change.what == device_change::action::put;
    std::vector<placement> places;
    if (put) {
        for (const territory& where : change.which.follow) {
            if (auto place = place_of(item, where)) {
                places.push_back(std::move(*place));
            }
        }
    }
    const std::size_t adds = places.size();
    for (const territory& where : item.before) {
        if (put && in(change.which.follow, where)) {
            continue;
        }
        if (auto place = place_of(item, where)) {
            places.push_back(std::move(*place));
        }
    }
    const std::size_t dels = places.size() - adds;
    calls.keys.push_back(store_.keys_.rosters(change.app));
    calls.keys.push_back(
        store_.keys_.index_bucket(change.app, change.where, item.hash.bucket(index->second.buckets)));
    const token_beginnings beginnings = store_.beginnings_on(change.where);
    std::vector<std::string>& arguments = calls.arguments;
    arguments.emplace_back(item.hash.view());
    arguments.push_back(item.expected);
    arguments.push_back(put ? encode_follows(change.which.follow) : std::string());
    arguments.emplace_back(item.hash.within_bucket());
    arguments.push_back(put ? encode_roster_record(change.which, beginnings) : std::string());
    arguments.push_back(
        dels != 0 && change.only_if_entry
            ? encode_roster_record(change.which.token, *change.only_if_entry, beginnings)
            : std::string());
    arguments.push_back(std::to_string(adds));
    arguments.push_back(std::to_string(dels));
    arguments.push_back(encode_roster_head(index->second));
    for (placement& place : places) {
        calls.keys.push_back(std::move(place.key));
        arguments.push_back(std::move(place.field));
        arguments.push_back(std::move(place.head));
    }
    arguments.push_back(std::to_string(calls.members.size()));
    calls.members.push_back(number);
    return true;
}

result<> device_store::change_batch::take_answer(
    const redis::reply& answer, const std::vector<std::size_t>& sent) {
    if (!answer.is_array()) {
        return redis_errc::unexpected_reply;
    }
    std::vector<bool> undone(sent.size(), false);
    for (std::size_t j = 0; j + 1 < answer.size(); j += 2) {
        const auto position = answer[j].integer();
        if (!position || *position < 0 || static_cast<std::size_t>(*position) >= sent.size()) {
            return redis_errc::unexpected_reply;
        }
        const auto at = static_cast<std::size_t>(*position);
        undone[at] = true;
        pending& item = work_[sent[at]];
        const redis::reply stored = answer[j + 1];
        if (stored.type() == redis::reply_type::integer && stored.integer() == 1) {
            forget_heads(item.change->app);  // Redis is another one, or an older one, than we knew.
        } else if (stored.is_nil() || item.is_guarded_put() || item.must_be_new()) {
            item.done = true;
            item.outcome = change_outcome::kept;
        } else if (auto before = decode_follows(stored.text());
                   before && stored.type() != redis::reply_type::integer) {
            item.expected = stored.text();
            item.before = std::move(*before);
        } else {
            item.done = true;
            item.outcome = change_outcome::damaged;
        }
    }
    for (std::size_t at = 0; at < undone.size(); ++at) {
        pending& item = work_[sent[at]];
        if (undone[at]) {
            continue;
        }
        item.done = true;
        const bool put = item.change->what == device_change::action::put;
        if (item.expected.empty()) {
            item.outcome = put ? change_outcome::added : change_outcome::absent;
        } else {
            item.outcome = put ? change_outcome::replaced : change_outcome::removed;
        }
    }
    return {};
}

asio::awaitable<result<>> device_store::change_batch::run_pass() {
    script_calls calls;
    for (std::size_t i = 0; i < work_.size(); ++i) {
        pending& item = work_[i];
        if (item.done) {
            continue;
        }
        if (!add_call(calls, item, i)) {
            item.done = true;  // Nobody has ever registered with this app.
        } else if (calls.members.size() == changes_per_script) {
            calls.flush();
        }
    }
    calls.flush();
    if (calls.request.empty()) {
        co_return result<>();
    }
    const auto answers = co_await store_.ask(std::move(calls.request));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t c = 0; c < calls.sent.size(); ++c) {
        if (auto taken = take_answer((*answers)[c], calls.sent[c]); taken.has_error()) {
            co_return taken;
        }
    }
    co_return result<>();
}

asio::awaitable<result<std::vector<device_store::applied>>> device_store::change_batch::apply() {
    if (store_.redis_.is_cluster()) {
        if (const auto changed = co_await apply_in_steps(); changed.has_error()) {
            co_return changed.error();
        }
    }
    // The first pass supposes that every device is new, which a bulk import's are; each that is not
    // comes back with what the index says and is right at the second, unless somebody else is faster.
    while (std::ranges::any_of(work_, [](const pending& item) { return !item.done; })) {
        if (const auto learnt = co_await learn_heads(); learnt.has_error()) {
            co_return learnt.error();
        }
        if (const auto ran = co_await run_pass(); ran.has_error()) {
            co_return ran.error();
        }
    }
    std::vector<applied> out(work_.size());
    for (std::size_t i = 0; i < work_.size(); ++i) {
        out[i].outcome = work_[i].outcome;
        out[i].before = std::move(work_[i].before);
    }
    co_return out;
}

}  // namespace tocsin
