#include "tools/tocsin/bench_comparison.hpp"

#include "tools/tocsin/bench_figures.hpp"

#include <boost/json/serialize.hpp>

#include <limits>

namespace tocsin::cli {
namespace {

using verdict = compared_figure::verdict;

verdict judge(double ratio, double noise, better direction) noexcept {
    if (ratio >= 1 - noise && ratio <= 1 + noise) {
        return verdict::same;
    }
    if (direction == better::neither) {
        return verdict::changed;
    }
    return (ratio < 1) == (direction == better::lower) ? verdict::better : verdict::worse;
}

std::string shown(const boost::json::value* value) {
    return value == nullptr ? "none" : boost::json::serialize(*value);
}

}  // namespace

std::string_view to_string(compared_figure::verdict how) noexcept {
    switch (how) {
        case verdict::better: return "better";
        case verdict::worse: return "worse";
        case verdict::same: return "same";
        case verdict::changed: return "changed";
    }
    return "";
}

std::vector<compared_figure> compare_reports(
    const boost::json::object& before, const boost::json::object& after, double noise) {
    std::vector<compared_figure> out;
    for (const bench_figure& figure : bench_figures()) {
        const auto* const first = before.if_contains(figure.name);
        const auto* const second = after.if_contains(figure.name);
        if (first == nullptr || second == nullptr || !first->is_number() || !second->is_number()) {
            continue;
        }
        compared_figure one;
        one.name = figure.name;
        one.before = first->to_number<double>();
        one.after = second->to_number<double>();
        if (one.before != 0) {
            one.ratio = one.after / one.before;
        } else {
            one.ratio = one.after == 0 ? 1 : std::numeric_limits<double>::infinity();
        }
        one.how = judge(one.ratio, noise, figure.direction);
        out.push_back(one);
    }
    return out;
}

std::vector<std::string> differing_conditions(
    const boost::json::object& before, const boost::json::object& after) {
    std::vector<std::string> out;
    for (const std::string_view name : {"scenario", "settings", "machine"}) {
        const auto* const first = before.if_contains(name);
        const auto* const second = after.if_contains(name);
        if (first != nullptr && second != nullptr && *first == *second) {
            continue;
        }
        out.push_back(std::string(name) + ": " + shown(first) + " and " + shown(second));
    }
    return out;
}

}  // namespace tocsin::cli
