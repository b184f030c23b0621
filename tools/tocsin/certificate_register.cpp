#include "tools/tocsin/certificate_register.hpp"

#include "engine/redis/check.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tocsin::cli {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kept = std::chrono::hours(365 * 24);
constexpr int most_of_an_event = 64;

std::string key_of(const redis_session& redis, std::string_view event) {
    return redis.keys().prefix() + ":certificates:" + std::string(event);
}

}  // namespace

asio::awaitable<result<>> note_certificate(
    redis_session& redis, std::string event, std::string digest, wall_time as_of) {
    const std::string key = key_of(redis, event);
    redis::request ask;
    ask.add("ZADD", key, as_of.time_since_epoch().count(), digest)
        .add("PEXPIRE", key, kept.count())
        .add("ZRANGE", key, 0, -1 - most_of_an_event);
    const auto answer = co_await redis::execute_checked(redis.redis(), std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    const redis::reply oldest = (*answer)[2];
    if (oldest.size() == 0) {
        co_return result<>();
    }
    redis::request forget;
    forget.begin(2 + oldest.size()).append("ZREM").append(key);
    for (std::size_t i = 0; i < oldest.size(); ++i) {
        forget.append(oldest[i].text());
    }
    co_return co_await redis::carry_out(redis.redis(), std::move(forget));
}

asio::awaitable<result<certificates_made>> find_certificate(
    redis_session& redis, std::string event, std::string digest) {
    const std::string key = key_of(redis, event);
    redis::request ask("ZRANGE", key, 0, -1, "WITHSCORES");
    const auto answer = co_await redis::execute_checked(redis.redis(), std::move(ask));
    if (answer.has_error()) {
        co_return answer.error();
    }
    certificates_made out;
    const redis::reply made = answer->front();
    out.how_many = made.size() / 2;
    for (std::size_t i = 0; i + 1 < made.size(); i += 2) {
        if (made[i].text() == digest) {
            const std::string_view text = made[i + 1].text();
            std::int64_t ms = 0;
            std::from_chars(text.data(), text.data() + text.size(), ms);
            out.this_one = wall_time(std::chrono::milliseconds(ms));
        }
    }
    co_return out;
}

}  // namespace tocsin::cli
