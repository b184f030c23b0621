#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace tocsin::cli {

/// A report as a page of its own: figures, and charts of acceptances over time and of the latency of
/// pushes as inline SVG. It loads nothing from anywhere.
[[nodiscard]] std::string bench_page(const boost::json::object& report);

}  // namespace tocsin::cli
