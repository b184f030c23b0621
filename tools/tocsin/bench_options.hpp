#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// "cpu_per_million<3.0": what a figure of a benchmark's report has to be.
struct bench_assertion {
    enum class relation { less, at_most, more, at_least, equal };
    std::string figure;
    relation how = relation::less;
    double bound = 0;
};

/// One by one, each in its own time.
inline constexpr std::string_view as_providers_do_latency = "lognormal:40:200";
inline constexpr std::string_view as_providers_do_answers = "write";
/// What `--lock-step` makes of them.
inline constexpr std::string_view lock_step_latency = "fixed:20";
inline constexpr std::string_view lock_step_answers = "batched";

/// What `tocsin bench` can be told.
struct bench_options {
    std::string scenario;
    double share = 1;                              ///< Of the scenario's devices, or of the village's events.
    double webpush_share = 0;                      ///< Of the devices, that are browsers.
    double apns_share = 0.25;                      ///< Of the others, that have APNs; the rest has FCM.
    std::uint64_t devices = 60'000;                ///< Of cold-alert.
    double dead_share = 0;                         ///< Of the devices, that are gone.
    std::string priority;                          ///< Of the scenario's events; empty: what it says itself.
    bool lock_step = false;                        ///< Answers together and all after the same time.
    std::string latency{as_providers_do_latency};  ///< Of the simulator, as `sim --latency`.
    std::string answers{as_providers_do_answers};  ///< Of the simulator, as `sim --answers`.
    std::uint32_t rate = 0;          ///< Pushes per second that each provider is sent; 0: no limit.
    double events_per_second = 200;  ///< Village only.
    std::size_t threads = 0;         ///< Of the engine; 0: one per core.
    std::uint32_t simulator_threads = 1;
    std::string html;  ///< Receives the report as a page; empty: none.
    std::string keep;  ///< A directory to leave logs in; empty: a temporary one.
    std::vector<bench_assertion> assertions;
};

}  // namespace tocsin::cli
