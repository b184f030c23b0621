#include "providers/auth/oauth_schedule.hpp"

#include "engine/core/backoff.hpp"

#include <algorithm>

namespace tocsin::auth {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds margin = 5min;
constexpr milliseconds spread = 1min;
// An account that is put right is found out soon, and one that stays refused costs its endpoint little.
constexpr milliseconds first_after_refusal = 2s;
constexpr milliseconds between_refusals = 1min;
// Half of it is waited in any case: in an outage, a random part alone would be nothing too often.
constexpr backoff_policy half_after_failure{.base = 500ms, .cap = 7'500ms};
// Without a token nothing is sent at all: a peer's typo must not stop an alert.
constexpr milliseconds longest_told_wait = 1min;

}  // namespace

oauth_schedule::oauth_schedule(time_point now, std::uint64_t random_seed)
    : random_(static_cast<std::minstd_rand::result_type>(random_seed ^ (random_seed >> 32U))), due_(now) {}

void oauth_schedule::succeeded(time_point now, std::chrono::seconds lifetime) {
    failures_ = 0;
    std::uniform_int_distribution<std::int64_t> jitter(0, spread.count());
    const milliseconds early = margin + milliseconds(jitter(random_));
    const milliseconds whole = lifetime;
    due_ = now + std::max(whole - early, whole / 2);
}

void oauth_schedule::failed(time_point now, std::optional<milliseconds> retry_after) {
    const auto& [base, cap] = half_after_failure;
    const milliseconds least = std::min(cap, base * (1U << std::min(failures_, 16U)));
    const milliseconds delay = least + backoff_delay(half_after_failure, failures_++, random_);
    due_ = now + std::max(delay, std::min(retry_after.value_or(0ms), longest_told_wait));
}

void oauth_schedule::refused(time_point now) {
    due_ = now + std::min(between_refusals, first_after_refusal * (1U << std::min(failures_++, 16U)));
}

void oauth_schedule::clock_was_set(time_point now) {
    due_ = std::min(due_, failures_ == 0 ? now : now + 2 * half_after_failure.base);
    failures_ = 0;
}

void oauth_schedule::hurry(time_point now) noexcept {
    // While attempts fail, their own pace holds: a thousand dead requests are not a reason to ask
    // a thousand times.
    if (failures_ == 0) {
        due_ = std::min(due_, now);
    }
}

}  // namespace tocsin::auth
