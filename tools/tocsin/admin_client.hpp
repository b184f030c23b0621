#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>

namespace tocsin::cli {

/// What an engine's admin server gives under `path`; nothing if none answers at `listen` within a second.
[[nodiscard]] std::optional<std::string> admin_get_text(const std::string& listen, const std::string& path);

/// The JSON that an engine's admin server gives under `path`; nothing if none answers at `listen`
/// within a second, or what it answers is not JSON.
[[nodiscard]] std::optional<boost::json::value> admin_get(const std::string& listen, const std::string& path);

}  // namespace tocsin::cli
