#pragma once

#include "tools/tocsin/bench_options.hpp"
#include "tools/tocsin/bench_record.hpp"
#include "tools/tocsin/metrics_text.hpp"
#include "tools/tocsin/process_usage.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::cli {

/// What there is to know of the processes at one moment.
struct bench_snapshot {
    std::chrono::nanoseconds engine_cpu{};
    std::chrono::nanoseconds redis_cpu{};
    std::chrono::nanoseconds simulator_cpu{};
    std::chrono::nanoseconds engine_queued{};  ///< waited_for_cores(), as the next two.
    std::chrono::nanoseconds redis_queued{};
    std::chrono::nanoseconds simulator_queued{};
    std::chrono::nanoseconds machine_busy{};  ///< busy_time().
    std::optional<std::uint64_t> syscalls;    ///< Of the engine.
    metrics_text metrics;                     ///< Of the engine.
    boost::json::object simulator;            ///< Its GET /stats.
};

/// All that was measured of one run.
struct bench_measurement {
    bench_options how;
    std::uint64_t devices = 0;
    bench_record record;
    bench_snapshot before;
    bench_snapshot after;
    std::optional<std::uint64_t> peak_rss_bytes;
    double redis_bytes_per_device = 0;
    double import_seconds = 0;
    std::string version;
    machine_description machine;
};

/// Sentences about devices that are not accounted for: where the engine's sums, the plan and the
/// simulator's own counts contradict each other. Empty if none do.
[[nodiscard]] std::vector<std::string> disagreements(const bench_measurement& of);

/// The report (docs/how-to/benchmark.md): every figure of bench_figures(), null where there is none.
[[nodiscard]] boost::json::object bench_report(const bench_measurement& of);

}  // namespace tocsin::cli
