#pragma once

#include "tools/tocsin/exit_code.hpp"

#include <cstddef>
#include <string>

namespace tocsin::cli {

/// What a file holds; "-": standard input. Ends the command with `otherwise` if it cannot be read or holds
/// more than `most` bytes.
[[nodiscard]] std::string read_input(
    const std::string& file, exit_code otherwise, std::size_t most = std::string::npos);

}  // namespace tocsin::cli
