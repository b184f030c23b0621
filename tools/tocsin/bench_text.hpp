#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace tocsin::cli {

/// A report as people read it on a terminal.
[[nodiscard]] std::string bench_text(const boost::json::object& report);

/// A figure's value with its unit, out of the figure's name: "12.3 ms", "48 MB"; "–" for null.
[[nodiscard]] std::string bench_value(std::string_view name, const boost::json::value& value);

}  // namespace tocsin::cli
