#pragma once

#include "engine/core/error.hpp"
#include "tools/tocsin/bench_options.hpp"
#include "tools/tocsin/bench_plan.hpp"
#include "tools/tocsin/child_process.hpp"
#include "tools/tocsin/private_stage.hpp"

#include <optional>
#include <string>

namespace tocsin::cli {

/// The processes of a benchmark: each its own, so that what each of them uses is known. They are ended
/// in the reverse of this order.
struct bench_stage {
    std::filesystem::path directory;
    child_process redis;
    child_process simulator;
    std::string configuration;  ///< The tocsin.toml that the simulator has written.
    std::string control;        ///< host:port of the simulator's control API.
    std::string admin;          ///< host:port of the engine's admin server.
    std::string push_origin;    ///< Of the simulator's push service.
    std::optional<child_process> engine;
};

/// Redis and the simulator, ready. What does not get ready ends the command (exit 69), and so below.
[[nodiscard]] bench_stage open_bench_stage(const std::filesystem::path& directory, const bench_options& how);

/// The devices that `how` wants, known to the stage's simulator.
[[nodiscard]] parsed<bench_mix> mix_for(const bench_stage& on, const bench_options& how);

/// The engine, ready.
void start_bench_engine(bench_stage& on, const bench_options& how);

}  // namespace tocsin::cli
