#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"

#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Longer than any page takes; whoever dies on the way delays the end of that event by so much.
constexpr auto claimed_for = std::chrono::seconds(15);
constexpr char waiting_mark = '?';  // No provider's reason begins with it: reason_word() sees to that.

// Nothing is written of an event that has ended, or is nothing of ours.
//
// KEYS: ledger, dead    ARGV: the field that counts them, member, reason, …
const redis::script wait_script("ledger.let_dead_wait", R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' and state ~= 'cancelling' then return 0 end
for a = 2, #ARGV, 2 do
  local before = redis.call('HGET', KEYS[2], ARGV[a])
  if before and before ~= ARGV[a + 1] then
    redis.call('HSET', KEYS[2], ARGV[a], ARGV[a + 1])
    redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
  end
end
return 1
)lua");

// KEYS: ledger, dead    ARGV: the field that counts those that are held (empty: they are not), member, …
const redis::script strike_script("ledger.strike_dead", R"lua(
local struck = 0
for a = 2, #ARGV do struck = struck + redis.call('HDEL', KEYS[2], ARGV[a]) end
if ARGV[1] ~= '' and struck > 0 and redis.call('TYPE', KEYS[1]).ok == 'hash' then
  redis.call('HINCRBY', KEYS[1], ARGV[1], struck)
end
return struck
)lua");

// KEYS: ledger    ARGV: the field that says who removes, who asks, now (ms), how long it is theirs (ms)
const redis::script claim_script("ledger.claim_dead", R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 1 end
local till, who = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+) (.*)$')
if who and who ~= ARGV[2] and tonumber(till) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', ARGV[3] + ARGV[4]) .. ARGV[2])
return 1
)lua");

}  // namespace

bool waits_for_the_end(std::string_view reason) noexcept {
    return !reason.empty() && reason.front() == waiting_mark;
}

std::string_view reason_of_dead(std::string_view reason) noexcept {
    return waits_for_the_end(reason) ? reason.substr(1) : reason;
}

asio::awaitable<result<>> ledger::let_dead_wait(
    std::string event, std::vector<std::pair<std::string, std::string>> dead) {
    const std::vector<std::string> keys{keys_.ledger(event), keys_.dead(event)};
    std::vector<std::string> arguments{std::string(ledger_names::removals_waited)};
    for (auto& [member, reason] : dead) {
        arguments.push_back(std::move(member));
        arguments.push_back(waiting_mark + reason);
    }
    return redis::carry_out(redis_, redis::request(wait_script, keys, arguments));
}

asio::awaitable<result<ledger::claimed>> ledger::claim_dead(std::string event, wall_time now) {
    const std::vector<std::string> keys{keys_.ledger(event)};
    const std::vector<std::string> arguments{
        std::string(ledger_names::removals_by), consumer_, std::to_string(now.time_since_epoch().count()),
        std::to_string(claimed_for / std::chrono::milliseconds(1))};
    redis::request ask(claim_script, keys, arguments);
    const auto checked = co_await redis::execute_checked(redis_, std::move(ask));
    if (checked.has_error()) {
        co_return checked.error();
    }
    co_return checked->front().integer() == 1 ? claimed::ours : claimed::theirs;
}

asio::awaitable<result<>> ledger::strike_dead(
    std::string event, std::vector<std::string> members, dead_end how) {
    if (members.empty()) {
        co_return result<>();
    }
    const std::vector<std::string> keys{keys_.ledger(event), keys_.dead(event)};
    std::vector<std::string> arguments{
        how == dead_end::held ? std::string(ledger_names::removals_held) : std::string()};
    for (std::string& one : members) {
        arguments.push_back(std::move(one));
    }
    redis::request ask(strike_script, keys, arguments);
    co_return co_await redis::carry_out(redis_, std::move(ask));
}

}  // namespace tocsin
