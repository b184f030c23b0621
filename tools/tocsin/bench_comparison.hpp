#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// One figure of two reports.
struct compared_figure {
    enum class verdict { better, worse, same, changed };  // changed: neither way is better.
    std::string_view name;
    double before = 0;
    double after = 0;
    double ratio = 1;  ///< after / before; 1 if both are 0, infinite if only `before` is.
    verdict how = verdict::same;
};

[[nodiscard]] std::string_view to_string(compared_figure::verdict how) noexcept;

/// The figures that both reports have. `noise`: a ratio between 1 - noise and 1 + noise is "same".
[[nodiscard]] std::vector<compared_figure> compare_reports(
    const boost::json::object& before, const boost::json::object& after, double noise);

/// What makes the two incomparable ("scenario: town and paris"); empty if nothing does.
[[nodiscard]] std::vector<std::string> differing_conditions(
    const boost::json::object& before, const boost::json::object& after);

}  // namespace tocsin::cli
