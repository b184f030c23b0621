#pragma once

#include "engine/core/clock.hpp"

#include <cstdint>

namespace tocsin {

/// Tells a town of dead phones from a wrong key, topic or environment, which looks exactly like it.
///
/// Counts a lane's answers of the last minute. Suspects are answers that call a token bad in words
/// that a mistake of ours would bring about as well. Holds no clock.
class prune_breaker {
public:
    struct limits {
        std::uint64_t percent = 20;  ///< More suspects than this share of the answers are implausible …
        std::uint64_t least_answers = 200;  ///< … once there are so many of them.
    };

    explicit prune_breaker(limits given) noexcept : limits_(given) {}

    void accepted(time_point now) noexcept {
        turn(now);
        ++current_.answers;
        ++current_.accepted;
    }
    void suspect(time_point now) noexcept {
        turn(now);
        ++current_.answers;
        ++current_.suspects;
    }

    /// Nobody is to be removed on such evidence.
    [[nodiscard]] bool implausible() const noexcept {
        const std::uint64_t suspects = current_.suspects + before_.suspects;
        const std::uint64_t answers = current_.answers + before_.answers;
        if (current_.accepted + before_.accepted == 0 && suspects >= enough_without_success) {
            return true;
        }
        return answers >= limits_.least_answers && suspects * 100 > answers * limits_.percent;
    }
    void reset() noexcept { current_ = before_ = {}; }

private:
    static constexpr std::chrono::seconds half_window{30};
    // With not a single success to speak for the credential, less is enough to doubt it.
    static constexpr std::uint64_t enough_without_success = 20;

    struct counts {
        std::uint64_t answers = 0;
        std::uint64_t accepted = 0;
        std::uint64_t suspects = 0;
    };
    void turn(time_point now) noexcept {
        if (now - began_ >= half_window) {
            before_ = now - began_ >= 2 * half_window ? counts{} : current_;
            current_ = {};
            began_ = now;
        }
    }

    limits limits_;
    counts current_;
    counts before_;
    time_point began_{};
};

}  // namespace tocsin
