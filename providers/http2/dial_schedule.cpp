#include "providers/http2/dial_schedule.hpp"

#include <algorithm>

namespace tocsin::http2 {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff(1'000);
constexpr std::uint32_t most_doublings = 4;
constexpr milliseconds growth_step(20);
constexpr milliseconds longest_growth_delay(100);
constexpr milliseconds least_spacing(50);
constexpr milliseconds most_spacing(200);
// As many as the spacing lets through.
constexpr milliseconds refill(125);
constexpr milliseconds least_calm(5'000);
constexpr milliseconds most_calm(30'000);
// Of urgent dials during failures: a few a second apart, then one in a quarter of a minute.
constexpr milliseconds urgent_spacing(1'000);
constexpr milliseconds urgent_period(15'000);
constexpr milliseconds urgent_credit = 4 * urgent_period;

milliseconds between(milliseconds least, milliseconds most, std::mt19937_64& random) {
    return milliseconds(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random));
}

}  // namespace

milliseconds dial_schedule::growth_delay(std::size_t connections) noexcept {
    return std::min(
        growth_step * static_cast<int>(std::min<std::size_t>(connections, 100)), longest_growth_delay);
}

void dial_schedule::dialled(time_point now) {
    if (failures_ != 0 && now < earliest_) {
        urgent_paid_ = std::max(urgent_paid_, now) + urgent_period;
    }
    dialled_at_ = now;
    left_ = left_at(now);
    left_ -= left_ == 0 ? 0 : 1;
    counted_at_ = now;
    space(now);
    if (failures_ != 0) {
        // Though it may take its time to fail, or not be tried for long.
        not_before(now + backoff_after(failures_ - 1));
    }
}

std::size_t dial_schedule::left_at(time_point now) const noexcept {
    const auto since = static_cast<std::size_t>((now - counted_at_) / refill);
    return std::min(burst_, left_ + since);
}

void dial_schedule::failed(time_point now, time_point dialled_at) {
    if (failures_ != 0 && dialled_at < failed_at_) {
        return;
    }
    failed_at_ = now;
    // From dial to dial: what took its time to fail has waited already. Never without any distance.
    space(now);
    not_before(dialled_at + backoff_after(failures_));
    held_off_ = earliest_;
    ++failures_;
}

time_point dial_schedule::earliest_urgent() const noexcept {
    const time_point due =
        std::max({spaced_, calm_, dialled_at_ + urgent_spacing, urgent_paid_ - urgent_credit});
    return std::min(earliest_, due);
}

/// What failures have put off was put off for want of proof.
void dial_schedule::proven() noexcept {
    if (failures_ != 0) {
        failures_ = 0;
        earliest_ = std::max(spaced_, calm_);
        held_off_ = calm_;
    }
}

void dial_schedule::space(time_point now) {
    spaced_ = std::max(spaced_, now + between(least_spacing, most_spacing, random_));
    not_before(spaced_);
}

void dial_schedule::calm_down(time_point now) {
    calm_ = std::max(calm_, now + between(least_calm, most_calm, random_));
    not_before(calm_);
    held_off_ = earliest_;
}

milliseconds dial_schedule::backoff_after(std::uint32_t failures) {
    const milliseconds most = first_backoff * (1U << std::min(failures, most_doublings));
    return between(most / 2, most, random_);
}

void dial_schedule::not_before(time_point when) noexcept {
    earliest_ = std::max(earliest_, when);
}

}  // namespace tocsin::http2
