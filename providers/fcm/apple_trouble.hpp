#pragma once

#include "engine/core/clock.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::fcm {

/// What APNs holds against the key that a Firebase project has for it. Android devices are accepted all the
/// while, and FCM does not say which kind a device is: so the trouble is over when a device that was refused
/// for it is accepted, or when nobody was refused for so long that it is not known any more.
///
/// Shared by all threads of a project. What is asked for each push takes no lock.
class apple_trouble {
public:
    static constexpr duration memory = std::chrono::hours(1);

    /// True if it is worth a line in the log: it is news, or the last line is a while ago.
    bool refused(std::string_view token, std::string sentence, time_point now);

    /// True if that ends it.
    bool accepted(std::string_view token) noexcept {
        return lasts_.load(std::memory_order_relaxed) && was_refused(token) && end();
    }

    [[nodiscard]] std::optional<std::string> sentence(time_point now) const;

private:
    static constexpr duration between_lines = std::chrono::minutes(10);

    [[nodiscard]] std::atomic<std::size_t>& place_of(std::size_t hash) noexcept {
        return refused_[hash % refused_.size()];
    }
    [[nodiscard]] bool was_refused(std::string_view token) noexcept;
    bool end() noexcept;

    std::atomic<bool> lasts_{false};
    // Hashes of devices. A later one takes the place of an earlier one: any of them will do.
    std::array<std::atomic<std::size_t>, 64> refused_{};
    mutable std::mutex mutex_;
    std::string sentence_;
    time_point refused_at_{};
    time_point told_at_{};
};

}  // namespace tocsin::fcm
