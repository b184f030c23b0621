#pragma once

#include "engine/core/clock.hpp"
#include "engine/ops/metrics.hpp"
#include "engine/plan/lane_bound.hpp"
#include "engine/plan/outcome.hpp"
#include "engine/plan/shard.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// The metrics of one lane. Each is looked up once, when it is first needed: writing to them takes no lock.
class lane_numbers {
public:
    lane_numbers(metrics_shard& into, target which);

    void ended(outcome how) noexcept { outcomes_[static_cast<std::size_t>(how)]->add(1); }
    void answered_after(duration what) noexcept;
    void in_flight(std::size_t count) noexcept { in_flight_.set(static_cast<double>(count)); }
    /// Does not count an idle lane's time.
    void bound(lane_bound by, duration how_long);
    void retried(std::string_view reason);

private:
    metrics_shard& into_;
    target which_;
    std::array<owned_counter*, outcome_count> outcomes_{};
    std::array<owned_counter*, lane_bound_count> bound_{};
    std::vector<std::pair<std::string, owned_counter*>> retries_;
    owned_gauge& in_flight_;
    owned_histogram& push_seconds_;
};

}  // namespace tocsin
