#pragma once

#include "engine/core/error.hpp"
#include "tools/simulator/latency.hpp"

#include <string>

namespace tocsin::cli {

/// "none", "fixed:MS", "uniform:MS:MS" or "lognormal:MEDIAN_MS:P99_MS".
[[nodiscard]] parsed<sim::latency> parse_latency(const std::string& text);
/// What is wrong with it; empty if nothing is.
[[nodiscard]] std::string latency_problem(const std::string& text);

}  // namespace tocsin::cli
