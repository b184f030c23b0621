#pragma once

#include "engine/core/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>

namespace tocsin::fcm {

/// How an overloaded host is treated.
struct relief_policy {
    std::chrono::milliseconds first_pause{10'000};  ///< Google: the least interval between two tries.
    std::chrono::milliseconds longest_pause{20'000};
    std::chrono::milliseconds between_probes{1'000};
};

/// Leaves a host alone that is overloaded, for all apps and threads that send to it.
///
/// Retries wait for themselves; but while a host answers most requests with 503, whatever else is sent to
/// it makes that worse, costs each push one of its tries, and may get the sender denied (Google, "Scale
/// FCM"). So nothing is sent for a pause; then one request a second, until one of them is answered otherwise.
/// Each probe that is turned away too doubles the pause. Thread-safe; a load and a compare while all is well.
class host_relief {
public:
    explicit host_relief(std::uint64_t random_seed) : host_relief(random_seed, relief_policy()) {}
    host_relief(std::uint64_t random_seed, const relief_policy& how) : how_(how), random_(random_seed) {}

    /// True if a request may be written now; it is then counted as one that was.
    [[nodiscard]] bool may_send(time_point now) noexcept;
    /// When may_send() is worth asking again.
    [[nodiscard]] time_point next_try() const noexcept;
    [[nodiscard]] bool in_trouble() const noexcept { return in_trouble_.load(std::memory_order_relaxed); }

    /// Most answers are 503. `told` is what the host asked for. True if this begins a pause.
    bool overloaded(time_point now, std::optional<std::chrono::milliseconds> told) noexcept;
    /// A request that was written at `written_at` was answered 503. True if this prolongs the trouble.
    bool turned_away(
        time_point written_at, time_point now, std::optional<std::chrono::milliseconds> told) noexcept;
    /// It was answered with anything else. True if this ends the trouble.
    bool works(time_point written_at) noexcept;

private:
    void pause(time_point now, std::optional<std::chrono::milliseconds> told) noexcept;

    relief_policy how_;
    std::atomic<bool> in_trouble_{false};
    mutable std::mutex mutex_;  // Of everything below.
    std::mt19937_64 random_;
    std::uint32_t failures_ = 0;
    time_point resume_at_{};
    time_point next_probe_{};
};

/// Tells "some 503" from "too many", from the answers of one line.
class overload_watch {
public:
    /// True if in this second more than 20 requests, and more than half of all, were turned away.
    [[nodiscard]] bool note(bool turned_away, time_point now) noexcept {
        if (now - window_ > std::chrono::seconds(1)) {
            window_ = now;
            answers_ = 0;
            turned_away_ = 0;
        }
        ++answers_;
        turned_away_ += turned_away ? 1 : 0;
        return turned_away && turned_away_ > enough && 2 * turned_away_ > answers_;
    }

private:
    static constexpr std::uint32_t enough = 20;
    time_point window_{};
    std::uint32_t answers_ = 0;
    std::uint32_t turned_away_ = 0;
};

}  // namespace tocsin::fcm
