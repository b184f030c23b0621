#pragma once

#include <string>

namespace tocsin::cli {

/// What is known of who was busy while the pushes were sent.
struct bench_load {
    double seconds = 0;
    double engine_cores = 0;  ///< CPU seconds over seconds, as the next two.
    double simulator_cores = 0;
    double redis_cores = 0;
    /// Cores that the same three were ready to use, and did not get.
    double engine_queued = 0;
    double simulator_queued = 0;
    double redis_queued = 0;
    double other_cores = 0;  ///< Used by everything else on the machine.
    unsigned engine_threads = 1;
    unsigned simulator_threads = 1;
    unsigned cores = 1;
    /// Of the platform that was held back longest: lane seconds under a rate or quota, over the
    /// engine's threads, each of which has a lane of its own.
    double throttled_seconds = 0;
    bool paced = false;  ///< Events came one after the other, and were done at that pace.
};

struct bench_limit {
    std::string name;    ///< "engine", "quota", "simulator", "redis", or "none": it was not asked for more.
    std::string reason;  ///< A sentence with the numbers that say so.
};

/// What kept the rate from being higher.
[[nodiscard]] bench_limit find_limit(const bench_load& load);

}  // namespace tocsin::cli
