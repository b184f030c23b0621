#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace tocsin {

/// The path of the first null in `value`, whatever its depth; empty if there is none. A null in a list cannot
/// remove anything, and no provider takes one.
[[nodiscard]] std::string find_null(const boost::json::value& value, const std::string& path);

}  // namespace tocsin
