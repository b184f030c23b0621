#pragma once

#include "tools/tocsin/options.hpp"

#include <variant>

namespace tocsin::cli {

/// The command that was asked for, or the code to exit with at once (help, version, usage errors;
/// what there is to say has been said).
[[nodiscard]] std::variant<command, int> parse_command_line(int argc, char** argv);

}  // namespace tocsin::cli
