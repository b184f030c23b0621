#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace tocsin::proof {

/// How many of the acceptances had come after what time, as inline SVG with a title and a description:
/// through the three points that a result has (p50_ms, p90_ms, p99_ms), straight between them. Empty if
/// nobody has accepted.
[[nodiscard]] std::string acceptance_chart(const boost::json::object& result);

}  // namespace tocsin::proof
