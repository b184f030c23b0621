#include "tools/tocsin/bench_charts.hpp"

#include "tools/tocsin/console.hpp"
#include "tools/tocsin/metrics_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;

constexpr double width = 720;
constexpr double height = 260;
constexpr double left = 84;
constexpr double right = 28;
constexpr double top = 16;
constexpr double bottom = 40;
constexpr double most_ticks = 6;
constexpr int points_a_nine = 8;
constexpr int most_nines = 6;
constexpr std::size_t columns = 60;

struct point {
    double x = 0;  ///< A share of the axis.
    double y = 0;
};

/// Where a share of an axis lies in the drawing.
constexpr double x_at(double share) noexcept {
    return left + share * (width - left - right);
}
constexpr double y_at(double share) noexcept {
    return height - bottom - share * (height - top - bottom);
}

/// The end of an axis for values up to `most`, and the distance of its ticks: 1, 2 or 5 of a power of ten.
struct scale {
    double end = 1;
    double step = 1;
};
scale scale_for(double most) {
    const double least = most / most_ticks;
    const double power = std::pow(10.0, std::floor(std::log10(least)));
    double step = 10 * power;
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= least) {
            step = factor * power;
            break;
        }
    }
    return {std::ceil(most / step) * step, step};
}

/// "32 000", "2.5"
std::string tick_text(double value) {
    return value == std::floor(value) ? grouped(static_cast<std::uint64_t>(value))
                                      : fmt::format("{:g}", value);
}

/// Calls `mark` with each tick's share of the axis and its text.
template <class Mark>
void for_each_tick(const scale& axis, Mark mark) {
    const auto count = static_cast<int>(std::lround(axis.end / axis.step));
    for (int i = 0; i <= count; ++i) {
        mark(static_cast<double>(i) / count, tick_text(axis.step * i));
    }
}

std::string begin(std::string_view title, const scale& up) {
    std::string out = fmt::format(
        "<h2>{0}</h2>\n<svg viewBox=\"0 0 {1} {2}\" role=\"img\" aria-label=\"{0}\">\n", title, width,
        height);
    for_each_tick(up, [&out](double share, const std::string& text) {
        out += fmt::format(
            "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
            "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
            left, width - right, y_at(share), y_at(share), left - 6, y_at(share) + 4, text);
    });
    return out;
}

std::string label_of_x(double share, std::string_view text) {
    return fmt::format(
        "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x_at(share), height - bottom + 18,
        text);
}

std::string tick_of_x(double share, std::string_view text) {
    return fmt::format(
               "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
               x_at(share), y_at(0), y_at(1)) +
           label_of_x(share, text);
}

std::string ticks_of_x(const scale& along) {
    std::string out;
    for_each_tick(along, [&out](double share, const std::string& text) { out += tick_of_x(share, text); });
    return out;
}

std::string line(const std::vector<point>& through, const scale& up, std::string_view more = {}) {
    std::string out = fmt::format("<polyline class=\"line\"{} points=\"", more);
    for (const point& one : through) {
        out += fmt::format("{:.1f},{:.1f} ", x_at(one.x), y_at(one.y / up.end));
    }
    return out + "\"/>\n";
}

/// How many nines a share has: 0.9 is one, 0.999 are three.
double nines(double share) {
    return -std::log10(std::max(1 - share, std::pow(10.0, -most_nines)));
}

/// The shares that `total` can tell apart, and the whole.
template <class Value>
json::array pairs(double total, Value value) {
    json::array out;
    if (total <= 0) {
        return out;
    }
    for (int i = 0; i <= points_a_nine * most_nines; ++i) {
        const double above = std::pow(10.0, -static_cast<double>(i) / points_a_nine);
        if (above * total < 1) {
            break;
        }
        out.push_back(json::array{std::round((1 - above) * 1e7) / 1e7, value(1 - above)});
    }
    out.push_back(json::array{1, value(1.0)});
    return out;
}

std::vector<point> by_nines(const json::array& of, double all_nines) {
    std::vector<point> out;
    for (const json::value& pair : of) {
        out.push_back(
            {std::min(1.0, nines(pair.at(0).to_number<double>()) / all_nines),
             pair.at(1).to_number<double>()});
    }
    return out;
}

double highest(const std::vector<point>& of) {
    return of.empty() ? 0 : std::ranges::max(of, {}, &point::y).y;
}

}  // namespace

json::array percentile_pairs(const bench_latencies& of) {
    return pairs(static_cast<double>(of.total()), [&of](double share) { return of.quantile(share); });
}

json::array percentile_pairs(const json::array& histogram) {
    std::vector<histogram_bucket> buckets;
    double total = 0;
    for (const json::value& bucket : histogram) {
        const auto number = [&bucket](std::size_t i, double otherwise) {
            return bucket.at(i).is_number() ? bucket.at(i).to_number<double>() : otherwise;
        };
        buckets.push_back({number(0, std::numeric_limits<double>::infinity()), number(1, 0)});
        total += buckets.back().count;
    }
    return pairs(total, [&](double share) { return quantile_of(buckets, share); });
}

std::string accepted_chart(const json::array& timeline) {
    std::vector<point> counts;
    double longest = 1;
    for (const json::value& sample : timeline) {
        counts.push_back({sample.at(0).to_number<double>() / 1'000, sample.at(1).to_number<double>()});
        longest = std::max(longest, sample.at(0).to_number<double>());
    }
    const scale along = scale_for(longest / 1'000);
    for (point& one : counts) {
        one.x /= along.end;
    }
    const scale up = scale_for(std::max(1.0, highest(counts)));
    return begin("Accepted pushes by time, in seconds", up) + ticks_of_x(along) + line(counts, up) +
           "</svg>\n";
}

std::string percentile_chart(const json::array& accepted, const json::array& pushes) {
    double all_nines = 1;
    for (const json::array* series : {&accepted, &pushes}) {
        if (series->size() > 1) {
            all_nines = std::max(all_nines, nines((*series)[series->size() - 2].at(0).to_number<double>()));
        }
    }
    const std::vector<point> events = by_nines(accepted, all_nines);
    const std::vector<point> answers = by_nines(pushes, all_nines);
    const scale up = scale_for(std::max({1.0, highest(events), highest(answers)}));
    std::string out = begin("Latency by percentile, in milliseconds", up);
    for (int i = 0; i <= static_cast<int>(all_nines); ++i) {
        const double share = 1 - std::pow(10.0, -i);
        out += tick_of_x(i / all_nines, fmt::format("{:.{}f} %", share * 100, std::max(0, i - 2)));
    }
    out += line(events, up);
    out += line(answers, up, " stroke-dasharray=\"5 4\"");
    return out +
           "</svg>\n<p>Solid: event published to push accepted. Dashed: push written to its answer. Each "
           "nine has as "
           "much room as the one before; the end is the slowest of all.</p>\n";
}

std::string throughput_chart(const json::array& timeline, std::string_view limit) {
    std::vector<point> rates;
    double longest = 1;
    for (const json::value& sample : timeline) {
        longest = std::max(longest, sample.at(0).to_number<double>());
    }
    const scale along = scale_for(longest / 1'000);
    double from = 0;
    double before = 0;
    for (const json::value& sample : timeline) {
        const double ms = sample.at(0).to_number<double>();
        const double accepted = sample.at(1).to_number<double>();
        if (ms - from < longest / static_cast<double>(columns)) {
            continue;  // Not two samples of one instant: they would be a needle.
        }
        const double rate = (accepted - before) / (ms - from) * 1'000;
        rates.push_back({from / 1'000 / along.end, rate});
        rates.push_back({ms / 1'000 / along.end, rate});
        from = ms;
        before = accepted;
    }
    const scale up = scale_for(std::max(1.0, highest(rates)));
    return begin("Accepted per second, by time in seconds", up) + ticks_of_x(along) + line(rates, up) +
           fmt::format("</svg>\n<p>Limited by {}.</p>\n", limit);
}

std::string latency_chart(const json::array& histogram) {
    struct bar {
        std::string label;
        double count = 0;
    };
    std::vector<bar> bars;
    double most = 1;
    for (const json::value& bucket : histogram) {
        const json::value& upper = bucket.at(0);
        const double count = bucket.at(1).is_number() ? bucket.at(1).to_number<double>() : 0;
        if (count == 0 && bars.empty()) {
            continue;
        }
        bars.push_back(
            {upper.is_number() ? fmt::format("≤ {:g}", upper.to_number<double>()) : std::string("more"),
             count});
        most = std::max(most, count);
    }
    while (!bars.empty() && bars.back().count == 0) {
        bars.pop_back();
    }
    const scale up = scale_for(most);
    std::string out = begin("Pushes by latency (written to answered), in milliseconds", up);
    const auto count = static_cast<double>(std::max<std::size_t>(1, bars.size()));
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double share = bars[i].count / up.end;
        const auto at = static_cast<double>(i);
        out += fmt::format(
            "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
            x_at((at + 0.1) / count), y_at(share), (x_at(1) - x_at(0)) * 0.8 / count, y_at(0) - y_at(share));
        out += label_of_x((at + 0.5) / count, bars[i].label);
    }
    return out + "</svg>\n";
}

}  // namespace tocsin::cli
