#pragma once

#include "tools/tocsin/command.hpp"

#include <span>
#include <string>

namespace tocsin::cli {

/// docs/reference/command-line.md, made of the commands' own descriptions.
[[nodiscard]] std::string command_reference(std::span<const command> commands);

}  // namespace tocsin::cli
