#pragma once

#include "engine/core/clock.hpp"
#include "engine/plan/lane_bound.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace tocsin {

/// Until when a lane sends nothing because of what a provider has said, and what that was. Holds no clock.
///
/// A used-up quota is waited out. Trouble with the credential or with the provider as a whole is probed, one
/// push every few seconds, until one is accepted: how long it takes is for somebody else to say.
class lane_pause {
public:
    /// True if the reason is a new one.
    bool wait(std::string_view why, time_point until) {
        until_ = until > until_ ? until : until_;
        return probing_ ? false : remember(why);
    }
    /// `least`: how long the provider wants to be left alone before the first probe. True if a pause begins,
    /// or is for the credential from now on, which is worth more to an operator than a provider that is away.
    bool probe(std::string_view why, lane_bound cause, time_point now, duration least) {
        const time_point earliest = now + (least > first_probe ? least : first_probe);
        if (!probing_ || (least > duration::zero() && earliest > next_probe_)) {
            next_probe_ = earliest;
        }
        if (probing_ && (cause != lane_bound::credential || cause_ == lane_bound::credential)) {
            return false;
        }
        probing_ = true;
        cause_ = cause;
        reason_ = why;
        return true;
    }

    /// A push was accepted: what was probed is over. True if there was something to probe.
    bool accepted() noexcept {
        const bool was = probing_;
        probing_ = false;
        return was;
    }
    /// A push is taken: while probing, the next comes later.
    void sent(time_point now) noexcept {
        next_probe_ = now + between_probes;
        next_urgent_probe_ = next_probe_;
    }
    /// Forgets what is over. True if it was a pause that nobody has been told the end of.
    bool forget() noexcept {
        const bool was = !reason_.empty();
        reason_.clear();
        return was;
    }
    void end() noexcept {
        until_ = {};
        probing_ = false;
        reason_.clear();
    }

    [[nodiscard]] bool lasts(time_point now) const noexcept { return probing_ || now < until_; }
    [[nodiscard]] bool probing() const noexcept { return probing_; }
    [[nodiscard]] bool lasts_for(lane_bound cause, time_point now) const noexcept {
        return lasts(now) && this->cause() == cause;
    }
    /// Whether a push may leave: always, but for a pause; while probing one from time to time. How long a
    /// provider that is in trouble wants to be left alone is not for an `urgent` one to wait.
    [[nodiscard]] bool may_send(time_point now, bool urgent) const noexcept { return now >= until(urgent); }
    /// When may_send() is true next; time_point{}: it is.
    [[nodiscard]] time_point until(bool urgent) const noexcept {
        if (!probing_) {
            return until_;
        }
        const bool at_once = urgent && cause_ == lane_bound::provider;
        return std::max(until_, at_once ? std::min(next_probe_, next_urgent_probe_) : next_probe_);
    }
    /// How long a quota is waited out.
    [[nodiscard]] time_point quota_until() const noexcept { return until_; }
    [[nodiscard]] lane_bound cause() const noexcept { return probing_ ? cause_ : lane_bound::quota; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

private:
    static constexpr std::chrono::seconds first_probe{1};
    static constexpr std::chrono::seconds between_probes{3};

    bool remember(std::string_view why) {
        const bool news = reason_ != why;
        if (news) {
            reason_ = why;
        }
        return news;
    }

    time_point until_{};
    time_point next_probe_{};
    time_point next_urgent_probe_{};
    std::string reason_;
    lane_bound cause_ = lane_bound::idle;
    bool probing_ = false;
};

}  // namespace tocsin
