#include "engine/plan/ledger.hpp"
#include "engine/plan/ledger_names.hpp"
#include "engine/redis/check.hpp"
#include "engine/redis/error.hpp"

#include <utility>

// Whom an event may have been sent to: what one that ends it asks.

namespace tocsin {
namespace {

namespace asio = boost::asio;
using redis::redis_errc;

// Some 12 KB each.
constexpr int pages_per_scan = 64;

}  // namespace

asio::awaitable<result<std::vector<hashed_device>>> ledger::reached(std::string event, target which) {
    const std::string key = keys_.reached(event, to_string(which));
    std::vector<hashed_device> out;
    std::string cursor = "0";
    do {
        redis::request ask("HSCAN", key, cursor, "COUNT", pages_per_scan);
        const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
        if (answer.has_error()) {
            co_return answer.error();
        }
        const redis::reply parts = answer->front();
        if (parts.size() != 2) {
            co_return redis_errc::unexpected_reply;
        }
        cursor = parts[0].text();
        for (std::size_t i = 0; i + 1 < parts[1].size(); i += 2) {
            const auto page = decode_hashed(parts[1][i + 1].text());
            if (!page) {
                co_return redis_errc::damaged;
            }
            out.insert(out.end(), page->begin(), page->end());
        }
    } while (cursor != "0");
    co_return out;
}

asio::awaitable<result<ledger::knowledge>> ledger::known(std::string event, std::vector<target> targets) {
    redis::request ask("HGET", keys_.ledger(event), ledger_names::state);
    for (const target& which : targets) {
        ask.add("EXISTS", keys_.reached(event, to_string(which)));
    }
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const event_state state = parse_event_state(answer->front().text());
    if (is_open(state)) {
        co_return knowledge::under_way;
    }
    bool any = state != event_state::none;
    for (std::size_t i = 1; i < answer->size(); ++i) {
        any = any || (*answer)[i].integer() == 1;
    }
    co_return any ? knowledge::ended : knowledge::none;
}

}  // namespace tocsin
