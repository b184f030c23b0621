#include "engine/redis_watch.hpp"

#include "engine/keyspace/keyspace.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// What Redis refused so lately is what it refuses now.
constexpr auto refusal_lasts = 5s;
constexpr std::chrono::duration<double> clocks_apart = 3s;
// An answer that took longer says too little about when Redis read its clock.
constexpr auto too_slow_to_compare = 500ms;
// A connection that comes back within a second or so is no news; a client waits longer for it by itself.
constexpr int looks_until_lost = 3;

}  // namespace

void redis_watch::look() {
    absent_ = redis_.connected() ? 0 : absent_ + 1;
    if (absent_ == looks_until_lost) {
        flag_.failing("Redis at " + address_ + " is not connected.");
    }
}

boost::asio::awaitable<void> redis_watch::sample() {
    redis::request ask;
    for (const incoming_stream& stream : incoming_streams) {
        ask.add("XINFO", "GROUPS", stream.key_in(keys_));
    }
    ask.add("TIME").add("HGET", keys_.canary(), "at");
    const wall_time asked_at = time_.wall_now();
    const time_point begun = time_.now();
    const auto answer = co_await redis_.execute(std::move(ask));
    const duration round_trip = time_.now() - begun;
    const auto refusal = count_errors();
    if (answer.has_error()) {
        const std::string words = refusal ? " (" + refusal->text + ")" : std::string();
        flag_.failing("Redis at " + address_ + ": " + answer.error().message() + words);
        co_return;
    }
    tell_refusal(refusal);
    compare_clocks((*answer)[incoming_streams.size()], asked_at, round_trip);
    count_streams(*answer);
    age_canary((*answer)[incoming_streams.size() + 1], (*answer)[incoming_streams.size()]);
}

// By the clock of Redis, which named the canary's entry: neither its host's nor ours matters.
void redis_watch::age_canary(const redis::reply& arrived_at, const redis::reply& redis_time) {
    const auto then = arrived_at.integer();
    const auto now = redis_time.size() == 2 ? redis_time[0].integer() : std::nullopt;
    if (then && now) {
        const std::chrono::duration<double> age =
            std::chrono::seconds(*now) - std::chrono::milliseconds(*then);
        numbers_.gauge(metric::canary_age_seconds, {}).set(std::max(0.0, age.count()));
    }
}

std::optional<redis::error_replies::last_error> redis_watch::count_errors() {
    std::uint64_t errors = 0;
    std::optional<redis::error_replies::last_error> refusal;
    for (const redis::client* const one : watched_) {
        errors += one->errors();
        auto last = one->last_error();
        if (last && time_.now() - last->at <= refusal_lasts && (!refusal || last->at > refusal->at)) {
            refusal = std::move(last);
        }
    }
    numbers_.counter(metric::redis_errors_total, {}).add(errors - std::exchange(errors_seen_, errors));
    return refusal;
}

void redis_watch::count_streams(const redis::replies& answers) {
    for (std::size_t i = 0; i < incoming_streams.size(); ++i) {
        const std::string_view name = incoming_streams[i].name;
        const auto group = redis::parse_group(answers[i], keyspace::group);
        if (group && group->lag) {
            numbers_.gauge(metric::stream_lag, {name}).set(static_cast<double>(*group->lag));
        }
        if (group && group->pending) {
            numbers_.gauge(metric::pending, {name}).set(static_cast<double>(*group->pending));
        }
    }
}

void redis_watch::tell_refusal(const std::optional<redis::error_replies::last_error>& refusal) {
    if (!refusal) {
        flag_.fulfilled();
        refusal_told_.clear();
        return;
    }
    const std::string kind(redis::error_class(refusal->text));
    const std::string_view advice = redis::advice_for(kind);
    flag_.failing("Redis at " + address_ + " says: " + refusal->text + ". " + std::string(advice));
    if (std::exchange(refusal_told_, kind) != kind) {
        log_.error("redis.refuses", {{"class", kind}, {"error", refusal->text}, {"advice", advice}});
    }
}

// A ttl counts from what Redis calls the time, and an expiry is checked by our clock.
void redis_watch::compare_clocks(const redis::reply& redis_time, wall_time asked_at, duration round_trip) {
    const auto seconds = redis_time.size() == 2 ? redis_time[0].integer() : std::nullopt;
    const auto fraction = redis_time.size() == 2 ? redis_time[1].integer() : std::nullopt;
    if (!seconds || !fraction || round_trip > too_slow_to_compare) {
        return;
    }
    const std::chrono::duration<double> theirs =
        std::chrono::seconds(*seconds) + std::chrono::microseconds(*fraction);
    // Half of the way there and back is the best guess of when Redis read its clock.
    const std::chrono::duration<double> ours = asked_at.time_since_epoch() + round_trip / 2;
    const double ahead = (ours - theirs).count();
    numbers_.gauge(metric::clock_offset_seconds, {}).set(ahead);
    const bool apart = std::abs(ahead) > clocks_apart.count();
    if (std::exchange(clocks_told_, apart) != apart && apart) {
        log_.error(
            "clock.differs",
            {{"seconds_ahead_of_redis", ahead},
             {"advice", "Events expire early or late: check NTP here and on the host of Redis."}});
    }
}

}  // namespace tocsin
