#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>

namespace tocsin::cli {

/// The JSON that an engine's admin server gives under `path`; nothing if none answers at `listen`
/// within a second.
[[nodiscard]] std::optional<boost::json::value> admin_get(const std::string& listen, const std::string& path);

}  // namespace tocsin::cli
