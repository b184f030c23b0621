#pragma once

#include "engine/core/clock.hpp"
#include "engine/plan/lane_bound.hpp"

#include <array>
#include <chrono>
#include <cstddef>

namespace tocsin {

/// Time by what bound a lane meanwhile.
using bound_times = std::array<duration, lane_bound_count>;

/// How long a lane was bound by what, in all and of late. Told what binds it when that is looked at,
/// which then goes for the time since it was last looked at. Holds no clock.
class bound_account {
public:
    explicit bound_account(time_point now) noexcept : last_(now), turned_(now) {}

    /// Returns how much time that was.
    duration add(lane_bound by, time_point now) noexcept {
        const duration passed = now > last_ ? now - last_ : duration::zero();
        last_ += passed;
        totals_[static_cast<std::size_t>(by)] += passed;
        if (last_ - turned_ >= half_window) {
            // After a long time without a look nothing is left of what was before.
            before_ = last_ - turned_ >= 2 * half_window ? totals_ : middle_;
            middle_ = totals_;
            turned_ = last_;
        }
        return passed;
    }

    /// Since the beginning: the difference of two of them is what happened in between.
    [[nodiscard]] const bound_times& totals() const noexcept { return totals_; }

    /// Shares of the last five to ten seconds; all zero if nothing was looked at.
    [[nodiscard]] std::array<double, lane_bound_count> lately() const noexcept {
        std::array<double, lane_bound_count> out{};
        duration whole{};
        for (std::size_t i = 0; i < lane_bound_count; ++i) {
            whole += totals_[i] - before_[i];
        }
        for (std::size_t i = 0; i < lane_bound_count && whole != duration::zero(); ++i) {
            out[i] =
                static_cast<double>((totals_[i] - before_[i]).count()) / static_cast<double>(whole.count());
        }
        return out;
    }

private:
    static constexpr std::chrono::seconds half_window{5};

    bound_times totals_{};
    bound_times before_{};
    bound_times middle_{};
    time_point last_;
    time_point turned_;
};

}  // namespace tocsin
