#include "tools/tocsin/bench_html.hpp"

#include "tools/tocsin/bench_charts.hpp"
#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/bench_text.hpp"
#include "tools/tocsin/chart_frame.hpp"
#include "tools/tocsin/console.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
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

constexpr double most_ticks = 6;

constexpr std::string_view head =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem;"
    "color:#1b1b1b}table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}"
    "svg text{font-size:12px;fill:#555}.line{fill:none;stroke:#1857a4;stroke-width:2}"
    ".bar{fill:#1857a4}.grid{stroke:#ddd}.bad{color:#a41818}</style>\n";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string begin_chart(std::string_view title) {
    return fmt::format(
        "<h2>{}</h2>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", title, width, height,
        title);
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

std::string scale_of_y(const scale& axis) {
    std::string out;
    for_each_tick(axis, [&out](double share, const std::string& text) {
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

/// Devices that have accepted, by time.
std::string accepted_chart(const json::array& timeline) {
    double longest = 1;
    double most = 1;
    for (const json::value& sample : timeline) {
        longest = std::max(longest, sample.at(0).to_number<double>());
        most = std::max(most, sample.at(1).to_number<double>());
    }
    const scale up = scale_for(most);
    const scale along = scale_for(longest / 1'000);
    std::string out = begin_chart("Accepted pushes by time, in seconds") + scale_of_y(up);
    for_each_tick(along, [&out](double share, const std::string& text) { out += label_of_x(share, text); });
    out += "<polyline class=\"line\" points=\"";
    for (const json::value& sample : timeline) {
        out += fmt::format(
            "{:.1f},{:.1f} ", x_at(sample.at(0).to_number<double>() / 1'000 / along.end),
            y_at(sample.at(1).to_number<double>() / up.end));
    }
    return out + "\"/>\n</svg>\n";
}

struct bar {
    std::string label;
    double count = 0;
};

/// Pushes by how long their answers took. The bounds grow like an exponential, so each bar is as wide
/// as the next; empty ones at both ends are left out.
std::string latency_chart(const json::array& histogram) {
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
    std::string out =
        begin_chart("Pushes by latency (written to answered), in milliseconds") + scale_of_y(up);
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

std::string figures_table(const json::object& report) {
    std::string out = "<h2>Figures</h2>\n<table>\n";
    for (const bench_figure& figure : bench_figures()) {
        const json::value& value = report.at(figure.name);
        if (!value.is_null()) {
            out += fmt::format(
                "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td>{}</td></tr>\n", figure.name,
                bench_value(figure.name, value), escaped(figure.meaning));
        }
    }
    return out + "</table>\n";
}

std::string text_of(const json::value& value) {
    return escaped(value.is_string() ? std::string(value.as_string()) : json::serialize(value));
}

std::string conditions(const json::object& report) {
    std::string out = "<h2>Conditions</h2>\n<table>\n";
    for (const std::string_view part : {"settings", "machine"}) {
        for (const auto& [name, value] : report.at(part).as_object()) {
            out += fmt::format(
                "<tr><td>{}</td><td>{}</td></tr>\n", escaped(std::string_view(name)), text_of(value));
        }
    }
    return out +
           fmt::format("<tr><td>version</td><td>{}</td></tr>\n</table>\n", text_of(report.at("version")));
}

}  // namespace

std::string bench_page(const boost::json::object& report) {
    const std::string scenario = text_of(report.at("scenario"));
    std::string out(head);
    out += fmt::format("<title>tocsin bench {0}</title></head><body>\n<h1>tocsin bench {0}</h1>\n", scenario);
    out += fmt::format(
        "<p>Limit: <b>{}</b> ({}).</p>\n", text_of(report.at("limit")), text_of(report.at("limit_reason")));
    for (const json::value& problem : report.at("problems").as_array()) {
        out += fmt::format("<p class=\"bad\">{}</p>\n", text_of(problem));
    }
    out += accepted_chart(report.at("timeline").as_array());
    out += throughput_chart(
        report.at("timeline").as_array(),
        fmt::format("{}: {}", text_of(report.at("limit")), text_of(report.at("limit_reason"))));
    out += percentile_chart(
        report.at("accepted_percentiles").as_array(),
        percentile_pairs(report.at("push_histogram").as_array()));
    out += latency_chart(report.at("push_histogram").as_array());
    out += figures_table(report);
    out += conditions(report);
    return out + "</body></html>\n";
}

}  // namespace tocsin::cli
