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

struct consumer {
    std::string_view name;
    double cores;
    double most;  ///< Cores that it could use.

    [[nodiscard]] double share() const noexcept { return cores / most; }
};

std::string shares(const std::array<consumer, 3>& all) {
    std::string out;
    for (const consumer& one : all) {
        out += fmt::format(
            "{}{} {:.2f} of {:.0f}", out.empty() ? "" : ", ", one.name == "redis" ? "Redis" : one.name,
            one.cores, one.most);
    }
    return out;
}

}  // namespace

bench_limit find_limit(const bench_load& load) {
    const auto able = [&load](unsigned threads) {
        return static_cast<double>(std::max(1U, std::min(threads, load.cores)));
    };
    const std::array<consumer, 3> all{{
        {"engine", load.engine_cores, able(load.engine_threads)},
        {"simulator", load.simulator_cores, able(load.simulator_threads)},
        {"redis", load.redis_cores, 1},
    }};
    const std::string used = "cores in use: " + shares(all);
    if (load.throttled_seconds >= mostly_throttled * load.seconds) {
        return {
            "quota", fmt::format(
                         "pushes were held back by the configured rate or the provider's quota for {:.1f} of "
                         "{:.1f} s; {}",
                         load.throttled_seconds, load.seconds, used)};
    }
    const auto* const busiest = std::ranges::max_element(all, {}, &consumer::share);
    if (busiest->share() >= saturated) {
        return {
            std::string(busiest->name),
            fmt::format("it kept its threads busy {:.0f} % of the time; {}", busiest->share() * 100, used)};
    }
    const double total = load.engine_cores + load.simulator_cores + load.redis_cores;
    if (total >= machine_full * load.cores) {
        const auto* const largest = std::ranges::max_element(all, {}, &consumer::cores);
        return {
            std::string(largest->name),
            fmt::format("all {} cores of the machine were busy, and it used the most; {}", load.cores, used)};
    }
    if (load.paced) {
        return {"none", "events were done as fast as they were published; " + used};
    }
    return {
        "simulator",
        "nobody was busy all the time: pushes waited for answers, whose latency and streams per "
        "connection are the simulator's to set; " +
            used};
}

}  // namespace tocsin::cli
