#pragma once

#include "engine/core/error.hpp"
#include "tools/tocsin/bench_options.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::cli {

/// "FIGURE<NUMBER", and the same with <=, >, >= and ==. Refused with a suggestion if there is no such
/// figure (bench_figures()).
[[nodiscard]] parsed<bench_assertion> parse_bench_assertion(std::string_view text);

/// A sentence for each assertion that `report` misses. A figure that the report does not have is
/// missed: an assertion that nobody checked must not pass.
[[nodiscard]] std::vector<std::string> missed_assertions(
    const boost::json::object& report, const std::vector<bench_assertion>& wanted);

}  // namespace tocsin::cli
