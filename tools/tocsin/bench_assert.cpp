#include "tools/tocsin/bench_assert.hpp"

#include "engine/core/text.hpp"
#include "tools/tocsin/bench_figures.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

using relation = bench_assertion::relation;

// The longer ones first, so that "<=" is not read as "<".
constexpr auto relations = std::to_array<std::pair<std::string_view, relation>>({
    {"<=", relation::at_most},
    {">=", relation::at_least},
    {"==", relation::equal},
    {"<", relation::less},
    {">", relation::more},
});

std::string_view spelt(relation how) noexcept {
    return std::ranges::find(relations, how, &std::pair<std::string_view, relation>::second)->first;
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t from = text.find_first_not_of(' ');
    return from == std::string_view::npos ? std::string_view()
                                          : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

bool holds(double value, relation how, double bound) noexcept {
    switch (how) {
        case relation::less: return value < bound;
        case relation::at_most: return value <= bound;
        case relation::more: return value > bound;
        case relation::at_least: return value >= bound;
        case relation::equal: return value == bound;
    }
    return false;
}

std::string_view nearest_figure(std::string_view name) {
    std::vector<std::string_view> names;
    for (const bench_figure& one : bench_figures()) {
        names.push_back(one.name);
    }
    return nearest(name, names);
}

}  // namespace

parsed<bench_assertion> parse_bench_assertion(std::string_view text) {
    const std::size_t at = text.find_first_of("<>=");
    const auto* const found = at == std::string_view::npos
                                  ? relations.end()
                                  : std::ranges::find_if(relations, [&](const auto& one) {
                                        return text.substr(at).starts_with(one.first);
                                    });
    if (found == relations.end()) {
        return refusal{
            "assert", fmt::format("\"{}\" is not FIGURE<NUMBER, nor the same with <=, >, >= or ==", text)};
    }
    const std::string_view name = trimmed(text.substr(0, at));
    if (find_bench_figure(name) == nullptr) {
        const std::string_view meant = nearest_figure(name);
        return refusal{
            "assert", fmt::format(
                          "\"{}\" is not a figure of the report{}", name,
                          meant.empty() ? std::string() : fmt::format("; did you mean {}?", meant))};
    }
    const std::string_view number = trimmed(text.substr(at + found->first.size()));
    bench_assertion out{std::string(name), found->second, 0};
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), out.bound);
    if (failed != std::errc() || end != number.data() + number.size() || !std::isfinite(out.bound)) {
        return refusal{"assert", fmt::format("\"{}\" in \"{}\" is not a number", number, text)};
    }
    return out;
}

std::vector<std::string> missed_assertions(
    const boost::json::object& report, const std::vector<bench_assertion>& wanted) {
    std::vector<std::string> out;
    for (const bench_assertion& one : wanted) {
        const auto* const value = report.if_contains(one.figure);
        const std::string what = fmt::format("{}{}{}", one.figure, spelt(one.how), one.bound);
        if (value == nullptr || !value->is_number()) {
            out.push_back(what + " was missed: this run has no such figure");
        } else if (!holds(value->to_number<double>(), one.how, one.bound)) {
            out.push_back(fmt::format("{} was missed: it is {}", what, value->to_number<double>()));
        }
    }
    return out;
}

}  // namespace tocsin::cli
