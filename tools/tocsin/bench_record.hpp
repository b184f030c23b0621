#pragma once

#include "engine/plan/report.hpp"
#include "tools/tocsin/bench_plan.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin::cli {

struct bench_sample {
    double ms = 0;  ///< Since the first event was published.
    std::uint64_t accepted = 0;
};

/// An event that has ended, and what the engine says of it.
struct bench_ending {
    bench_event event;
    std::int64_t published_at = 0;  ///< ms since 1970: when Redis took it in.
    event_report report;
};

struct bench_record {
    std::vector<bench_sample> timeline;
    std::vector<bench_ending> events;
    std::optional<bench_ending> alert;
};

}  // namespace tocsin::cli
