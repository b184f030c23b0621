#pragma once

#include "engine/ops/metrics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tocsin {

enum class metric_kind : std::uint8_t { counter, gauge, histogram };

/// How the values that several threads hold for the same labels make one.
enum class metric_merge : std::uint8_t {
    sum,      ///< Each thread holds a share.
    largest,  ///< Each thread holds its view of the same thing.
};

/// One row of the table of metrics.
struct metric_description {
    static constexpr std::size_t most_labels = 4;

    metric id;
    std::string_view name;
    metric_kind kind;
    std::string_view help;
    std::array<std::string_view, most_labels> label_names{};  ///< Unused ones are empty and last.
    metric_merge merge = metric_merge::sum;
    double scale = 1;                  ///< Exposed value = recorded value × scale.
    std::span<const double> bounds{};  ///< Upper bounds of a histogram, in seconds.

    [[nodiscard]] constexpr std::size_t label_count() const noexcept {
        std::size_t count = 0;
        while (count < most_labels && !label_names[count].empty()) {
            ++count;
        }
        return count;
    }
};

inline constexpr std::size_t metric_count = static_cast<std::size_t>(metric::build_info) + 1;

/// In the order of the enumeration.
[[nodiscard]] std::span<const metric_description, metric_count> metric_table() noexcept;

[[nodiscard]] inline const metric_description& describe(metric which) noexcept {
    return metric_table()[static_cast<std::size_t>(which)];
}

}  // namespace tocsin
