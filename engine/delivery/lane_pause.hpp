#pragma once

#include "engine/core/clock.hpp"
#include "engine/plan/lane_bound.hpp"

#include <string>
#include <string_view>

namespace tocsin {

/// Until when a lane sends nothing because of what a provider has said, and what that was. Holds no clock.
class lane_pause {
public:
    /// Pauses until `until`, or for as long as it was paused anyway. True if the reason is a new one.
    bool begin(std::string_view why, time_point until, lane_bound cause) {
        const bool news = reason_ != why;
        if (news) {
            reason_ = why;
        }
        cause_ = cause;
        until_ = until > until_ ? until : until_;
        return news;
    }
    /// Forgets what is over. True if it was a pause that nobody has been told the end of.
    bool forget() noexcept {
        const bool was = !reason_.empty();
        reason_.clear();
        return was;
    }
    void end() noexcept {
        until_ = {};
        reason_.clear();
    }

    [[nodiscard]] bool lasts(time_point now) const noexcept { return now < until_; }
    [[nodiscard]] bool lasts_for(lane_bound cause, time_point now) const noexcept {
        return lasts(now) && cause_ == cause;
    }
    /// time_point{}: there has been none.
    [[nodiscard]] time_point until() const noexcept { return until_; }
    [[nodiscard]] lane_bound cause() const noexcept { return cause_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

private:
    time_point until_{};
    std::string reason_;
    lane_bound cause_ = lane_bound::idle;
};

}  // namespace tocsin
