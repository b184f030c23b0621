#include "tools/tocsin/metrics_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

namespace tocsin::cli {
namespace {

double to_double(const std::string& text) {
    return text == "+Inf" ? std::numeric_limits<double>::infinity() : std::strtod(text.c_str(), nullptr);
}

/// One `name="value"` off the front of `rest`, with the comma after it.
std::optional<std::pair<std::string, std::string>> take_label(std::string_view& rest) {
    const std::size_t equals = rest.find("=\"");
    if (equals == std::string_view::npos) {
        return std::nullopt;
    }
    std::pair<std::string, std::string> out(rest.substr(0, equals), std::string());
    std::size_t at = equals + 2;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) {
            ++at;
            out.second += rest[at] == 'n' ? '\n' : rest[at];
        } else {
            out.second += rest[at];
        }
    }
    if (at >= rest.size()) {
        return std::nullopt;
    }
    rest.remove_prefix(at + 1);
    if (rest.starts_with(',')) {
        rest.remove_prefix(1);
    }
    return out;
}

}  // namespace

metrics_text::metrics_text(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const std::size_t name_end = line.find_first_of("{ ");
        if (name_end == std::string_view::npos) {
            continue;
        }
        series one;
        one.name = line.substr(0, name_end);
        std::string_view rest = line.substr(name_end);
        if (rest.front() == '{') {
            rest.remove_prefix(1);
            while (!rest.empty() && rest.front() != '}') {
                auto label = take_label(rest);
                if (!label) {
                    break;
                }
                one.labels.insert(std::move(*label));
            }
            if (!rest.starts_with('}')) {
                continue;
            }
            rest.remove_prefix(1);
        }
        one.value = to_double(std::string(rest.substr(std::min(rest.size(), rest.find_first_not_of(' ')))));
        series_.push_back(std::move(one));
    }
}

bool metrics_text::matches(const series& one, std::string_view name, const labels& wanted) {
    return one.name == name && std::ranges::all_of(wanted, [&one](const auto& label) {
               const auto found = one.labels.find(label.first);
               return found != one.labels.end() && found->second == label.second;
           });
}

double metrics_text::sum(std::string_view name, const labels& wanted) const {
    double out = 0;
    for (const series& one : series_) {
        out += matches(one, name, wanted) ? one.value : 0;
    }
    return out;
}

std::map<std::string, double> metrics_text::sum_by(
    std::string_view name, std::string_view label, const labels& wanted) const {
    std::map<std::string, double> out;
    for (const series& one : series_) {
        const auto found = one.labels.find(label);
        if (found != one.labels.end() && matches(one, name, wanted)) {
            out[found->second] += one.value;
        }
    }
    return out;
}

std::vector<histogram_bucket> histogram_between(
    const metrics_text& before, const metrics_text& after, std::string_view name) {
    const std::string series = std::string(name) + "_bucket";
    const auto earlier = before.sum_by(series, "le");
    std::vector<histogram_bucket> out;
    for (const auto& [bound, count] : after.sum_by(series, "le")) {
        const auto old = earlier.find(bound);
        out.push_back({to_double(bound), count - (old == earlier.end() ? 0 : old->second)});
    }
    std::ranges::sort(out, {}, &histogram_bucket::upper);
    // Prometheus' buckets are cumulative; ours stand alone.
    for (std::size_t i = out.size(); i-- > 1;) {
        out[i].count -= out[i - 1].count;
    }
    return out;
}

double quantile_of(const std::vector<histogram_bucket>& buckets, double q) {
    double total = 0;
    for (const histogram_bucket& one : buckets) {
        total += one.count;
    }
    if (total <= 0) {
        return 0;
    }
    double seen = 0;
    double lower = 0;
    for (const histogram_bucket& one : buckets) {
        if (one.count > 0 && seen + one.count >= q * total) {
            return std::isinf(one.upper) ? lower
                                         : lower + (one.upper - lower) * (q * total - seen) / one.count;
        }
        seen += one.count;
        lower = std::isinf(one.upper) ? lower : one.upper;
    }
    return lower;
}

}  // namespace tocsin::cli
