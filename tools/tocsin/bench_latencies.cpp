#include "tools/tocsin/bench_latencies.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::cli {

void bench_latencies::add(double ms, std::uint64_t times) {
    if (times != 0) {
        times_[ms] += times;
        total_ += times;
    }
}

void bench_latencies::add(const histogram& durations, double more_ms, double at_most_ms) {
    for (std::size_t i = 0; i < durations.counts().size(); ++i) {
        const double ms = static_cast<double>(log_linear::upper_bound(i)) + more_ms;
        add(std::min(ms, at_most_ms), durations.counts()[i]);
    }
}

double bench_latencies::quantile(double q) const noexcept {
    const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (const auto& [ms, times] : times_) {
        seen += times;
        if (seen >= rank) {
            return ms;
        }
    }
    return 0;
}

}  // namespace tocsin::cli
