#include "engine/ops/health.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace tocsin {

bool health_report::good() const noexcept {
    return std::ranges::all_of(lines, [](const line& each) { return each.problem.empty(); });
}

heartbeat& health::add_loop(std::string name) {
    const std::scoped_lock lock(mutex_);
    return loops_.emplace_back(std::move(name), time_.now()).beat;
}

health_flag& health::add_flag(std::string name, std::string problem_until_fulfilled) {
    const std::scoped_lock lock(mutex_);
    health_flag& flag = flags_.emplace_back(std::move(problem_until_fulfilled));
    checks_.push_back({std::move(name), [&flag] { return flag.problem(); }});
    return flag;
}

void health::add_check(std::string name, std::function<std::string()> problem) {
    const std::scoped_lock lock(mutex_);
    checks_.push_back({std::move(name), std::move(problem)});
}

health_report health::liveness() const {
    health_report out;
    const std::scoped_lock lock(mutex_);
    const time_point now = time_.now();
    for (const loop& each : loops_) {
        std::string problem;
        if (now - each.beat.last() > stale_after_) {
            const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - each.beat.last());
            problem = "the event loop has not turned for " + std::to_string(age.count()) + " s";
        }
        out.lines.push_back({each.name, std::move(problem)});
    }
    return out;
}

health_report health::readiness() const {
    std::vector<check> checks;
    {
        const std::scoped_lock lock(mutex_);
        checks = checks_;  // Called without the lock: a check may take its time, or ask us.
    }
    health_report out;
    for (const check& each : checks) {
        out.lines.push_back({each.name, each.problem()});
    }
    if (shutting_down_.load(std::memory_order_relaxed)) {
        out.lines.push_back({"shutdown", "the engine is shutting down"});
    }
    return out;
}

boost::asio::awaitable<void> keep_beating(heartbeat& beat, const time_source& time, duration period) {
    namespace asio = boost::asio;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        beat.beat(time.now());
        timer.expires_after(period);
        const auto [problem] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (problem) {
            co_return;  // Cancellation is the normal end of a loop, not an error.
        }
    }
}

}  // namespace tocsin
