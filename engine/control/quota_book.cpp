#include "engine/control/quota_book.hpp"

#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// All times are microseconds of Redis' own clock, so that engines need not agree on theirs. That clock may be
// set back: what was given out is moved with it, or nothing would be sent until it is that late again. `at`
// is the latest time that the bucket has seen. No instant is further ahead than any pause may be. A bucket
// lives for an hour, and what is none is replaced by a new one.
constexpr std::string_view opening = R"lua(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local have = redis.call('HMGET', KEYS[1], 'taken', 'urgent', 'share', 'share_at', 'warmth', 'at')
local back = math.max(0, (tonumber(have[6]) or 0) - now)
local function instant(field)
  local when = (tonumber(field) or 0) - back
  return when < now + 1800000000 and when or now
end
local share = tonumber(have[3]) or 1
local share_at = math.min(now, instant(have[4]))
if share < 1 then share = math.min(1, share + (now - share_at) / 1000000 * 0.02) end
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now))
)lua";

// KEYS: bucket    ARGV: rate, wanted, critical (1 or 0), burst, ramp (µs), gentle rate
// `taken` is the instant up to which the rate is given out, `urgent` the same for critical pushes
// alone. `share` is what is left of the rate after the provider pushed back; it grows again.
// `warmth` goes from 0 to 1 over the ramp while the bucket is used, and back while it is not.
// Returns pushes, µs from now to the slice's begin, its length in µs.
const std::string lease_source = std::string(opening) + R"lua(
local taken, urgent = instant(have[1]), instant(have[2])
local critical, burst = ARGV[3] == '1', tonumber(ARGV[4])
local whole, ramp, gentle = tonumber(ARGV[1]), tonumber(ARGV[5]), tonumber(ARGV[6])
local rate = whole * share
local warmth = 1
if ramp > 0 then
  warmth = math.max(0, (tonumber(have[5]) or 0) - math.max(0, now - taken) / ramp)
  if not critical and rate > gentle then rate = gentle + (rate - gentle) * warmth end
end
-- It takes as long as what was asked for would at the whole rate: an engine that dies with it costs the
-- others no more than that.
local n = math.max(1, math.floor(tonumber(ARGV[2]) * rate / whole))
local length = n * 1000000 / rate
local from
if critical then
  from = math.max(urgent, now - burst)
  urgent = from + length
  taken = math.max(taken, now - burst) + length
else
  from = math.max(taken, now - burst)
  taken = from + length
end
if ramp > 0 then
  redis.call('HSET', KEYS[1], 'warmth', string.format('%.6f', math.min(1, warmth + length / ramp)))
end
redis.call('HSET', KEYS[1], 'taken', string.format('%.0f', taken), 'urgent', string.format('%.0f', urgent))
redis.call('PEXPIRE', KEYS[1], 3600000)
return {n, string.format('%.0f', from - now), string.format('%.0f', length)}
)lua";
const redis::script lease_script("quota.lease", lease_source);

// KEYS: bucket    ARGV: hold, ramp (both µs)
// A time of silence that the provider asked for cools the bucket down as any other does.
const std::string slow_source = std::string(opening) + R"lua(
local hold, ramp = tonumber(ARGV[1]), tonumber(ARGV[2])
if now - share_at > 1000000 then
  redis.call('HSET', KEYS[1], 'share', math.max(0.1, share * 0.7), 'share_at', string.format('%.0f', now))
  if ramp > 0 then
    redis.call('HSET', KEYS[1], 'warmth',
      string.format('%.6f', math.max(0, (tonumber(have[5]) or 0) - hold / ramp)))
  end
end
local at = now + hold
redis.call('HSET', KEYS[1],
  'taken', string.format('%.0f', math.max(at, instant(have[1]))),
  'urgent', string.format('%.0f', math.max(at, instant(have[2]))))
redis.call('PEXPIRE', KEYS[1], 3600000)
return 1
)lua";
const redis::script slow_script("quota.slow_down", slow_source);

// What may be caught up on after a silence.
constexpr std::chrono::microseconds burst(50'000);
constexpr std::chrono::microseconds critical_burst(100'000);

std::string microseconds(std::chrono::microseconds what) {
    return std::to_string(what.count());
}

std::int64_t to_number(std::string_view text) noexcept {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

asio::awaitable<result<quota_slice>> quota_book::lease(question what) {
    const std::vector<std::string> keys{keys_.limit(to_string(what.which))};
    const std::vector<std::string> arguments{
        std::to_string(what.rate), std::to_string(what.wanted),
        what.critical ? "1" : "0", microseconds(what.critical ? critical_burst : burst),
        microseconds(ramp_up_),    std::to_string(gentle_rate)};
    redis::request ask(lease_script, keys, arguments);
    const time_point asked = time_.now();
    const auto checked = co_await redis::execute_checked(redis_, std::move(ask));
    if (checked.has_error()) {
        co_return checked.error();
    }
    const redis::reply parts = checked->front();
    if (parts.size() != 3) {
        co_return redis::redis_errc::unexpected_reply;
    }
    quota_slice out;
    out.pushes = static_cast<std::uint32_t>(parts[0].integer().value_or(0));
    // Half of the way there and back is the best guess of when Redis read its clock.
    const time_point then = asked + (time_.now() - asked) / 2;
    out.from = then + std::chrono::microseconds(to_number(parts[1].text()));
    out.until = out.from + std::chrono::microseconds(to_number(parts[2].text()));
    co_return out;
}

asio::awaitable<result<>> quota_book::slow_down(target which, std::chrono::milliseconds hold) {
    const std::vector<std::string> keys{keys_.limit(to_string(which))};
    const std::vector<std::string> arguments{microseconds(hold), microseconds(ramp_up_)};
    return redis::carry_out(redis_, redis::request(slow_script, keys, arguments));
}

}  // namespace tocsin
