#include "engine/plan/ledger.hpp"

#include "engine/plan/ledger_scripts.hpp"
#include "engine/redis/check.hpp"

#include <utility>

namespace tocsin {

namespace asio = boost::asio;

asio::awaitable<result<std::vector<std::string>>> ledger::running(std::size_t limit) {
    redis::request ask("ZRANGE", keys_.running(), 0, limit - 1);
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    co_return answer->front().texts();
}

asio::awaitable<result<ledger_fields>> ledger::read(std::string event) {
    redis::request ask("HGETALL", keys_.ledger(event));
    const auto answer = co_await redis::execute_checked(redis_, std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    ledger_fields out;
    const redis::reply fields = answer->front();
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        out.emplace(fields[i].text(), fields[i + 1].text());
    }
    co_return out;
}

asio::awaitable<result<>> ledger::forget_running(std::string event) {
    return redis::carry_out(redis_, redis::request("ZREM", keys_.running(), event));
}

asio::awaitable<result<>> ledger::forget_scheduled(std::string event) {
    return redis::carry_out(redis_, redis::request("ZREM", keys_.scheduled(), event));
}

asio::awaitable<result<>> ledger::forget_begun(std::string event) {
    return redis::carry_out(redis_, redis::request("ZREM", keys_.begun(), event));
}

asio::awaitable<result<>> ledger::erase_scheduled(std::string event) {
    const std::vector<std::string> keys{keys_.ledger(event)};
    redis::request erase(ledger_scripts::erase_scheduled, keys, {});
    const auto erased = co_await redis::execute_checked(redis_, std::move(erase));
    if (erased.has_error()) {
        co_return erased.error();
    }
    if (erased->front().integer() == 0) {
        co_return result<>();  // Another engine has just planned it, or it was cancelled.
    }
    co_return co_await forget_scheduled(std::move(event));
}

}  // namespace tocsin
