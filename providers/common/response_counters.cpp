#include "providers/common/response_counters.hpp"

#include "engine/ops/metrics.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

response_counters::response_counters(metrics_shard& shard, std::string app, platform where)
    : shard_(shard), app_(std::move(app)), platform_(where), accepted_(look_up(200, "")) {
    known_.reserve(most);
}

owned_counter& response_counters::look_up(std::uint16_t status, std::string_view reason) {
    return shard_.counter(
        metric::provider_responses_total, {app_, to_string(platform_), std::to_string(status), reason});
}

void response_counters::count(std::uint16_t status, std::string_view reason) {
    const auto found = std::ranges::find_if(
        known_, [&](const known& entry) { return entry.status == status && entry.reason == reason; });
    if (found != known_.end()) {
        found->counter->add(1);
        return;
    }
    if (known_.size() == most) {
        look_up(status, "Other").add(1);
        return;
    }
    known_.push_back({status, std::string(reason), &look_up(status, reason)});
    known_.back().counter->add(1);
}

}  // namespace tocsin
