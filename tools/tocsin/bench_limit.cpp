#include "tools/tocsin/bench_limit.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

// A process that waits for nobody still loses some time to the scheduler and at start and end.
constexpr double saturated = 0.85;
constexpr double machine_full = 0.90;
constexpr double mostly_throttled = 0.5;
// Of all cores. This process, the kernel's network and a monitoring agent stay below it.
constexpr double disturbing = 0.2;

struct consumer {
    std::string_view name;
    double cores;
    double queued;
    double most;  ///< Cores that it could use.

    /// Of the time that its threads had, in which they had something to do.
    [[nodiscard]] double share() const noexcept { return (cores + queued) / most; }
};

std::string usage(const std::array<consumer, 3>& all, const bench_load& load) {
    std::string out = "cores in use: ";
    for (const consumer& one : all) {
        out += fmt::format(
            "{} {:.2f} of {:.0f}{}, ", one.name == "redis" ? "Redis" : one.name, one.cores, one.most,
            one.queued < 0.05 ? std::string() : fmt::format(" (and {:.2f} not given to it)", one.queued));
    }
    out += fmt::format("everything else {:.2f}", load.other_cores);
    if (load.other_cores >= disturbing * load.cores) {
        out += "; others disturbed this run: repeat it on a machine that does nothing else";
    }
    return out;
}

}  // namespace

bench_limit find_limit(const bench_load& load) {
    const auto able = [&load](unsigned threads) {
        return static_cast<double>(std::max(1U, std::min(threads, load.cores)));
    };
    const std::array<consumer, 3> all{{
        {"engine", load.engine_cores, load.engine_queued, able(load.engine_threads)},
        {"simulator", load.simulator_cores, load.simulator_queued, able(load.simulator_threads)},
        {"redis", load.redis_cores, load.redis_queued, 1},
    }};
    const std::string used = usage(all, load);
    if (load.throttled_seconds >= mostly_throttled * load.seconds) {
        return {
            "quota", fmt::format(
                         "pushes were held back by the configured rate or the provider's quota for {:.1f} of "
                         "{:.1f} s; {}",
                         load.throttled_seconds, load.seconds, used)};
    }
    if (load.paced) {
        return {"none", "events were done as fast as they were published; " + used};
    }
    const auto* const busiest = std::ranges::max_element(all, {}, &consumer::share);
    if (busiest->share() >= saturated) {
        return {
            std::string(busiest->name),
            fmt::format(
                "its threads had something to do {:.0f} % of the time; {}", busiest->share() * 100, used)};
    }
    const double total = load.engine_cores + load.simulator_cores + load.redis_cores + load.other_cores;
    if (total >= machine_full * load.cores) {
        const auto* const largest = std::ranges::max_element(all, {}, &consumer::cores);
        return {
            std::string(largest->name),
            fmt::format(
                "all {} cores of the machine were busy, and of the three it used the most; {}", load.cores,
                used)};
    }
    return {
        "simulator",
        "no process was busy all the time: pushes waited for answers, whose latency and streams per "
        "connection are the simulator's to set; " +
            used};
}

}  // namespace tocsin::cli
