#include "engine/plan/reach_desk.hpp"

#include "engine/core/plain_json.hpp"
#include "engine/plan/ledger.hpp"
#include "engine/plan/report.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr int events_at_once = 16;
/// However long the window was: so long the sums can be read after it.
constexpr std::int64_t kept_at_least = std::chrono::milliseconds(1h).count();

// From here on no receipt counts, so that the sums are final and whoever makes the document makes the same.
//
// KEYS: ledger    ARGV: now (ms)
// Returns the entry of the event and since when (ms) its receipts are closed; nothing if it is not there, or
// has not ended.
const redis::script close_script("reach.close", R"lua(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return false end
local have = redis.call('HMGET', KEYS[1], 'state', 'entry', 'receipts_until')
if have[1] == 'running' or have[1] == 'cancelling' or not have[3] then return false end
redis.call('HSETNX', KEYS[1], 'receipts_closed_at', ARGV[1])
return {have[2] or '', redis.call('HGET', KEYS[1], 'receipts_closed_at')}
)lua");

// KEYS: reach, published    ARGV: event and entry, document, max length, now (ms), remember (ms)
const redis::script publish_script("reach.publish", R"lua(
if redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[1]) == 0 then return 0 end
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'reach', ARGV[2])
if type(added) == 'table' and added.err then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return added
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - ARGV[5])
return 1
)lua");

std::int64_t to_ms(wall_time when) noexcept {
    return when.time_since_epoch().count();
}

/// Whether an entry was added by `until`.
bool is_before(std::string_view entry, std::int64_t until) noexcept {
    const auto id = redis::parse_entry_id(entry);
    return id && id->ms <= static_cast<std::uint64_t>(until);
}

}  // namespace

asio::awaitable<result<reach_desk::backlog>> reach_desk::backlog_before(std::int64_t until) {
    redis::request look("XINFO", "GROUPS", keys_.receipts());
    const auto groups = co_await redis_.execute(std::move(look));
    if (groups.has_error()) {
        co_return groups.error();
    }
    // No stream yet, or no group: whatever is handed in will be read after this.
    const auto group = redis::parse_group(groups->front(), keyspace::group);
    if (!group || group->last_delivered.empty()) {
        co_return backlog::handled;
    }
    redis::request ask("XRANGE", keys_.receipts(), "(" + group->last_delivered, "+", "COUNT", 1);
    ask.add("XPENDING", keys_.receipts(), keyspace::group);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const auto unread = redis::parse_entries((*answer)[0]);
    if (unread.has_error()) {
        co_return unread.error();
    }
    const redis::reply pending = (*answer)[1];
    const bool being_handled =
        pending.size() >= 2 && pending[0].integer().value_or(0) > 0 && is_before(pending[1].text(), until);
    const bool left = being_handled || (!unread->empty() && is_before(unread->front().id, until));
    co_return left ? backlog::left : backlog::handled;
}

asio::awaitable<result<>> reach_desk::publish_due() {
    const std::int64_t now = to_ms(time_.wall_now());
    redis::request ask(
        "ZRANGEBYSCORE", keys_.receipts_open(), "-inf", now - 1, "WITHSCORES", "LIMIT", 0, events_at_once);
    const auto due = co_await redis::execute_checked(redis_, std::move(ask));
    if (due.has_error()) {
        co_return due.error();
    }
    const redis::reply list = due->front();
    result<> out;
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
        const auto left = co_await backlog_before(list[i + 1].integer().value_or(0));
        if (left.has_error()) {
            co_return left.error();
        }
        if (*left == backlog::left) {
            continue;
        }
        std::string event(list[i].text());
        const auto published = co_await publish(event);
        if (published.has_error()) {
            log_.warning("reach.later", {{"event_id", event}, {"error", published.error().message()}});
            out = published;
        }
    }
    co_return out;
}

asio::awaitable<result<>> reach_desk::publish(std::string event) {
    const std::int64_t now = to_ms(time_.wall_now());
    const std::vector<std::string> book{keys_.ledger(event)};
    const std::vector<std::string> closing{std::to_string(now)};
    redis::request close(close_script, book, closing);
    const auto closed = co_await redis::execute_checked(redis_, std::move(close));
    if (closed.has_error()) {
        co_return closed.error();
    }
    if (closed->front().size() != 2) {
        log_.error("reach.lost", {{"event_id", event}});
        redis::request forget("ZREM", keys_.receipts_open(), event);
        co_return co_await redis::carry_out(redis_, std::move(forget));
    }
    ledger ledgers(redis_, keys_, std::string());
    const auto fields = co_await ledgers.read(event);
    if (fields.has_error()) {
        co_return fields.error();
    }
    const event_report report = read_report(event, *fields);
    const std::vector<std::string> streams{keys_.reach(), keys_.reach_published()};
    const std::vector<std::string> letter{
        event + '/' + std::string(closed->front()[0].text()), plain_json(reach_document(report, places_)),
        std::to_string(how_.max_length), std::to_string(now), std::to_string(how_.retention.count())};
    redis::request add(publish_script, streams, letter);
    const auto added = co_await redis::execute_checked(redis_, std::move(add));
    if (added.has_error()) {
        co_return added.error();
    }
    if (added->front().integer() == 1) {
        const auto all = reach_of_all(report, reach_lines(report, places_));
        log_.info(
            "reach.published", {{"event_id", event},
                                {"accepted", all.accepted},
                                {"received", all.count(receipt_kind::received)},
                                {"displayed", all.count(receipt_kind::displayed)},
                                {"opened", all.count(receipt_kind::opened)}});
    }
    co_return co_await tidy_up(std::move(event), report.receipts_until);
}

asio::awaitable<result<>> reach_desk::tidy_up(std::string event, std::int64_t until) {
    // Counted from the end of the window: a shorter time would forget the batches of an entry that is read
    // again.
    const std::int64_t now = to_ms(time_.wall_now());
    const std::int64_t kept = std::max(kept_at_least, until + how_.retention.count() - now);
    redis::request expire("PEXPIRE", keys_.ledger(event), kept);
    for (std::size_t part = 0; part < keyspace::batch_parts; ++part) {
        expire.add("PEXPIRE", keys_.batches(event, part), kept);
    }
    const auto expires = co_await redis::execute_checked(redis_, std::move(expire));
    if (expires.has_error()) {
        co_return expires.error();
    }
    redis::request forget("ZREM", keys_.receipts_open(), event);
    co_return co_await redis::carry_out(redis_, std::move(forget));
}

}  // namespace tocsin
