#pragma once

// The frame of the charts of a benchmark: where a share of an axis lies in the drawing.

namespace tocsin::cli::chart_frame {

constexpr double width = 720;
constexpr double height = 260;
constexpr double left = 84;
constexpr double right = 28;
constexpr double top = 16;
constexpr double bottom = 40;

[[nodiscard]] constexpr double x_at(double share) noexcept {
    return left + share * (width - left - right);
}
[[nodiscard]] constexpr double y_at(double share) noexcept {
    return height - bottom - share * (height - top - bottom);
}

}  // namespace tocsin::cli::chart_frame
