#pragma once

#include "engine/audience/device_store.hpp"
#include "engine/audience/territories.hpp"
#include "engine/plan/report.hpp"
#include "tools/simulator/simulator.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::cli {

/// What became of the demo's devices, as the simulator counted it.
struct tally {
    std::uint64_t living_once = 0;
    std::uint64_t living_never = 0;
    std::uint64_t twice = 0;
    std::uint64_t dead_accepted = 0;
    std::uint64_t dead = 0;
    std::map<commune_id, std::pair<std::uint64_t, std::uint64_t>> by_commune;  ///< Devices, dead.
};

/// What the simulator saw, device by device: it knows nothing of the engine's sums.
[[nodiscard]] tally count_at_simulator(
    const sim::simulator& providers, const std::vector<device_change>& devices, double dead_share);

/// What was reached of each commune, and of all.
[[nodiscard]] std::string communes_table(
    const territories& places, const event_report& report, const tally& seen);
/// When how many of the devices that accepted had done so.
[[nodiscard]] std::string times_table(const event_report& report);

/// True if all that the demo claims is so; tells what is not.
[[nodiscard]] bool verify(const event_report& report, const tally& seen, std::uint64_t devices);

}  // namespace tocsin::cli
