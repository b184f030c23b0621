#include "tools/tocsin/bench_charts.hpp"

#include "tools/tocsin/chart_frame.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

namespace json = boost::json;
using chart_frame::bottom;
using chart_frame::height;
using chart_frame::left;
using chart_frame::right;
using chart_frame::width;
using chart_frame::x_at;
using chart_frame::y_at;

constexpr int ticks = 5;
constexpr int points_a_nine = 8;
constexpr int most_nines = 6;
constexpr std::size_t columns = 60;

struct point {
    double x = 0;  ///< A share of the axis.
    double y = 0;
};

/// The next of 1, 2, 2.5, 5 and 10 of a power of ten: five ticks of it are numbers that people read.
double rounded_up(double most) {
    const double power = std::pow(10.0, std::floor(std::log10(std::max(most, 1e-9))));
    for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
        if (factor * power >= most) {
            return factor * power;
        }
    }
    return 10 * power;
}

std::string begin(std::string_view title, double end) {
    std::string out = fmt::format(
        "<h2>{0}</h2>\n<svg viewBox=\"0 0 {1} {2}\" role=\"img\" aria-label=\"{0}\">\n", title, width,
        height);
    for (int i = 0; i <= ticks; ++i) {
        const double share = static_cast<double>(i) / ticks;
        out += fmt::format(
            "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
            "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.6g}</text>\n",
            left, width - right, y_at(share), y_at(share), left - 6, y_at(share) + 4, end * share);
    }
    return out;
}

std::string label_of_x(double share, std::string_view text) {
    return fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
        x_at(share), y_at(0), y_at(1), height - bottom + 18, text);
}

std::string line(const std::vector<point>& through, double end, std::string_view more) {
    std::string out = fmt::format("<polyline class=\"line\"{} points=\"", more);
    for (const point& one : through) {
        out += fmt::format("{:.1f},{:.1f} ", x_at(one.x), y_at(std::min(1.0, one.y / end)));
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
    double out = 0;
    for (const point& one : of) {
        out = std::max(out, one.y);
    }
    return out;
}

}  // namespace

json::array percentile_pairs(const bench_latencies& of) {
    return pairs(static_cast<double>(of.total()), [&of](double share) { return of.quantile(share); });
}

json::array percentile_pairs(const json::array& histogram) {
    double total = 0;
    for (const json::value& bucket : histogram) {
        total += bucket.at(1).is_number() ? bucket.at(1).to_number<double>() : 0;
    }
    return pairs(total, [&](double share) {
        double lower = 0;
        double below = 0;
        for (const json::value& bucket : histogram) {
            const double count = bucket.at(1).is_number() ? bucket.at(1).to_number<double>() : 0;
            if (!bucket.at(0).is_number()) {
                return lower;  // The last has no end: at least that long.
            }
            const double upper = bucket.at(0).to_number<double>();
            if (count > 0 && below + count >= share * total) {
                return lower + (upper - lower) * std::max(0.0, share * total - below) / count;
            }
            below += count;
            lower = upper;
        }
        return lower;
    });
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
    const double end = rounded_up(std::max({1.0, highest(events), highest(answers)}));
    std::string out = begin("Latency by percentile, in milliseconds", end);
    for (int i = 0; i <= static_cast<int>(all_nines); ++i) {
        const double share = 1 - std::pow(10.0, -i);
        out += label_of_x(i / all_nines, fmt::format("{:.{}f} %", share * 100, std::max(0, i - 2)));
    }
    out += line(events, end, "");
    out += line(answers, end, " stroke-dasharray=\"5 4\"");
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
    double from = 0;
    double before = 0;
    for (const json::value& sample : timeline) {
        const double ms = sample.at(0).to_number<double>();
        const double accepted = sample.at(1).to_number<double>();
        if (ms - from < longest / static_cast<double>(columns)) {
            continue;  // Not two samples of one instant: they would be a needle.
        }
        const double rate = (accepted - before) / (ms - from) * 1'000;
        rates.push_back({from / longest, rate});
        rates.push_back({ms / longest, rate});
        from = ms;
        before = accepted;
    }
    const double end = rounded_up(std::max(1.0, highest(rates)));
    std::string out = begin("Accepted per second, by time in seconds", end);
    const double step = rounded_up(longest / 1'000 / ticks);
    for (int i = 0; i * step <= longest / 1'000; ++i) {
        out += label_of_x(i * step * 1'000 / longest, fmt::format("{:g}", i * step));
    }
    return out + line(rates, end, "") + fmt::format("</svg>\n<p>Limited by {}.</p>\n", limit);
}

}  // namespace tocsin::cli
