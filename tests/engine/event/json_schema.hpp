#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace tocsin::testing {

/// Validates a value against a JSON Schema (draft 2020-12), as far as the project's schemas go: a
/// keyword that is not known here is a failure, and not passed over.
///
/// Empty if the value is valid; else the first thing that is wrong, and where.
[[nodiscard]] std::string schema_error(const boost::json::value& schema, const boost::json::value& value);

}  // namespace tocsin::testing
