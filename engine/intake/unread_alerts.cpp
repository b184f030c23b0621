#include "engine/intake/unread_alerts.hpp"

#include "engine/redis/check.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace asio = boost::asio;

// Most entries are small; a few of the largest must not fill the memory.
constexpr std::size_t fewest_at_once = 16;
constexpr std::size_t most_at_once = 64;
constexpr std::size_t many_bytes = 1'000'000;
// Before reading goes on.
constexpr int most_pages = 100;
// Alerts of one look: those behind them are found by the next.
constexpr std::size_t most_alerts = 100;
constexpr std::size_t most_alert_bytes = 4'000'000;

}  // namespace

bool looks_critical(std::string_view document) noexcept {
    return document.find("\"critical\"") != std::string_view::npos;
}

asio::awaitable<result<unread_alerts::unread>> unread_alerts::follow_readers() {
    redis::request ask("XINFO", "GROUPS", keys_.events());
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const auto group = redis::parse_group(answer->front(), keyspace::group);
    const auto read = group ? redis::parse_entry_id(group->last_delivered) : std::nullopt;
    if (!read) {
        co_return unread::unknown;
    }
    // If readers are further back than they were, it is another stream, or an older state of it.
    seen_ = *read < read_ ? *read : std::max(*read, seen_);
    read_ = *read;
    co_return unread::some_perhaps;
}

asio::awaitable<result<std::vector<unread_alerts::alert>>> unread_alerts::look() {
    const auto there = co_await follow_readers();
    if (there.has_error()) {
        co_return there.error();
    }
    std::vector<alert> out;
    std::size_t kept = 0;
    bool more = *there == unread::some_perhaps;
    for (int page = 0; more && page < most_pages; ++page) {
        redis::request ask(
            "XRANGE", keys_.events(), "(" + seen_.to_string(), "+", "COUNT", std::to_string(at_once_));
        const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const auto entries = redis::parse_entries(answer->front());
        if (entries.has_error()) {
            co_return entries.error();
        }
        std::size_t bytes = 0;
        for (const redis::stream_entry& entry : *entries) {
            const std::string_view document = entry.field("event").value_or("");
            bytes += document.size();
            if (looks_critical(document)) {
                if (out.size() == most_alerts || kept > most_alert_bytes) {
                    co_return out;
                }
                out.push_back({entry.id, std::string(document)});
                kept += document.size();
            }
            seen_ = redis::parse_entry_id(entry.id).value_or(seen_);
        }
        more = entries->size() == at_once_;
        at_once_ = bytes > many_bytes ? fewest_at_once : std::min(2 * at_once_, most_at_once);
    }
    co_return out;
}

}  // namespace tocsin
