#include "engine/ops/metrics.hpp"

#include "engine/ops/metrics_table.hpp"
#include "engine/ops/process_metrics.hpp"
#include "engine/ops/utf8_repair.hpp"

#include <algorithm>
#include <cassert>
#include <deque>
#include <map>
#include <mutex>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace tocsin {
namespace {

using label_values = std::vector<std::string>;

// A thread's numbers stay off the cache lines of another's.
template <class Value>
struct alignas(64) series {
    explicit series(std::initializer_list<std::string_view> given) : labels(given.begin(), given.end()) {}

    const label_values labels;
    Value value;
};

/// All series of one kind on one shard, found by metric and label values.
template <class Value>
class series_map {
public:
    Value& find_or_add(metric which, std::initializer_list<std::string_view> labels) {
        assert(labels.size() == describe(which).label_count() && "one value for each label of the table");
        key_.assign(1, static_cast<char>(which));
        for (const std::string_view label : labels) {
            // The length in front keeps {"ab", "c"} and {"a", "bc"} apart.
            key_ += std::to_string(label.size());
            key_ += ':';
            key_ += label;
        }
        const auto found = by_key_.find(key_);
        if (found != by_key_.end()) {
            return found->second->value;
        }
        auto added = std::make_unique<series<Value>>(labels);
        Value& value = added->value;
        by_metric_[static_cast<std::size_t>(which)].push_back(added.get());
        by_key_.emplace(key_, std::move(added));
        return value;
    }

    [[nodiscard]] const std::vector<series<Value>*>& of(metric which) const {
        return by_metric_[static_cast<std::size_t>(which)];
    }

private:
    std::unordered_map<std::string, std::unique_ptr<series<Value>>> by_key_;
    std::array<std::vector<series<Value>*>, metric_count> by_metric_;
    std::string key_;  // Kept between calls for its memory.
};

prometheus::ClientMetric labelled(const metric_description& row, const label_values& values) {
    prometheus::ClientMetric out;
    const std::size_t count = std::min(row.label_count(), values.size());
    out.label.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        out.label.push_back({std::string(row.label_names[i]), repaired_utf8(values[i])});
    }
    return out;
}

prometheus::MetricFamily family(std::string_view name, std::string_view help, prometheus::MetricType type) {
    prometheus::MetricFamily out;
    out.name = name;
    out.help = help;
    out.type = type;
    return out;
}

/// Counts of one histogram, summed over the shards.
struct merged_histogram {
    std::array<std::uint64_t, log_linear::bucket_count> counts{};
    std::uint64_t sum = 0;
};

prometheus::ClientMetric::Histogram exposed(const metric_description& row, const merged_histogram& merged) {
    prometheus::ClientMetric::Histogram out;
    std::size_t index = 0;
    std::uint64_t below = 0;
    for (const double bound : row.bounds) {
        // Only what lies below the bound for certain counts as below it.
        const auto limit = static_cast<std::uint64_t>(bound / row.scale + 0.5);
        for (; index < merged.counts.size() && log_linear::upper_bound(index) <= limit; ++index) {
            below += merged.counts[index];
        }
        out.bucket.push_back({below, bound});
    }
    for (; index < merged.counts.size(); ++index) {
        below += merged.counts[index];
    }
    out.bucket.push_back({below, std::numeric_limits<double>::infinity()});
    out.sample_count = below;
    out.sample_sum = static_cast<double>(merged.sum) * row.scale;
    return out;
}

}  // namespace

void owned_histogram::record_microseconds(std::uint64_t value) noexcept {
    counts_[log_linear::index_of(value)].add(1);
    sum_.add(value);
}

struct metrics_shard::implementation {
    // Guards the maps; the values in them are atomics and need no guard.
    mutable std::mutex mutex;
    series_map<owned_counter> counters;
    series_map<owned_gauge> gauges;
    series_map<owned_histogram> histograms;
};

metrics_shard::metrics_shard(std::shared_ptr<implementation> inner) : implementation_(std::move(inner)) {}

owned_counter& metrics_shard::counter(metric which, std::initializer_list<std::string_view> labels) {
    assert(describe(which).kind == metric_kind::counter);
    const std::scoped_lock lock(implementation_->mutex);
    return implementation_->counters.find_or_add(which, labels);
}

owned_gauge& metrics_shard::gauge(metric which, std::initializer_list<std::string_view> labels) {
    assert(describe(which).kind == metric_kind::gauge);
    const std::scoped_lock lock(implementation_->mutex);
    return implementation_->gauges.find_or_add(which, labels);
}

owned_histogram& metrics_shard::histogram(metric which, std::initializer_list<std::string_view> labels) {
    assert(describe(which).kind == metric_kind::histogram);
    const std::scoped_lock lock(implementation_->mutex);
    return implementation_->histograms.find_or_add(which, labels);
}

struct metrics::implementation {
    /// Calls `visit(labels, value)` for each shard's series of `which` in the map that `Member` names.
    template <auto Member, class Visit>
    void for_each(metric which, Visit visit) const {
        for (const metrics_shard& shard : shards) {
            const std::scoped_lock lock(shard.implementation_->mutex);
            for (const auto* entry : (*shard.implementation_.*Member).of(which)) {
                visit(entry->labels, entry->value);
            }
        }
    }

    [[nodiscard]] prometheus::MetricFamily counters(const metric_description& row) const {
        std::map<label_values, std::uint64_t> merged;
        for_each<&metrics_shard::implementation::counters>(
            row.id,
            [&](const label_values& labels, const owned_counter& value) { merged[labels] += value.read(); });
        auto out = family(row.name, row.help, prometheus::MetricType::Counter);
        for (const auto& [labels, value] : merged) {
            out.metric.push_back(labelled(row, labels));
            out.metric.back().counter.value = static_cast<double>(value) * row.scale;
        }
        return out;
    }

    [[nodiscard]] prometheus::MetricFamily gauges(const metric_description& row) const {
        std::map<label_values, double> merged;
        for_each<&metrics_shard::implementation::gauges>(
            row.id, [&](const label_values& labels, const owned_gauge& value) {
                const auto [at, fresh] = merged.try_emplace(labels, value.read());
                if (!fresh) {
                    at->second = row.merge == metric_merge::sum ? at->second + value.read()
                                                                : std::max(at->second, value.read());
                }
            });
        auto out = family(row.name, row.help, prometheus::MetricType::Gauge);
        for (const auto& [labels, value] : merged) {
            out.metric.push_back(labelled(row, labels));
            out.metric.back().gauge.value = value * row.scale;
        }
        return out;
    }

    [[nodiscard]] prometheus::MetricFamily histograms(const metric_description& row) const {
        std::map<label_values, merged_histogram> merged;
        for_each<&metrics_shard::implementation::histograms>(
            row.id, [&](const label_values& labels, const owned_histogram& value) {
                merged_histogram& into = merged[labels];
                for (std::size_t i = 0; i < into.counts.size(); ++i) {
                    into.counts[i] += value.counts_[i].read();
                }
                into.sum += value.sum_.read();
            });
        auto out = family(row.name, row.help, prometheus::MetricType::Histogram);
        for (const auto& [labels, value] : merged) {
            out.metric.push_back(labelled(row, labels));
            out.metric.back().histogram = exposed(row, value);
        }
        return out;
    }

    mutable std::mutex mutex;
    std::deque<metrics_shard> shards;  // A deque: references to its elements stay good as it grows.
};

metrics::metrics() : implementation_(std::make_unique<implementation>()) {}
metrics::~metrics() = default;

metrics_shard& metrics::add_shard() {
    const std::scoped_lock lock(implementation_->mutex);
    implementation_->shards.push_back(metrics_shard(std::make_shared<metrics_shard::implementation>()));
    return implementation_->shards.back();
}

std::string metrics::exposition() const {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(metric_count + process_metric_table().size());
    {
        const std::scoped_lock lock(implementation_->mutex);
        for (const metric_description& row : metric_table()) {
            switch (row.kind) {
                case metric_kind::counter: families.push_back(implementation_->counters(row)); break;
                case metric_kind::gauge: families.push_back(implementation_->gauges(row)); break;
                case metric_kind::histogram: families.push_back(implementation_->histograms(row)); break;
            }
        }
    }
    for (const process_metric& row : process_metric_table()) {
        const std::optional<double> value = row.read();
        if (!value) {
            continue;
        }
        families.push_back(family(
            row.name, row.help,
            row.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge));
        prometheus::ClientMetric& only = families.back().metric.emplace_back();
        (row.counter ? only.counter.value : only.gauge.value) = *value;
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
}

}  // namespace tocsin
