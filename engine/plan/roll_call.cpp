#include "engine/plan/roll_call.hpp"

#include "engine/redis/check.hpp"

#include <algorithm>
#include <chrono>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// An engine answers once a second. One that is gone keeps pieces small for the others for so long.
constexpr auto forgotten_after = 5s;

}  // namespace

boost::asio::awaitable<result<std::size_t>> roll_call::answer(wall_time now) {
    const auto ms = [](wall_time when) { return when.time_since_epoch().count(); };
    redis::request ask("ZREMRANGEBYSCORE", keys_.engines(), "-inf", ms(now - forgotten_after));
    ask.add("ZADD", keys_.engines(), ms(now), instance_);
    ask.add("ZCARD", keys_.engines());
    const auto fine = co_await redis::execute_checked(redis_, std::move(ask));
    if (fine.has_error()) {
        co_return fine.error();
    }
    co_return static_cast<std::size_t>(std::max<std::int64_t>(1, fine->back().integer().value_or(1)));
}

boost::asio::awaitable<result<>> roll_call::leave() {
    return redis::carry_out(redis_, redis::request("ZREM", keys_.engines(), instance_));
}

}  // namespace tocsin
