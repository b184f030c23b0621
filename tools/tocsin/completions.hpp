#pragma once

#include "tools/tocsin/command.hpp"

#include <span>
#include <string>

namespace tocsin::cli {

// What completes a command line of `tocsin` in each shell: commands, actions, options, closed sets of values,
// and files where an option takes one. Each is a whole file for the shell's folder of completions.

[[nodiscard]] std::string bash_completion(std::span<const command> commands);
[[nodiscard]] std::string zsh_completion(std::span<const command> commands);
[[nodiscard]] std::string fish_completion(std::span<const command> commands);

}  // namespace tocsin::cli
