#pragma once

#include "engine/core/error.hpp"
#include "tools/simulator/behaviour.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <filesystem>
#include <vector>

namespace tocsin::sim {

class simulator;

/// One step of a script file.
struct behaviour_step {
    std::chrono::milliseconds after{0};  ///< The start of the simulator.
    boost::json::value change;           ///< A document for change_behaviour().
};

/// Reads `[{"after_ms": 5000, …}, …]`, sorted by time; no steps if `file` is empty. Every step is
/// checked against `initial`, so that a mistake is found at the start and not in the fifth minute.
[[nodiscard]] parsed<std::vector<behaviour_step>> read_script_file(
    const std::filesystem::path& file, const behaviour& initial);

/// Applies each step when its time has come. The arguments outlive the coroutine.
boost::asio::awaitable<void> run_script(const std::vector<behaviour_step>& steps, simulator& target);

}  // namespace tocsin::sim
