#include "tools/simulator/counters.hpp"

#include <algorithm>

namespace tocsin::sim {

void counter_snapshot::add(const provider_counters& from) {
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        tallies[i] += from.tallies[i].read();
    }
    for (std::size_t i = 0; i < by_reason.size(); ++i) {
        by_reason[i] += from.by_reason[i].read();
    }
    by_owner.resize(std::max(by_owner.size(), from.by_owner.size()));
    for (std::size_t i = 0; i < from.by_owner.size(); ++i) {
        by_owner[i] += from.by_owner[i].read();
    }
}

void counter_snapshot::subtract(const counter_snapshot& earlier) {
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        tallies[i] -= earlier.tallies[i];
    }
    for (std::size_t i = 0; i < by_reason.size(); ++i) {
        by_reason[i] -= earlier.by_reason[i];
    }
    for (std::size_t i = 0; i < std::min(by_owner.size(), earlier.by_owner.size()); ++i) {
        by_owner[i] -= earlier.by_owner[i];
    }
}

}  // namespace tocsin::sim
