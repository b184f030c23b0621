#pragma once

#include "engine/core/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tocsin {

/// How fast an event goes at this moment, from looks at its sums about once a second. Holds no clock.
class event_pace {
public:
    /// `accepted` and `pages` (settled) as read at `now`. A sum that went down (Redis was restored from an
    /// older state) begins anew.
    void look(time_point now, std::uint64_t accepted, std::uint64_t pages) noexcept {
        if (count_ != 0 && (accepted < newest().accepted || pages < newest().pages)) {
            count_ = 0;
        }
        looks_[next_] = {now, accepted, pages};
        next_ = (next_ + 1) % looks_.size();
        count_ = count_ < looks_.size() ? count_ + 1 : count_;
    }

    /// Devices accepted per second over the last looks; 0 before the second look.
    [[nodiscard]] double accepted_per_second() const noexcept {
        return per_second(newest().accepted - oldest().accepted);
    }

    /// Seconds until all `planned` pages are settled if it goes on like this; empty while nothing moves.
    [[nodiscard]] std::optional<double> seconds_left(std::uint64_t planned) const noexcept {
        const double speed = per_second(newest().pages - oldest().pages);
        if (speed <= 0) {
            return std::nullopt;
        }
        const std::uint64_t done = newest().pages;
        return planned <= done ? 0.0 : static_cast<double>(planned - done) / speed;
    }

private:
    struct sample {
        time_point at{};
        std::uint64_t accepted = 0;
        std::uint64_t pages = 0;
    };

    [[nodiscard]] const sample& newest() const noexcept {
        return looks_[(next_ + looks_.size() - 1) % looks_.size()];
    }
    [[nodiscard]] const sample& oldest() const noexcept {
        return count_ < looks_.size() ? looks_[(next_ + looks_.size() - count_) % looks_.size()]
                                      : looks_[next_];
    }
    [[nodiscard]] double per_second(std::uint64_t amount) const noexcept {
        const double seconds = std::chrono::duration<double>(newest().at - oldest().at).count();
        return count_ < 2 || seconds <= 0 ? 0 : static_cast<double>(amount) / seconds;
    }

    // Six looks are five seconds: long enough to be steady, short enough to show a stop.
    std::array<sample, 6> looks_{};
    std::size_t next_ = 0;
    std::size_t count_ = 0;
};

}  // namespace tocsin
