#include "engine/redis/check.hpp"

#include "engine/redis/client.hpp"
#include "engine/redis/error.hpp"
#include "engine/redis/error_replies.hpp"
#include "engine/redis/request.hpp"

#include <utility>

namespace tocsin::redis {

result<replies> checked(result<replies> answer, std::string* text) {
    if (answer.has_error()) {
        return answer;
    }
    const auto problem = answer->first_error();
    if (!problem) {
        return answer;
    }
    if (text != nullptr) {
        *text = *problem;
    }
    return code_for(*problem);
}

result<replies> checked(result<replies> answer, logger& log, std::string_view purpose) {
    std::string text;
    result<replies> outcome = checked(std::move(answer), &text);
    if (!text.empty()) {
        log.error("redis.command_failed", {{"purpose", purpose}, {"error", text}});
    }
    return outcome;
}

bool may_be_the_keys(const error_code& why) noexcept {
    return why == redis_errc::unexpected_reply || why == redis_errc::error_reply ||
           why == redis_errc::damaged || why == redis_errc::overloaded || why == redis_errc::not_routable;
}

boost::asio::awaitable<result<replies>> execute_checked(client& redis, request what) {
    auto answer = co_await redis.execute(std::move(what));
    co_return checked(std::move(answer));
}

boost::asio::awaitable<result<>> carry_out(client& redis, request what) {
    const auto answer = co_await execute_checked(redis, std::move(what));
    co_return answer.has_error() ? result<>(answer.error()) : result<>();
}

}  // namespace tocsin::redis
