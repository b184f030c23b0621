#pragma once

#include <span>
#include <string_view>

namespace tocsin::cli {

/// Which way a figure gets better.
enum class better : unsigned char { lower, higher, neither };

struct bench_figure {
    std::string_view name;  ///< In the JSON report; its unit is in it.
    better direction = better::neither;
    std::string_view meaning;
};

/// Every numeric figure of a report, in the order in which it is shown. In a report each is a number,
/// or null where the scenario or the machine has none.
[[nodiscard]] std::span<const bench_figure> bench_figures() noexcept;

/// Null if there is no such figure.
[[nodiscard]] const bench_figure* find_bench_figure(std::string_view name) noexcept;

}  // namespace tocsin::cli
