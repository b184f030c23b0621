#pragma once

#include "engine/core/histogram.hpp"

#include <cstdint>
#include <map>

namespace tocsin::cli {

/// Durations with how often they occurred, each counted as the longest that its bucket may hold: a
/// percentile is never reported better than it was.
class bench_latencies {
public:
    void add(double ms, std::uint64_t times = 1);
    /// All of `durations` (in ms), each longer by `more_ms`, and none longer than `at_most_ms`.
    void add(const histogram& durations, double more_ms, double at_most_ms);

    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    /// The smallest duration that the share `q` of all are not above; 0 if there are none.
    [[nodiscard]] double quantile(double q) const noexcept;

private:
    std::map<double, std::uint64_t> times_;
    std::uint64_t total_ = 0;
};

}  // namespace tocsin::cli
