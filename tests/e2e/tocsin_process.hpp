#pragma once

#include <string>
#include <vector>

namespace tocsin::testing {

struct finished_process {
    int exit_code = -1;
    std::string out;
    std::string err;
};

/// Where the tocsin executable is.
[[nodiscard]] std::string tocsin_executable();

/// Runs the tocsin executable to its end.
[[nodiscard]] finished_process run_tocsin(
    const std::vector<std::string>& arguments, const std::string& input = {},
    const std::vector<std::string>& environment = {});

}  // namespace tocsin::testing
