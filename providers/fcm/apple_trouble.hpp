#pragma once

#include "engine/core/clock.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string_view>

namespace tocsin::fcm {

/// Whether APNs refuses the key that a Firebase project has for it. Android devices are accepted all the
/// while, and FCM does not say which kind a device is: so the trouble is over when a device that was refused
/// for it is accepted, or when none was refused for so long that nothing is known any more.
///
/// Shared by all threads of a project. What is asked for each accepted push takes no lock.
class apple_trouble {
public:
    /// The push was written at that time. True if it is worth a line in the log: it is news, or the last line
    /// is a while ago.
    bool refused(std::string_view token, time_point written_at, time_point now);

    /// True if that ends it.
    bool accepted(std::string_view token, time_point written_at) noexcept {
        return lasts_.load(std::memory_order_relaxed) && was_refused(token) && end(written_at);
    }

    [[nodiscard]] bool lasts(time_point now);

    /// How long a device that has just been refused is left alone: the longer, the longer the trouble lasts.
    /// One of them at a time comes back soon, to find out whether the key was mended.
    [[nodiscard]] duration pause(time_point now);

private:
    static constexpr duration between_lines = std::chrono::minutes(10);

    [[nodiscard]] std::atomic<std::size_t>& place_of(std::size_t hash) noexcept {
        return refused_[hash % refused_.size()];
    }
    [[nodiscard]] bool was_refused(std::string_view token) noexcept;
    bool end(time_point written_at) noexcept;
    [[nodiscard]] duration pause_of(time_point now) const noexcept;

    std::atomic<bool> lasts_{false};
    // Hashes of devices. A later one takes the place of an earlier one: any of them will do. On cache lines
    // of its own, since every thread writes here while the trouble lasts.
    alignas(64) std::array<std::atomic<std::size_t>, 64> refused_{};
    mutable std::mutex mutex_;  // Of everything below, and of each write above.
    time_point since_{};
    time_point refused_at_{};
    time_point told_at_{};
    time_point next_probe_{};
    time_point works_since_{};
};

}  // namespace tocsin::fcm
