#pragma once

#include "engine/core/histogram.hpp"
#include "engine/core/owned_counter.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin {

/// Every metric the engine has: the names are in metrics_table.cpp's one table, which also makes
/// the reference page. The comment gives the label names, in the order in which handles are asked for.
enum class metric : std::uint8_t {
    events_total,              // outcome
    pushes_total,              // app, platform, outcome
    provider_responses_total,  // app, platform, status, reason
    retries_total,             // app, platform, reason
    push_seconds,              // app, platform
    event_seconds,             // priority
    in_flight,                 // app, platform
    connections,               // app, platform, state
    throttled_seconds_total,   // app, platform, cause; fed in microseconds
    stream_lag,                // stream
    pending,                   // stream
    dead_letters_total,        // reason
    redis_errors_total,        //
    clock_offset_seconds,      //
    credential_age_seconds,    // app, platform
    canary_age_seconds,        //
    registrations_total,       // op
    receipts_total,            // outcome
    receipt_devices_total,     // kind
    followers_outside,         // app, platform
    held_removals,             // app, platform
    pages_total,               // app, platform
    build_info,                // version, commit
};

/// A number that goes up and down; one thread writes.
class owned_gauge {
public:
    void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double read() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// A latency distribution in seconds, fed in microseconds; one thread writes.
class owned_histogram {
public:
    void record_microseconds(std::uint64_t value) noexcept;

private:
    friend class metrics;
    std::array<owned_counter, log_linear::bucket_count> counts_;
    owned_counter sum_;
};

/// The metrics that one thread writes. A handle is looked up once and kept: looking up takes a
/// lock, writing through a handle does not. Handles live as long as the `metrics` they come from.
class metrics_shard {
public:
    /// `labels` are the values for the metric's label names, in the order of the table. Values are
    /// escaped when they are written out; the caller keeps their number small.
    [[nodiscard]] owned_counter& counter(metric which, std::initializer_list<std::string_view> labels);
    [[nodiscard]] owned_gauge& gauge(metric which, std::initializer_list<std::string_view> labels);
    [[nodiscard]] owned_histogram& histogram(metric which, std::initializer_list<std::string_view> labels);

private:
    friend class metrics;
    struct implementation;
    explicit metrics_shard(std::shared_ptr<implementation> inner);
    std::shared_ptr<implementation> implementation_;
};

/// All metrics of the process, summed over the threads when somebody asks.
class metrics {
public:
    metrics();
    metrics(const metrics&) = delete;
    metrics& operator=(const metrics&) = delete;
    ~metrics();

    /// One per thread; lives as long as this. Callable from any thread.
    [[nodiscard]] metrics_shard& add_shard();

    /// The Prometheus text format, process_* included. Callable from any thread.
    [[nodiscard]] std::string exposition() const;

    /// docs/reference/metrics.md, from the same table.
    [[nodiscard]] static std::string reference_page();

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace tocsin
