#pragma once

#include "tools/tocsin/command.hpp"

#include <string>

namespace tocsin::cli {

/// `tocsin publish --plan`: whom the event `document` would reach and how long that takes. Reads the store
/// and writes nothing. Returns the exit code.
[[nodiscard]] int plan_event(const common_options& common, const std::string& document);

}  // namespace tocsin::cli
