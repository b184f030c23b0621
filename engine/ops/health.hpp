#pragma once

#include "engine/core/clock.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace tocsin {

/// When an event loop last showed that it turns. Written by its loop, read by anybody.
class heartbeat {
public:
    explicit heartbeat(time_point now) noexcept : last_(now.time_since_epoch().count()) {}
    void beat(time_point now) noexcept {
        last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    [[nodiscard]] time_point last() const noexcept {
        return time_point(duration(last_.load(std::memory_order_relaxed)));
    }

private:
    std::atomic<duration::rep> last_;
};

/// A condition that one part of the engine reports and the health page shows. Thread-safe.
class health_flag {
public:
    /// `problem`: what is wrong until fulfilled() is called for the first time.
    explicit health_flag(std::string problem) : problem_(std::move(problem)) {}

    void fulfilled() { set({}); }
    /// `problem`: a sentence for the operator.
    void failing(std::string problem) { set(std::move(problem)); }
    /// Empty: all is well.
    [[nodiscard]] std::string problem() const {
        const std::scoped_lock lock(mutex_);
        return problem_;
    }

private:
    void set(std::string problem) {
        const std::scoped_lock lock(mutex_);
        problem_ = std::move(problem);
    }

    mutable std::mutex mutex_;
    std::string problem_;
};

struct health_report {
    struct line {
        std::string name;
        std::string problem;  ///< Empty: all is well.
    };
    std::vector<line> lines;

    [[nodiscard]] bool good() const noexcept;
};

/// Whether the process is alive (its event loops turn: otherwise restart it) and ready (it can do its
/// work: otherwise send it none). Thread-safe; what is added stays.
class health {
public:
    explicit health(const time_source& time, duration stale_after = std::chrono::seconds(10))
        : time_(time), stale_after_(stale_after) {}

    /// A loop that must turn for the process to be alive; see keep_beating().
    [[nodiscard]] heartbeat& add_loop(std::string name);

    /// A condition of readiness that its owner reports.
    [[nodiscard]] health_flag& add_flag(std::string name, std::string problem_until_fulfilled);

    /// A condition of readiness that is looked up; `problem` answers with a sentence, or with nothing
    /// while all is well. Called from the admin server's thread.
    void add_check(std::string name, std::function<std::string()> problem);

    /// From now on not ready: load balancers and rolling updates look away before the end.
    void shutting_down() noexcept { shutting_down_.store(true, std::memory_order_relaxed); }

    [[nodiscard]] health_report liveness() const;
    [[nodiscard]] health_report readiness() const;

private:
    struct loop {
        std::string name;
        heartbeat beat;
        loop(std::string given, time_point now) : name(std::move(given)), beat(now) {}
    };
    struct check {
        std::string name;
        std::function<std::string()> problem;
    };

    const time_source& time_;
    const duration stale_after_;
    std::atomic<bool> shutting_down_{false};
    mutable std::mutex mutex_;
    // Deques: references to their elements stay good as they grow.
    std::deque<loop> loops_;
    std::deque<health_flag> flags_;
    std::vector<check> checks_;
};

/// Beats on the loop that runs it, once every `period`, until it is cancelled.
boost::asio::awaitable<void> keep_beating(
    heartbeat& beat, const time_source& time, duration period = std::chrono::seconds(1));

}  // namespace tocsin
