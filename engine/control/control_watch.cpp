#include "engine/control/control_watch.hpp"

#include "engine/redis/check.hpp"
#include "engine/redis/streams.hpp"
#include "engine/runtime/timer.hpp"

#include <boost/asio/this_coro.hpp>

#include <chrono>

namespace tocsin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto longest_wait = 1s;
constexpr auto error_pause = 250ms;
constexpr int changes_at_once = 1'000;

}  // namespace

asio::awaitable<result<>> control_watch::follow() {
    // The place to wait from is known before the state is read: a change in between wakes us at once.
    if (from_.empty()) {
        redis::request newest("XREVRANGE", keys_.control_changes(), "+", "-", "COUNT", 1);
        const auto last = co_await redis::execute_checked(redis_, std::move(newest));
        if (last.has_error()) {
            co_return last.error();
        }
        const redis::reply entries = last->front();
        from_ = entries.size() == 0 ? std::string("0-0") : std::string(entries[0][0].text());
    }
    auto now = co_await board_.read();
    if (now.has_error()) {
        co_return now.error();
    }
    if (known_ != *now && !stopping_) {
        known_ = std::move(*now);
        listener_.controls_changed(*known_);
    }
    redis::request wait(
        "XREAD", "COUNT", changes_at_once, "BLOCK", std::chrono::milliseconds(longest_wait).count(),
        "STREAMS", keys_.control_changes(), from_);
    wait.expect_delay(longest_wait);
    const auto fine = co_await redis::execute_checked(redis_, std::move(wait));
    if (fine.has_error()) {
        co_return fine.error();
    }
    const auto batches = redis::parse_batches(fine->front());
    if (batches.has_error()) {
        co_return batches.error();
    }
    std::vector<removed_device> removed;
    for (const redis::stream_batch& batch : *batches) {
        for (const redis::stream_entry& entry : batch.entries) {
            from_ = entry.id;
            const auto which = parse_target(entry.field("removed").value_or(""));
            const auto token = entry.field("token");
            if (which && token) {
                removed.push_back({*which, std::string(*token)});
            }
        }
    }
    if (!removed.empty() && !stopping_) {
        listener_.devices_removed(removed);
    }
    co_return result<>();
}

asio::awaitable<void> control_watch::run() {
    timer pause(co_await asio::this_coro::executor, time_);
    while (!stopping_) {
        const auto followed = co_await follow();
        if (stopping_) {
            co_return;
        }
        if (followed.has_error()) {
            log_.warning("control.interrupted", {{"error", followed.error().message()}});
            co_await pause.wait_for(error_pause);
        }
    }
}

}  // namespace tocsin
