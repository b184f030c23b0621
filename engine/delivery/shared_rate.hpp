#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/rate_budget.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tocsin {

/// A part of the target's rate that a lane asks the quota book for.
struct slice_question {
    std::uint64_t rate = 0;
    std::uint32_t pushes = 0;
    bool critical = false;
};

/// What a lane may spend of the rate that it shares with all other lanes of its target: one budget for
/// everybody, one that is the critical pushes' own. Does no I/O and holds no clock.
class shared_rate {
public:
    /// `rate` of 0: no limit of ours.
    shared_rate(std::uint64_t rate, time_point now) { set(rate, now); }

    /// Another rate. What was given out under the old one is not spent any more.
    void set(std::uint64_t rate, time_point now) {
        rate_ = rate;
        limited_until_ = {};
        budget_.reset();
        critical_.reset();
        if (rate != 0) {
            budget_.emplace(rate, now);
            critical_.emplace(rate, now);
        }
    }
    [[nodiscard]] std::uint64_t rate() const noexcept { return rate_; }

    /// Whether one more push may go. If not, limited_until() says when to ask again.
    [[nodiscard]] bool afford(bool critical, time_point now) noexcept {
        if (!budget_ || (critical && critical_->try_take(now)) || budget_->try_take(now)) {
            return true;
        }
        limited_until_ = budget_->ready_at(now);
        if (critical) {
            limited_until_ = std::min(limited_until_, critical_->ready_at(now));
        }
        return false;
    }

    /// Calls `ask` for each slice that is called for by what waits.
    template <class Ask>
    void want(std::size_t critical_waiting, std::size_t others_waiting, time_point now, Ask ask) {
        if (!budget_) {
            return;
        }
        if (const std::uint32_t pushes = critical_->ask(critical_waiting, now); pushes != 0) {
            ask(slice_question{rate_, pushes, true});
        }
        if (const std::uint32_t pushes = budget_->ask(others_waiting, now); pushes != 0) {
            ask(slice_question{rate_, pushes, false});
        }
    }
    void granted(const slice_question& asked, const quota_slice& what, time_point now) {
        if (asked.rate == rate_ && budget_) {
            (asked.critical ? critical_ : budget_)->granted(what, now);
            limited_until_ = {};
        }
    }
    void failed(const slice_question& asked, time_point now) {
        if (asked.rate == rate_ && budget_) {
            (asked.critical ? critical_ : budget_)->failed(now);
        }
    }

    /// The rate has said "not yet": until then, or until the next slice (time_point::max()).
    /// time_point{}: it has not.
    [[nodiscard]] time_point limited_until() const noexcept { return limited_until_; }
    /// Forgets a "not yet" that is over.
    void look(time_point now) noexcept {
        if (limited_until_ <= now) {
            limited_until_ = {};
        }
    }

private:
    std::uint64_t rate_ = 0;
    std::optional<rate_budget> budget_;
    std::optional<rate_budget> critical_;  ///< Of the same rate: who pays for it is settled in Redis.
    time_point limited_until_{};
};

}  // namespace tocsin
