#include "engine/control/control_watch.hpp"

#include "engine/redis/check.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto longest_wait = 1s;
constexpr auto error_pause = 250ms;

}  // namespace

asio::awaitable<result<>> control_watch::follow() {
    // The place to wait from is read before the state: a change in between wakes us at once.
    redis::request newest;
    newest.add("XREVRANGE", keys_.control_changes(), "+", "-", "COUNT", 1);
    auto answer = co_await redis_.execute(std::move(newest));
    const auto last = redis::checked(std::move(answer));
    if (last.has_error()) {
        co_return last.error();
    }
    const redis::reply entries = last->front();
    const std::string from = entries.size() == 0 ? std::string("0-0") : std::string(entries[0][0].text());
    auto now = co_await board_.read();
    if (now.has_error()) {
        co_return now.error();
    }
    if (*now != known_ && !stopping_) {
        known_ = std::move(*now);
        changed_(known_);
    }
    redis::request wait;
    wait.add(
        "XREAD", "COUNT", 1, "BLOCK", std::chrono::milliseconds(longest_wait).count(), "STREAMS",
        keys_.control_changes(), from);
    wait.expect_delay(longest_wait);
    auto woken = co_await redis_.execute(std::move(wait));
    const auto fine = redis::checked(std::move(woken));
    co_return fine.has_error() ? result<>(fine.error()) : result<>();
}

asio::awaitable<void> control_watch::run() {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (!stopping_) {
        const auto followed = co_await follow();
        if (stopping_) {
            co_return;
        }
        if (followed.has_error()) {
            log_.warning("control.interrupted", {{"error", followed.error().message()}});
            pause.expires_after(error_pause);
            co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }
}

}  // namespace tocsin
