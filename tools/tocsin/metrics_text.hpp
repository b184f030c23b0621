#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::cli {

/// What an engine's /metrics said at one moment.
class metrics_text {
public:
    using labels = std::vector<std::pair<std::string_view, std::string_view>>;

    metrics_text() = default;
    /// Reads the Prometheus text format; lines that are not of it are left out.
    explicit metrics_text(std::string_view text);

    /// The sum of the series of `name` that have all of `wanted`; 0 if there is none.
    [[nodiscard]] double sum(std::string_view name, const labels& wanted = {}) const;
    /// The same for each value of `label`.
    [[nodiscard]] std::map<std::string, double> sum_by(
        std::string_view name, std::string_view label, const labels& wanted = {}) const;

private:
    struct series {
        std::string name;
        std::map<std::string, std::string, std::less<>> labels;
        double value = 0;
    };
    [[nodiscard]] static bool matches(const series& one, std::string_view name, const labels& wanted);

    std::vector<series> series_;
};

/// A bucket of a histogram: how many were above the bound before and up to this one.
struct histogram_bucket {
    double upper = 0;  ///< Infinite for the last.
    double count = 0;
};

/// What a histogram of Prometheus has got between two moments, over all of its labels.
[[nodiscard]] std::vector<histogram_bucket> histogram_between(
    const metrics_text& before, const metrics_text& after, std::string_view name);

/// The value below which the share `q` lies, as Prometheus' histogram_quantile() has it: linear within
/// a bucket; the last finite bound for what is above it; 0 if the histogram is empty.
[[nodiscard]] double quantile_of(const std::vector<histogram_bucket>& buckets, double q);

}  // namespace tocsin::cli
