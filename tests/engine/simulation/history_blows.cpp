#include "engine/control/control_board.hpp"
#include "tests/engine/simulation/history.hpp"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

// What befalls the engines and their Redis: time, crashes, failovers, clocks that are set.

namespace tocsin::testing {
namespace {

// As if the time had passed in Redis, too: everything that is pending has been so for longer.
// KEYS: streams    ARGV: group, ms, lease (ms). Returns how many leases have lapsed by that.
const redis::script age("simulation.age", R"lua(
local lapsed = 0
for _, stream in ipairs(KEYS) do
  local pending = redis.pcall('XPENDING', stream, ARGV[1], '-', '+', 1000)
  if not pending.err then
    for _, one in ipairs(pending) do
      local idle = one[3] + ARGV[2]
      if one[3] < tonumber(ARGV[3]) and idle >= tonumber(ARGV[3]) then lapsed = lapsed + 1 end
      redis.call('XCLAIM', stream, ARGV[1], one[2], 0, one[1], 'IDLE', idle, 'JUSTID')
    end
  end
end
return lapsed
)lua");

}  // namespace

void history::pass_time(duration by) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(by);
    time_.advance(ms);
    not_aged_ += ms;
    if (!redis_.demoted()) {
        age_what_is_pending();
    }
    for (named_engine& one : engines_) {
        one.time->advance(ms);
        if (one.life == nullptr) {
            continue;
        }
        one.since_renewal += ms;
        if (one.renews && one.since_renewal >= how_.lease / 3) {
            one.since_renewal = {};
            one.life->renew_leases();
        }
        one.life->run();
    }
}

void history::age_what_is_pending() {
    const auto ms = std::exchange(not_aged_, std::chrono::milliseconds{});
    std::vector<std::string> streams{keys_.events()};
    for (const published_event& event : events_) {
        for (const platform on : platforms_) {
            streams.push_back(keys_.shards(event.id, to_string(target{"mairies", on})));
        }
    }
    const std::vector<std::string> arguments{
        std::string(keyspace::group), std::to_string(ms.count()), std::to_string(how_.lease.count())};
    redis::request older;
    older.add_script(age, streams, arguments);
    const auto answer = redis_.server().ask(std::move(older));
    ASSERT_FALSE(answer.first_error()) << *answer.first_error();
    lapses_ += static_cast<std::uint64_t>(answer.front().integer().value_or(0));
}

void history::take_snapshot() {
    redis::request ask;
    ask.add("KEYS", "*");
    const auto names = redis_.server().ask(std::move(ask));
    snapshot_.emplace();
    if (names.front().size() == 0) {
        return;
    }
    redis::request dump;
    for (std::size_t i = 0; i < names.front().size(); ++i) {
        dump.add("DUMP", names.front()[i].text()).add("PTTL", names.front()[i].text());
    }
    const auto values = redis_.server().ask(std::move(dump));
    for (std::size_t i = 0; i < names.front().size(); ++i) {
        snapshot_->push_back(
            {std::string(names.front()[i].text()), std::string(values[2 * i].text()),
             std::max<std::int64_t>(0, *values[2 * i + 1].integer())});
    }
}

void history::lose_what_came_after() {
    redis::request ask;
    ask.add("FLUSHALL").add("SCRIPT", "FLUSH");
    for (const kept_key& one : snapshot_.value_or(std::vector<kept_key>())) {
        ask.add("RESTORE", one.name, one.lives_ms, one.value);
    }
    ASSERT_FALSE(redis_.server().ask(std::move(ask)).first_error());
    lost_history_ = true;
    later_.clear();
    for (named_engine& one : engines_) {
        if (one.life != nullptr) {
            for (const auto& connection : one.life->connections()) {
                connection->break_off();
            }
            one.life->run();
        }
    }
}

void history::fail_over() {
    if (redis_.demoted()) {
        promote();
    } else if (redis_.replicated() && one_in(4)) {
        redis_.cut_off_replica();
    } else {
        const auto fate = one_in(2) ? redis_pair::fate::isolated : redis_pair::fate::follows;
        redis_.demote(fate);
        lost_history_ = lost_history_ || (fate == redis_pair::fate::follows && !redis_.survives());
    }
}

void history::promote() {
    // One that followed the other has what the other has, and is no successor to itself.
    if (redis_.isolated() && one_in(2)) {
        redis_.promote_same();
    } else {
        lost_history_ = lost_history_ || !redis_.survives();
        redis_.promote_other();
    }
    // A proxy keeps its clients, an address that moves does not.
    if (one_in(2)) {
        for (named_engine& one : engines_) {
            if (one.life != nullptr) {
                for (const auto& connection : one.life->connections()) {
                    connection->break_off();
                    ++lost_connections_;
                }
                one.life->run();
            }
        }
    }
}

void history::kill(named_engine& which) {
    ++kills_;
    for (const auto& one : which.life->connections()) {
        one->die(below(4), later_);
    }
    which.life.reset();
}

void history::set_a_clock() {
    clocks_were_set_ = true;
    named_engine& one = engines_[below(engines_.size())];
    one.time->set_wall(time_.wall_now() + std::chrono::milliseconds(below(10'000)) - std::chrono::seconds(5));
}

void history::cancel_one() {
    published_event& one = events_[below(events_.size())];
    control_board board(direct_, keys_);
    const auto answer = at_once(board.cancel(one.id));
    ASSERT_TRUE(answer.has_value());
    one.cancelled = one.cancelled || answer->cancelled();
}

void history::arrive_late() {
    if (!later_.empty()) {
        const auto which = later_.begin() + static_cast<std::ptrdiff_t>(below(later_.size()));
        redis_.let_arrive(*which->to);
        static_cast<void>(which->to->ask(std::move(which->requests.front())));
        which->requests.pop_front();
        if (which->requests.empty()) {
            later_.erase(which);
        }
    }
}

}  // namespace tocsin::testing
