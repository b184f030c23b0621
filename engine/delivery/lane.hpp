#pragma once

#include "engine/core/backoff.hpp"
#include "engine/core/clock.hpp"
#include "engine/core/log.hpp"
#include "engine/delivery/page.hpp"
#include "engine/delivery/provider.hpp"
#include "engine/delivery/prune_breaker.hpp"
#include "engine/delivery/rate_budget.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/shard.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

struct lane_settings {
    std::uint64_t rate = 0;  ///< Pushes per second of this target over all lanes; 0: no limit of ours.
    std::size_t max_attempts = 5;
    std::chrono::milliseconds retry_floor{1'000};
    std::chrono::milliseconds retry_cap{600'000};
    /// A retry that is due sooner waits in memory, a later one in Redis.
    std::chrono::milliseconds longest_wait_in_memory{2'000};
    prune_breaker::limits breaker;
};

/// A part of the target's rate that a lane asks the quota book for.
struct slice_question {
    std::uint64_t rate = 0;
    std::uint32_t pushes = 0;
    bool critical = false;
};

/// What a lane tells its owner. Called from inside of the lane's functions.
struct lane_events {
    /// The last push of a page has ended. Must not destroy the page before it returns.
    std::function<void(page&)> page_done;
    /// To be answered, later, with slice_granted() or slice_failed().
    std::function<void(const slice_question&)> slice_wanted = [](const slice_question&) {};
    /// next_look() has come nearer.
    std::function<void(time_point)> look_at = [](time_point) {};
    /// The provider says that the quota is used up for so long.
    std::function<void(std::chrono::milliseconds)> quota_used_up = [](std::chrono::milliseconds) {};
};

/// What holds a lane back at this moment.
enum class lane_bound : std::uint8_t {
    idle,        ///< Nothing to send.
    engine,      ///< Nothing but how fast we are, and the connections.
    rate,        ///< The configured rate.
    quota,       ///< The provider's quota.
    credential,  ///< A credential that the provider does not take.
    operator_hold,
    streams,  ///< The streams and windows that the provider grants.
    redis,    ///< Its pages are being read.
};
[[nodiscard]] std::string_view to_string(lane_bound value) noexcept;

/// The waiting line of one app on one platform on one thread, in front of its limiter: what stands
/// between the pages that were read and the connections that send them.
///
/// Holds no timer and does no I/O: it says when it wants to be looked at again (next_look()), and
/// tick() does what is due then. Not thread-safe.
class lane final : public push_source {
public:
    lane(
        target which, const lane_settings& how, const time_source& time, logger& log, metrics_shard& metrics,
        std::uint64_t seed, lane_events events);

    /// Puts the pushes of a page in line.
    void add(page& what, priority urgency);
    /// The same for the page of an event that is spread: each push from a moment of its own on.
    void add_spread(page& what, time_point from, time_point until);

    // push_source
    [[nodiscard]] push* take(time_point now) noexcept override;
    [[nodiscard]] bool urgent() const noexcept override { return !queues_[0].empty(); }
    void settle(push& item, const verdict& what, time_point now) noexcept override;

    /// Moves what is due and ends what has expired. True if there may be something to take.
    bool tick(time_point now);
    /// When tick() is worth calling again; time_point::max(): not before something else happens.
    [[nodiscard]] time_point next_look() const noexcept;

    /// A device that was taken out of the store: whatever waits for it is not sent.
    void forget(std::string_view token, time_point now);
    /// Ends at once whatever waits and whose event is over.
    void sweep(time_point now);

    void slice_granted(const slice_question& asked, const quota_slice& what, time_point now);
    void slice_failed(const slice_question& asked, time_point now);

    /// Hands nothing out any more; what waits is parked in Redis, due at once.
    void stop(time_point now);
    /// After stop(), and after the channel has gone: gives up on the answer to `item`, if it is
    /// still missing. It may have reached its device, and is parked as one that did.
    void abandon(push& item);
    /// Another limit, after a reload; 0: none of ours.
    void set_rate(std::uint64_t rate);
    /// The credential works again (reload): ends a pause for one that did not.
    void resume() noexcept;
    /// An operator holds this target, or lets it go.
    void set_held(bool held) noexcept;
    /// Some lane of this target has heard that its quota is used up until then.
    void hold_quota(time_point until) noexcept;
    [[nodiscard]] lane_bound bound(time_point now) const noexcept;
    /// What the lane cannot see itself: whether the channel's streams are used up, and whether pages are
    /// being read while nothing waits here.
    void observe(bool streams_used_up, bool reading) noexcept {
        streams_used_up_ = streams_used_up;
        reading_ = reading;
    }

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    /// Why nothing is handed out, for people; empty while it is.
    [[nodiscard]] const std::string& paused_because() const noexcept {
        return held_ && paused_because_.empty() ? held_by_operator : paused_because_;
    }
    [[nodiscard]] const target& which() const noexcept { return which_; }

private:
    /// An intrusive first-in first-out list of pushes.
    class fifo {
    public:
        [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        void push_back(push& item) noexcept;
        void push_front(push& item) noexcept;
        push* pop_front() noexcept;

    private:
        push* head_ = nullptr;
        push* tail_ = nullptr;
        std::size_t size_ = 0;
    };
    struct delayed {
        time_point due;
        push* item;
        priority urgency;
        friend bool operator<(const delayed& a, const delayed& b) noexcept { return a.due > b.due; }
    };

    void enqueue(push& item, bool front) noexcept;
    void enqueue_later(push& item, time_point due) noexcept;
    [[nodiscard]] push* pop_next() noexcept;
    /// Ends `item` if its event is over; true if it was.
    bool end_if_over(push& item, time_point now) noexcept;
    void finish(push& item, outcome how, std::string_view reason) noexcept;
    void after_end(page& of) noexcept;
    void retry(push& item, const verdict& what, time_point now) noexcept;
    void pause(std::string why, time_point until, lane_bound cause) noexcept;
    /// Whether the rate, which is shared with other lanes, lets one more push go.
    [[nodiscard]] bool afford(bool critical, time_point now) noexcept;
    /// Asks for more of it in good time.
    void want_slices(time_point now) noexcept;
    /// Keeps what may be a dead device, or a mistake of ours, until its page has heard everything else.
    void put_on_trial(push& item, std::string_view reason, time_point now) noexcept;
    void judge(page& of, time_point now) noexcept;
    void trip(std::string_view reason, time_point now) noexcept;
    /// Whether one more retry is in proportion to what is sent.
    [[nodiscard]] bool afford_retry() noexcept;
    void count_retry(push& item, std::string_view reason) noexcept;
    void count_throttling(time_point now);

    target which_;
    lane_settings how_;
    const time_source& time_;
    logger& log_;
    metrics_shard& metrics_;
    std::minstd_rand random_;
    lane_events events_;
    std::optional<rate_budget> budget_;
    std::optional<rate_budget> critical_budget_;  ///< Of the same rate: who pays for it is settled later.
    prune_breaker breaker_;
    struct trial {
        push* item;
        std::string reason;
    };
    std::vector<trial> trials_;
    /// Devices that were forgotten, until nothing can wait for them any more.
    boost::unordered_flat_map<std::string, time_point> forgotten_;
    time_point next_forgetting_{};
    double retry_credit_;
    std::uint32_t trips_ = 0;      ///< Since a push was last accepted.
    std::size_t probes_left_ = 0;  ///< While the breaker is being tried: what may still go out.
    bool probing_ = false;

    std::array<fifo, priority_count> queues_;
    std::array<std::uint32_t, priority_count> credit_{};
    std::priority_queue<delayed> delayed_;
    std::size_t in_flight_ = 0;
    std::size_t waiting_ = 0;
    time_point paused_until_{};
    time_point limited_until_{};
    time_point next_sweep_{};
    std::string paused_because_;
    lane_bound pause_cause_ = lane_bound::idle;
    static inline const std::string held_by_operator{"an operator has paused it; see tocsin resume"};
    bool held_ = false;
    bool streams_used_up_ = false;
    bool reading_ = false;
    time_point last_tick_{};
    bool stopped_ = false;

    std::array<owned_counter*, outcome_count> outcome_counters_{};
    owned_gauge& in_flight_gauge_;
    owned_histogram& push_seconds_;
};

}  // namespace tocsin
