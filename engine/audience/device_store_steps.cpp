#include "engine/audience/device_change_work.hpp"
#include "engine/audience/device_store.hpp"
#include "engine/audience/roster_codec.hpp"
#include "engine/redis/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

// On a cluster a device's index entry and its roster entries are in different slots, and no script can
// write them together. So, for each device:
//
//   1. lock it, for some seconds, and read what the index says;
//   2. let the index name both what it follows and what it will: from here on, whoever comes after us
//      knows everywhere it may stand, however far we get;
//   3. write it into the rosters that are new to it, then into those it stays in, and only then delete
//      it from the others: an event may meet it twice, and does not miss it;
//   4. let the index name what it follows now, and unlock it, if the lock is still ours; else start over.
//
// A lock in the slot of the index tells changes of one device apart. Whoever lost it, because it was
// too slow, does it all again, so the index and the rosters agree in the end in any case but one: that
// it stands still for longer than the lock lasts, writes a roster after all, and dies at that moment.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using redis::redis_errc;

constexpr auto lock_lease = 5s;
constexpr auto busy_pause = 20ms;
/// A lock that is held again and again for so long is a defect somewhere.
constexpr auto longest_wait = 60s;
/// So few that their locks do not run out.
constexpr std::size_t devices_at_once = 256;

// KEYS: index bucket, lock    ARGV: field, lease (ms), what to write if there is nothing (or empty)
// Returns false if somebody else changes the device, else our claim and what the index said.
const redis::script claim_script("device_store.claim", R"lua(
local now = redis.call('TIME')
local claim = now[1] .. '.' .. now[2]
if not redis.call('SET', KEYS[2], claim, 'NX', 'PX', ARGV[2]) then return false end
local current = redis.call('HGET', KEYS[1], ARGV[1])
if not current and ARGV[3] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return {claim, current or ''}
)lua");

// KEYS: index bucket, lock    ARGV: field, claim, value (empty: delete), unlock (1 or 0)
// Returns 0 if the claim is not ours any more.
const redis::script write_script("device_store.write_index", R"lua(
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
if ARGV[4] == '1' then redis.call('DEL', KEYS[2]) end
return 1
)lua");

std::vector<territory> union_of(const std::vector<territory>& a, const std::vector<territory>& b) {
    std::vector<territory> out;
    std::ranges::set_union(a, b, std::back_inserter(out));
    return out;
}

}  // namespace

/// A change that is being made.
struct device_store::change_batch::step_work {
    pending* item = nullptr;
    std::string index;
    std::string lock;
    std::string claim;
    bool dropped = false;  ///< Not ours at this moment: to be tried again.
    bool spared = false;   ///< It is to be left as it is.

    [[nodiscard]] bool active() const noexcept { return !dropped && !spared; }
    [[nodiscard]] bool is_put() const noexcept { return item->change->what == device_change::action::put; }

    void add_write(redis::request& to, std::string value, bool unlock) const {
        const std::vector<std::string> keys{index, lock};
        const std::vector<std::string> arguments{
            std::string(item->hash.view()), claim, std::move(value), unlock ? "1" : "0"};
        to.add_script(write_script, keys, arguments);
    }
};

std::vector<device_store::change_batch::step_work> device_store::change_batch::next_steps() {
    std::vector<step_work> steps;
    std::set<std::string> taken;  // The first change of each device; the next one waits for it.
    for (pending& item : work_) {
        if (item.done || steps.size() == devices_at_once) {
            continue;
        }
        auto index = index_key(item);
        if (!index) {
            item.done = true;  // Nobody has ever registered with this app.
            continue;
        }
        step_work step;
        step.item = &item;
        step.lock = store_.keys_.change_lock(*index, item.hash.view());
        step.index = std::move(*index);
        if (taken.insert(step.lock).second) {
            steps.push_back(std::move(step));
        }
    }
    return steps;
}

asio::awaitable<result<>> device_store::change_batch::take_steps(std::vector<step_work>& steps) {
    result<> went = co_await claim(steps);
    if (went.has_value()) {
        went = co_await learn_heads();  // Of what the devices followed before.
    }
    if (went.has_value()) {
        went = co_await spare_the_changed(steps);
    }
    if (went.has_value()) {
        went = co_await write_ahead(steps);
    }
    if (went.has_value()) {
        went = co_await write_rosters(steps);
    }
    if (went.has_value()) {
        went = co_await confirm_heads(steps);
    }
    if (went.has_value()) {
        went = co_await conclude(steps);
    }
    co_return went;
}

asio::awaitable<result<>> device_store::change_batch::apply_in_steps() {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    duration waited{};
    for (;;) {
        if (const auto learnt = co_await learn_heads(); learnt.has_error()) {
            co_return learnt.error();
        }
        std::vector<step_work> steps = next_steps();
        if (steps.empty()) {
            co_return result<>();
        }
        if (const auto went = co_await take_steps(steps); went.has_error()) {
            co_return went;
        }
        if (std::ranges::none_of(steps, &step_work::dropped)) {
            continue;
        }
        if (waited >= longest_wait) {
            co_return redis_errc::timed_out;
        }
        waited += busy_pause;
        pause.expires_after(busy_pause);
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<result<>> device_store::change_batch::claim(std::vector<step_work>& steps) {
    redis::request what;
    for (const step_work& step : steps) {
        const std::vector<std::string> keys{step.index, step.lock};
        const std::vector<std::string> arguments{
            std::string(step.item->hash.view()), std::to_string(lock_lease / 1ms),
            step.is_put() && !step.item->is_guarded_put() ? encode_follows(step.item->change->which.follow)
                                                          : std::string()};
        what.add_script(claim_script, keys, arguments);
    }
    const auto answers = co_await store_.ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const redis::reply answer = (*answers)[i];
        step_work& step = steps[i];
        if (answer.is_nil()) {
            step.dropped = true;
            continue;
        }
        if (answer.size() != 2) {
            co_return redis_errc::unexpected_reply;
        }
        step.claim = answer[0].text();
        step.item->expected = answer[1].text();
        auto before = decode_follows(step.item->expected);
        if (!before) {
            co_return redis_errc::unexpected_reply;
        }
        step.item->before = std::move(*before);
        const bool guarded = step.item->is_guarded_put();
        const bool nobody = step.item->expected.empty();
        step.spared = ((!step.is_put() || guarded) && nobody) || (step.item->must_be_new() && !nobody);
        step.item->outcome = step.is_put() ? change_outcome::kept : change_outcome::absent;
    }
    co_return result<>();
}

asio::awaitable<result<>> device_store::change_batch::spare_the_changed(std::vector<step_work>& steps) {
    redis::request what;
    std::vector<step_work*> asked;
    for (step_work& step : steps) {
        const device_change& change = *step.item->change;
        if (!step.active() || !change.only_if_entry) {
            continue;
        }
        for (const territory& where : step.item->before) {
            if (const auto key = roster_key(*step.item, where)) {
                what.add("HGET", *key, step.item->hash.within_bucket());
                asked.push_back(&step);
                break;
            }
        }
    }
    const auto answers = co_await store_.ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const device_change& change = *asked[i]->item->change;
        const std::string record = encode_roster_record(
            change.which.token, *change.only_if_entry, store_.beginnings_on(change.where));
        if ((*answers)[i].text() != record) {
            asked[i]->spared = true;
            asked[i]->item->outcome = change_outcome::kept;
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> device_store::change_batch::write_ahead(std::vector<step_work>& steps) {
    redis::request what;
    std::vector<step_work*> asked;
    for (step_work& step : steps) {
        if (!step.active() || !step.is_put() || step.item->expected.empty()) {
            continue;  // A removal adds nothing, and a new device was written with the claim.
        }
        std::string both = encode_follows(union_of(step.item->before, step.item->change->which.follow));
        if (both != step.item->expected) {
            step.add_write(what, std::move(both), false);
            asked.push_back(&step);
        }
    }
    const auto answers = co_await store_.ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        asked[i]->dropped = (*answers)[i].integer() != 1;
    }
    co_return result<>();
}

// Three rounds, because an entry says of itself whether its device is sent to from there: from the
// first of the territories it follows that the event is for. Were the list of an old place the new one
// before the new place is written, the old one could point to where nothing stands yet.
asio::awaitable<result<>> device_store::change_batch::write_rosters(std::vector<step_work>& steps) {
    std::array<redis::request, 3> rounds;
    auto& [joins, updates, leaves] = rounds;
    for (const step_work& step : steps) {
        if (!step.active()) {
            continue;
        }
        const device& which = step.item->change->which;
        const std::vector<territory>& before = step.item->before;
        const std::string_view place = step.item->hash.within_bucket();
        const token_beginnings beginnings = store_.beginnings_on(step.item->change->where);
        const std::string record = step.is_put() ? encode_roster_record(which, beginnings) : std::string();
        for (const territory& where : step.is_put() ? which.follow : std::vector<territory>()) {
            if (const auto key = roster_key(*step.item, where)) {
                redis::request& round = std::ranges::binary_search(before, where) ? updates : joins;
                round.add("HSET", *key, place, record);
            }
        }
        for (const territory& where : before) {
            const auto key = roster_key(*step.item, where);
            const bool stays = step.is_put() && std::ranges::binary_search(which.follow, where);
            if (key && !stays) {
                leaves.add("HDEL", *key, place);
            }
        }
    }
    for (redis::request& round : rounds) {
        const auto written = co_await store_.ask(std::move(round));
        if (written.has_error()) {
            co_return written.error();
        }
    }
    co_return result<>();
}

// The heads stand in another slot than what was written by them: a node may have come back from an older
// state meanwhile. What was written by another head than now stands there is written again.
asio::awaitable<result<>> device_store::change_batch::confirm_heads(std::vector<step_work>& steps) {
    redis::request what;
    std::vector<std::pair<step_work*, std::string>> asked;
    for (step_work& step : steps) {
        if (!step.active() || !step.is_put()) {
            continue;
        }
        const device_change& change = *step.item->change;
        for (const territory& where : change.which.follow) {
            if (const auto head = known_head(change.app, change.where, where)) {
                const std::string field = roster_head_field(change.where, where);
                std::string written = encode_roster_head(*head);
                what.add("HSETNX", store_.keys_.rosters(change.app), field, written);
                what.add("HGET", store_.keys_.rosters(change.app), field);
                asked.emplace_back(&step, std::move(written));
            }
        }
    }
    const auto answers = co_await store_.ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if ((*answers)[2 * i + 1].text() != asked[i].second) {
            asked[i].first->dropped = true;
            forget_heads(asked[i].first->item->change->app);
        }
    }
    co_return result<>();
}

asio::awaitable<result<>> device_store::change_batch::conclude(std::vector<step_work>& steps) {
    redis::request what;
    std::vector<step_work*> asked;
    for (step_work& step : steps) {
        if (step.dropped) {
            continue;
        }
        std::string value;
        if (step.spared) {
            value = step.item->expected;
        } else if (step.is_put()) {
            value = encode_follows(step.item->change->which.follow);
        }
        step.add_write(what, std::move(value), true);
        asked.push_back(&step);
    }
    const auto answers = co_await store_.ask(std::move(what));
    if (answers.has_error()) {
        co_return answers.error();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        step_work& step = *asked[i];
        if ((*answers)[i].integer() != 1) {
            step.dropped = true;
            continue;
        }
        step.item->done = true;
        if (step.spared) {
            continue;
        }
        const bool is_new = step.item->expected.empty();
        step.item->outcome = !step.is_put() ? change_outcome::removed
                             : is_new       ? change_outcome::added
                                            : change_outcome::replaced;
    }
    co_return result<>();
}

}  // namespace tocsin
