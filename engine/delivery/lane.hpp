#pragma once

#include "engine/core/backoff.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/core/token_bucket.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/shard.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>

namespace tocsin {

struct lane_settings {
    std::uint64_t rate = 0;  ///< Pushes per second for this lane; 0: no limit of ours.
    std::size_t max_attempts = 5;
    std::chrono::milliseconds retry_floor{1'000};
    std::chrono::milliseconds retry_cap{600'000};
    /// A retry that is due sooner waits in memory, a later one in Redis.
    std::chrono::milliseconds longest_wait_in_memory{2'000};
};

/// The waiting line of one app on one platform on one thread, in front of its limiter: what stands
/// between the pages that were read and the connections that send them.
///
/// Holds no timer and does no I/O: it says when it wants to be looked at again (next_look()), and
/// tick() does what is due then. Not thread-safe.
class lane final : public push_source {
public:
    /// `page_done` is called when the last push of a page has ended; it must not destroy the page
    /// before it returns.
    lane(
        target which, const lane_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
        std::uint64_t seed, std::function<void(page&)> page_done);

    /// Puts the pushes of a page in line.
    void add(page& what, priority urgency);

    // push_source
    [[nodiscard]] push* take(time_point now) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override { return !queues_[0].empty(); }
    void settle(push& item, const verdict& what, time_point now) noexcept override;

    /// Moves what is due and ends what has expired. True if there may be something to take.
    bool tick(time_point now);
    /// When tick() is worth calling again; time_point::max(): not before something else happens.
    [[nodiscard]] time_point next_look() const noexcept;

    /// Hands nothing out any more; what waits is parked in Redis, due at once.
    void stop(time_point now);
    /// After stop(), and after the channel has gone: gives up on the answer to `item`, if it is
    /// still missing. It may have reached its device, and is parked as one that did.
    void abandon(push& item);
    /// Another limit, after a reload; 0: none of ours.
    void set_rate(std::uint64_t rate);
    /// The credential works again (reload): ends a pause for one that did not.
    void resume() noexcept;

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    /// Why nothing is handed out, for people; empty while it is.
    [[nodiscard]] const std::string& paused_because() const noexcept { return paused_because_; }
    [[nodiscard]] const target& which() const noexcept { return which_; }

private:
    /// An intrusive first-in first-out list of pushes.
    class fifo {
    public:
        [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
        void push_back(push& item) noexcept;
        void push_front(push& item) noexcept;
        push* pop_front() noexcept;

    private:
        push* head_ = nullptr;
        push* tail_ = nullptr;
    };
    struct delayed {
        time_point due;
        push* item;
        priority urgency;
        friend bool operator<(const delayed& a, const delayed& b) noexcept { return a.due > b.due; }
    };

    void enqueue(push& item, bool front) noexcept;
    [[nodiscard]] push* pop_next() noexcept;
    /// Ends `item` if its event is over; true if it was.
    bool end_if_over(push& item, time_point now) noexcept;
    void finish(push& item, outcome how, std::string_view reason) noexcept;
    void after_end(page& of) noexcept;
    void retry(push& item, const verdict& what, time_point now) noexcept;
    void pause(std::string why, time_point until, std::string_view cause) noexcept;
    void count_retry(push& item, std::string_view reason) noexcept;
    void sweep(time_point now);
    void count_throttling(time_point now);

    target which_;
    lane_settings how_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    std::minstd_rand random_;
    std::function<void(page&)> page_done_;
    std::optional<token_bucket> limiter_;

    std::array<fifo, priority_count> queues_;
    std::array<std::uint32_t, priority_count> credit_{};
    std::priority_queue<delayed> delayed_;
    std::size_t in_flight_ = 0;
    std::size_t waiting_ = 0;
    time_point paused_until_{};
    time_point limited_until_{};
    time_point next_sweep_{};
    std::string paused_because_;
    std::string_view pause_cause_;  ///< "credential" or "quota".
    time_point last_tick_{};
    bool stopped_ = false;

    std::array<owned_counter*, outcome_count> outcome_counters_{};
    owned_gauge& in_flight_gauge_;
    owned_histogram& push_seconds_;
};

}  // namespace tocsin
