#include "tools/tocsin/bench_text.hpp"

#include "tools/tocsin/bench_figures.hpp"
#include "tools/tocsin/console.hpp"

#include <boost/json/array.hpp>

#include <cmath>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {

std::string bench_value(std::string_view name, const boost::json::value& value) {
    if (!value.is_number()) {
        return "–";
    }
    const auto number = value.to_number<double>();
    if (name.ends_with("_ms")) {
        return spoken_ms(number);
    }
    if (name.ends_with("seconds")) {
        return fmt::format("{:.2f} s", number);
    }
    if (name == "peak_rss_bytes") {
        return fmt::format("{:.1f} MB", number / 1e6);
    }
    if (name.ends_with("cores")) {
        return fmt::format("{:.2f}", number);
    }
    if (number >= 1'000 || number == std::floor(number)) {
        return grouped(static_cast<std::uint64_t>(std::llround(number)));
    }
    return number >= 100 ? fmt::format("{:.0f}", number) : fmt::format("{:.3g}", number);
}

std::string bench_text(const boost::json::object& report) {
    table shown({"figure", "value"});
    for (const bench_figure& figure : bench_figures()) {
        const auto& value = report.at(figure.name);
        if (!value.is_null()) {
            shown.add({std::string(figure.name), bench_value(figure.name, value)});
        }
    }
    std::string out = shown.text();
    out += fmt::format(
        "\nlimit: {} ({})", std::string_view(report.at("limit").as_string()),
        std::string_view(report.at("limit_reason").as_string()));
    for (const auto& problem : report.at("problems").as_array()) {
        out += "\n" + inked(ink::red, std::string_view(problem.as_string()));
    }
    out += "\n" + (report.at("sums_agree").as_bool() ? inked(ink::green, "every device is accounted for")
                                                     : inked(ink::red, "devices are not accounted for"));
    return out;
}

}  // namespace tocsin::cli
