#include "engine/delivery/lane_numbers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// A peer that invents words must not fill the memory of who scrapes us.
constexpr std::size_t most_reasons = 64;

}  // namespace

lane_numbers::lane_numbers(metrics_shard& into, target which)
    : into_(into),
      which_(std::move(which)),
      in_flight_(into.gauge(metric::in_flight, {which_.app, to_string(which_.on)})),
      push_seconds_(into.histogram(metric::push_seconds, {which_.app, to_string(which_.on)})) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        outcomes_[i] =
            &into.counter(metric::pushes_total, {which_.app, to_string(which_.on), outcome_names[i]});
    }
}

void lane_numbers::answered_after(duration what) noexcept {
    push_seconds_.record_microseconds(static_cast<std::uint64_t>(std::max<std::int64_t>(0, what / 1us)));
}

void lane_numbers::bound(lane_bound by, duration how_long) {
    if (by == lane_bound::idle) {
        return;
    }
    owned_counter*& counter = bound_[static_cast<std::size_t>(by)];
    if (counter == nullptr) {
        counter = &into_.counter(
            metric::throttled_seconds_total, {which_.app, to_string(which_.on), to_string(by)});
    }
    counter->add(static_cast<std::uint64_t>(how_long / 1us));  // Shown in seconds.
}

void lane_numbers::retried(std::string_view reason) {
    auto found =
        std::ranges::find(retries_, reason, [](const auto& one) { return std::string_view(one.first); });
    if (found == retries_.end()) {
        const std::string_view word = retries_.size() < most_reasons ? reason : "Other";
        owned_counter& counter =
            into_.counter(metric::retries_total, {which_.app, to_string(which_.on), word});
        if (word != reason) {
            counter.add(1);
            return;
        }
        found = retries_.emplace(retries_.end(), reason, &counter);
    }
    found->second->add(1);
}

}  // namespace tocsin
