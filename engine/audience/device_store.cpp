#include "engine/audience/device_store.hpp"

#include "engine/audience/device_change_work.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/core/digest.hpp"
#include "engine/redis/error.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

// Applies changes one after the other. Each carries what the index said when it was computed; one
// that finds another value is left undone and reported with that value, to be computed again.
const redis::script apply_script("device_store.apply", R"lua(
local k, a, out = 1, 2, {}
for i = 1, tonumber(ARGV[1]) do
  local field, expected, new, place, record = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local guard, adds, dels = ARGV[a + 5], tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7])
  local current = redis.call('HGET', KEYS[k], field) or ''
  if current ~= expected then
    out[#out + 1] = i - 1
    out[#out + 1] = current
  elseif guard ~= '' and redis.call('HGET', KEYS[k + adds + 1], place) ~= guard then
    out[#out + 1] = i - 1
    out[#out + 1] = false
  else
    for j = 1, adds do redis.call('HSET', KEYS[k + j], place, record) end
    for j = 1, dels do redis.call('HDEL', KEYS[k + adds + j], place) end
    if new == '' then redis.call('HDEL', KEYS[k], field) else redis.call('HSET', KEYS[k], field, new) end
  end
  k = k + 1 + adds + dels
  a = a + 8
end
return out
)lua");

// Small enough that no script holds Redis up for long (some 200 µs).
constexpr std::size_t changes_per_script = 64;

std::string cache_key(std::string_view app, std::string_view field) {
    return std::string(app) + "/" + std::string(field);
}

bool in(const std::vector<territory>& list, const territory& which) {
    return std::ranges::binary_search(list, which);
}

}  // namespace

std::uint32_t device_store::buckets_for(platform on, const territory& where) const {
    const std::uint32_t population = sizing_.population(where.commune);
    // A zone is a part of its commune; nobody tells us how large a part.
    const std::uint32_t people = where.zone.empty() ? population : population / 4;
    const std::uint32_t share = inhabitants_per_bucket(on);
    return std::max(1U, (people + share - 1) / share);
}

std::optional<roster_head> device_store::known_head(
    std::string_view app, platform on, const territory& where) const {
    const auto head = heads_.find(cache_key(app, roster_head_field(on, where)));
    return head == heads_.end() ? std::nullopt : std::optional(head->second);
}

std::optional<std::string> device_store::roster_key(const pending& item, const territory& where) const {
    const device_change& change = *item.change;
    const auto head = known_head(change.app, change.where, where);
    if (!head) {
        return std::nullopt;
    }
    return keys_.roster_bucket(
        change.app, change.where, to_string(where), head->generation, item.hash.bucket(head->buckets));
}

std::optional<std::string> device_store::index_key(const pending& item) const {
    const device_change& change = *item.change;
    const auto index = heads_.find(cache_key(change.app, "index"));
    if (index == heads_.end()) {
        return std::nullopt;
    }
    return keys_.index_bucket(change.app, change.where, item.hash.bucket(index->second.buckets));
}

asio::awaitable<result<>> device_store::learn_heads(const std::vector<pending>& work) {
    struct wanted {
        std::string app;
        std::string field;
    };
    std::vector<wanted> missing;
    std::set<std::string> seen;
    redis::request what;
    const auto want = [&](const std::string& app, const std::string& field, std::uint32_t buckets) {
        std::string key = cache_key(app, field);
        if (heads_.contains(key) || !seen.insert(std::move(key)).second) {
            return;
        }
        const std::string hash = keys_.rosters(app);
        if (buckets != 0) {
            what.add("HSETNX", hash, field, encode_roster_head({.buckets = buckets}));
        } else {
            what.add("HLEN", hash);  // Keeps two replies a head; a removal makes nothing.
        }
        what.add("HGET", hash, field);
        missing.push_back({app, field});
    };
    for (const pending& item : work) {
        if (item.done) {
            continue;
        }
        const device_change& change = *item.change;
        const bool put = change.what == device_change::action::put;
        const std::uint64_t served = put ? sizing_.population_served(change.app) : 0;
        want(
            change.app, "index",
            put ? static_cast<std::uint32_t>(
                      std::max<std::uint64_t>(1, served / inhabitants_per_index_bucket))
                : 0);
        if (put) {
            for (const territory& where : change.which.follow) {
                want(change.app, roster_head_field(change.where, where), buckets_for(change.where, where));
            }
        }
        for (const territory& where : item.before) {
            want(change.app, roster_head_field(change.where, where), 0);
        }
    }
    if (missing.empty()) {
        co_return result<>();
    }
    const auto answers = co_await ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < missing.size(); ++i) {
        const redis::reply value = (*answers)[2 * i + 1];
        if (const auto head = decode_roster_head(value.text())) {
            heads_.emplace(cache_key(missing[i].app, missing[i].field), *head);
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> device_store::run_pass(std::vector<pending>& work) {
    redis::request calls;
    std::vector<std::vector<std::size_t>> sent;  // Which of `work` each script call holds.
    std::vector<std::string> keys;
    std::vector<std::string> arguments;
    std::vector<std::size_t> members;
    const auto flush = [&] {
        if (!members.empty()) {
            arguments[0] = std::to_string(members.size());
            calls.add_script(apply_script, keys, arguments);
            sent.push_back(std::move(members));
        }
        keys.clear();
        members.clear();
        arguments.assign(1, "");
    };
    flush();
    for (std::size_t i = 0; i < work.size(); ++i) {
        pending& item = work[i];
        if (item.done) {
            continue;
        }
        const device_change& change = *item.change;
        auto index = index_key(item);
        if (!index) {
            item.done = true;  // Nobody has ever registered with this app.
            continue;
        }
        const auto bucket_of = [&](const territory& where) { return roster_key(item, where); };
        const bool put = change.what == device_change::action::put;
        keys.push_back(std::move(*index));
        std::size_t adds = 0;
        if (put) {
            for (const territory& where : change.which.follow) {
                if (auto key = bucket_of(where)) {
                    keys.push_back(std::move(*key));
                    ++adds;
                }
            }
        }
        std::size_t dels = 0;
        for (const territory& where : item.before) {
            if (put && in(change.which.follow, where)) {
                continue;
            }
            if (auto key = bucket_of(where)) {
                keys.push_back(std::move(*key));
                ++dels;
            }
        }
        arguments.emplace_back(item.hash.view());
        arguments.push_back(item.expected);
        arguments.push_back(put ? encode_follows(change.which.follow) : std::string());
        arguments.emplace_back(item.hash.within_bucket());
        arguments.push_back(put ? encode_roster_record(change.which) : std::string());
        arguments.push_back(
            dels != 0 && change.only_if_entry
                ? encode_roster_record(change.which.token, *change.only_if_entry)
                : std::string());
        arguments.push_back(std::to_string(adds));
        arguments.push_back(std::to_string(dels));
        members.push_back(i);
        if (members.size() == changes_per_script) {
            flush();
        }
    }
    flush();
    if (calls.empty()) {
        co_return result<>();
    }
    const auto answers = co_await ask(std::move(calls));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t c = 0; c < sent.size(); ++c) {
        const redis::reply answer = (*answers)[c];
        if (!answer.is_array()) {
            co_return redis_errc::unexpected_reply;
        }
        std::vector<bool> undone(sent[c].size(), false);
        for (std::size_t j = 0; j + 1 < answer.size(); j += 2) {
            const auto position = answer[j].integer();
            if (!position || *position < 0 || static_cast<std::size_t>(*position) >= sent[c].size()) {
                co_return redis_errc::unexpected_reply;
            }
            const auto at = static_cast<std::size_t>(*position);
            undone[at] = true;
            pending& item = work[sent[c][at]];
            if (answer[j + 1].is_nil()) {
                item.done = true;
                item.outcome = change_outcome::kept;
                continue;
            }
            item.expected = answer[j + 1].text();
            auto before = decode_follows(item.expected);
            if (!before) {
                co_return redis_errc::unexpected_reply;
            }
            item.before = std::move(*before);
        }
        for (std::size_t at = 0; at < undone.size(); ++at) {
            pending& item = work[sent[c][at]];
            if (undone[at]) {
                continue;
            }
            item.done = true;
            if (item.change->what == device_change::action::put) {
                item.outcome = item.expected.empty() ? change_outcome::added : change_outcome::replaced;
            } else {
                item.outcome = item.expected.empty() ? change_outcome::absent : change_outcome::removed;
            }
        }
    }
    co_return result<>();
}

asio::awaitable<result<std::vector<change_outcome>>> device_store::apply(std::vector<device_change> changes) {
    std::vector<pending> work(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
        work[i].change = &changes[i];
        work[i].hash = hash_token(changes[i].which.token);
    }
    if (redis_.is_cluster()) {
        if (const auto changed = co_await apply_in_steps(work); changed.has_error()) {
            co_return changed.error();
        }
    }
    // The first pass supposes that every device is new, which a bulk import's are; each that is not
    // comes back with what the index says and is right at the second, unless somebody else is faster.
    while (std::ranges::any_of(work, [](const pending& item) { return !item.done; })) {
        if (const auto learnt = co_await learn_heads(work); learnt.has_error()) {
            co_return learnt.error();
        }
        if (const auto ran = co_await run_pass(work); ran.has_error()) {
            co_return ran.error();
        }
    }
    std::vector<change_outcome> out(work.size());
    std::ranges::transform(work, out.begin(), &pending::outcome);
    co_return out;
}

}  // namespace tocsin
