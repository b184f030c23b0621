#pragma once

#include "tools/tocsin/options.hpp"

#include <functional>
#include <string_view>

#include <CLI/App.hpp>

namespace tocsin::cli {

inline constexpr std::string_view bench_examples =
    "  tocsin bench town --threads 1\n"
    "  tocsin bench department --share 0.3 --latency lognormal:40:200 --answers record\n"
    "  tocsin bench village --assert 'event_p99_ms<500' --assert 'cpu_per_million<20'\n"
    "  tocsin bench town --json > before.json\n"
    "  tocsin bench compare before.json after.json --noise 0.05\n";

/// Gives the command `at` its options and its subcommand. One of the two is called when the command
/// line is right.
void add_bench(
    CLI::App& at, std::function<void(bench_options)> run, std::function<void(bench_compare_options)> compare);

}  // namespace tocsin::cli
