#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::cli {

/// "cpu_per_million<3.0": what a figure of a benchmark's report has to be.
struct bench_assertion {
    enum class relation { less, at_most, more, at_least, equal };
    std::string figure;
    relation how = relation::less;
    double bound = 0;
};

/// What `tocsin bench` can be told.
struct bench_options {
    std::string scenario;
    double share = 1;                  ///< Of the scenario's devices, or of the village's events.
    double webpush_share = 0;          ///< Of the devices, that are browsers.
    double apns_share = 0.25;          ///< Of the others, that have APNs; the rest has FCM.
    std::string latency = "fixed:20";  ///< Of the simulator, as `sim --latency`.
    std::string answers = "batched";   ///< Of the simulator, as `sim --answers`.
    std::uint32_t rate = 0;            ///< Pushes per second that each provider is sent; 0: no limit.
    double events_per_second = 200;    ///< Village only.
    std::size_t threads = 0;           ///< Of the engine; 0: one per core.
    std::uint32_t simulator_threads = 1;
    std::string html;  ///< Receives the report as a page; empty: none.
    std::string keep;  ///< A directory to leave logs in; empty: a temporary one.
    std::vector<bench_assertion> assertions;
};

}  // namespace tocsin::cli
