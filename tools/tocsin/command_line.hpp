#pragma once

#include "tools/tocsin/command.hpp"

#include <vector>

namespace tocsin::cli {

/// Reads the command line and does what it asks for: runs a command, prints help or the version, or says what
/// is wrong with it. Returns the exit code.
[[nodiscard]] int run_command_line(const std::vector<command>& commands, int argc, const char* const* argv);

}  // namespace tocsin::cli
