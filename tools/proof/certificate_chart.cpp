#include "tools/proof/certificate_chart.hpp"

#include "engine/core/json_members.hpp"
#include "tools/proof/french.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tocsin::proof {
namespace {

namespace json = boost::json;

constexpr double left = 34;
constexpr double right = 350;
constexpr double top = 10;
constexpr double bottom = 104;

struct point {
    double share;
    std::uint64_t ms;
};

std::optional<std::vector<point>> points_of(const json::object& result) {
    std::vector<point> out;
    for (const auto& [name, share] :
         {std::pair("p50_ms", 0.5), std::pair("p90_ms", 0.9), std::pair("p99_ms", 0.99)}) {
        const auto ms = count_at(result, name);
        if (!ms) {
            return std::nullopt;
        }
        out.push_back({share, *ms});
    }
    return out;
}

/// A round step that cuts `longest` into three to six.
std::uint64_t step_for(std::uint64_t longest) {
    constexpr auto steps = std::to_array<std::uint64_t>(
        {1,          2,          5,          10,          20,          50,         100,       200,
         500,        1'000,      2'000,      5'000,       10'000,      15'000,     30'000,    60'000,
         120'000,    300'000,    600'000,    900'000,     1'800'000,   3'600'000,  7'200'000, 14'400'000,
         21'600'000, 43'200'000, 86'400'000, 172'800'000, 432'000'000, 864'000'000});
    for (const std::uint64_t step : steps) {
        if (longest <= step * 5) {
            return step;
        }
    }
    return longest / 5 + 1;
}

/// A tick in the unit of its step: "0,5 s", "2 min".
std::string tick_text(std::uint64_t ms, std::uint64_t step) {
    const auto in = [&](double unit, std::string_view name) {
        const double value = static_cast<double>(ms) / unit;
        const bool whole = std::fmod(static_cast<double>(step), unit) == 0;
        return french::decimal(value, whole ? 0 : 1) + std::string(french::narrow) + std::string(name);
    };
    if (step >= 3'600'000) {
        return in(3'600'000, "h");
    }
    if (step >= 60'000) {
        return in(60'000, "min");
    }
    return step >= 100 ? in(1'000, "s") : in(1, "ms");
}

class chart {
public:
    explicit chart(std::vector<point> points)
        : points_(std::move(points)),
          step_(step_for(std::max<std::uint64_t>(1, points_.back().ms))),
          longest_(static_cast<double>(std::max<std::uint64_t>(1, points_.back().ms)) * 1.06) {}

    [[nodiscard]] std::string text() const {
        return "<svg viewBox=\"0 0 360 130\" role=\"img\" aria-labelledby=\"chart-title chart-desc\">\n" +
               words() + axes() + curve() + "</svg>\n";
    }

private:
    [[nodiscard]] double x(double ms) const { return left + (right - left) * ms / longest_; }
    [[nodiscard]] static double y(double share) { return bottom - (bottom - top) * share; }

    [[nodiscard]] std::string words() const {
        return fmt::format(
            "<title id=\"chart-title\">Acceptations au fil du temps</title>\n"
            "<desc id=\"chart-desc\">50{3}% des acceptations en {0}, 90{3}% en {1}, 99{3}% en {2}, "
            "comptés depuis la lecture de l’événement.</desc>\n",
            french::span(points_[0].ms), french::span(points_[1].ms), french::span(points_[2].ms),
            french::narrow);
    }

    [[nodiscard]] std::string axes() const {
        std::string out;
        for (const double share : {0.5, 1.0}) {
            out += fmt::format(
                "<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{2:.1f}\" x2=\"{1:.1f}\" y2=\"{2:.1f}\"/>\n"
                "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}{6}%</text>\n",
                left, right, y(share), left - 4, y(share) + 3, std::lround(share * 100), french::narrow);
        }
        out += fmt::format(
            "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{2:.1f}\" x2=\"{1:.1f}\" y2=\"{2:.1f}\"/>\n", left,
            right, bottom);
        for (std::uint64_t ms = 0; static_cast<double>(ms) <= longest_; ms += step_) {
            const double at = x(static_cast<double>(ms));
            const std::string_view anchor = at > right - 12 ? "end" : "middle";
            out += fmt::format(
                "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n"
                "<text x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"{4}\">{5}</text>\n",
                at, bottom, bottom + 3, bottom + 12, anchor, tick_text(ms, step_));
        }
        return out +
               fmt::format(
                   "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">temps écoulé depuis la lecture de "
                   "l’événement</text>\n",
                   (left + right) / 2, bottom + 24);
    }

    [[nodiscard]] std::string curve() const {
        std::string path = fmt::format("M{:.1f} {:.1f}", left, bottom);
        std::string marks;
        for (const point& at : points_) {
            const double px = x(static_cast<double>(at.ms));
            path += fmt::format(" L{:.1f} {:.1f}", px, y(at.share));
            marks += fmt::format(
                "<line class=\"drop\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n", px,
                y(at.share), bottom);
        }
        for (const point& at : points_) {
            marks += fmt::format(
                "<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\"/>\n",
                x(static_cast<double>(at.ms)), y(at.share));
        }
        return fmt::format(
            "<path class=\"area\" d=\"{0} L{1:.1f} {2:.1f} Z\"/>\n<path class=\"line\" d=\"{0}\"/>\n{3}",
            path, x(static_cast<double>(points_.back().ms)), bottom, marks);
    }

    std::vector<point> points_;
    std::uint64_t step_;
    double longest_;
};

}  // namespace

std::string acceptance_chart(const json::object& result) {
    auto points = points_of(result);
    return points ? chart(std::move(*points)).text() : std::string();
}

}  // namespace tocsin::proof
