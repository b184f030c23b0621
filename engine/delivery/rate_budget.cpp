#include "engine/delivery/rate_budget.hpp"

#include <algorithm>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

// Long enough that asking is a matter of a few commands per second, short enough that an engine's
// death, or the alert that comes next, is not felt.
constexpr auto slice_length = 50ms;
// One in use and one at hand.
constexpr std::size_t most_slices = 2;
// What was not used by then has cost the others enough.
constexpr auto stale_after = 100ms;
// Pushes leave in small groups: a timer for each would cost more than sending it.
constexpr auto grain = 4ms;
constexpr auto window = 2s;

}  // namespace

rate_budget::rate_budget(std::uint64_t rate, time_point now) : rate_(rate), window_begin_(now) {}

std::uint32_t rate_budget::open_slice::usable(time_point now) const noexcept {
    if (now < given.from) {
        return 0;
    }
    if (now >= given.until) {
        return given.pushes;
    }
    const auto passed = static_cast<double>((now - given.from).count());
    const auto length = static_cast<double>((given.until - given.from).count());
    return std::min(
        given.pushes, static_cast<std::uint32_t>(static_cast<double>(given.pushes) * passed / length) + 1);
}

void rate_budget::drop_stale(time_point now) noexcept {
    while (!slices_.empty() && (slices_.front().used == slices_.front().given.pushes ||
                                now > slices_.front().given.until + stale_after)) {
        slices_.pop_front();
    }
}

bool rate_budget::try_take(time_point now) noexcept {
    drop_stale(now);
    if (slices_.empty()) {
        return false;
    }
    open_slice& first = slices_.front();
    if (first.used >= first.usable(now)) {
        return false;
    }
    ++first.used;
    return true;
}

time_point rate_budget::ready_at(time_point now) const noexcept {
    if (slices_.empty()) {
        return time_point::max();
    }
    const open_slice& first = slices_.front();
    const auto each = (first.given.until - first.given.from) / std::max<std::uint32_t>(1, first.given.pushes);
    return std::max(first.given.from + each * first.used, now + std::min<duration>(grain, each));
}

std::uint32_t rate_budget::ask(std::size_t waiting, time_point now) {
    drop_stale(now);
    if (asked_ || waiting == 0 || slices_.size() >= most_slices) {
        return 0;
    }
    std::size_t in_hand = 0;
    for (const open_slice& one : slices_) {
        in_hand += one.given.pushes - one.used;
    }
    if (waiting <= in_hand) {
        return 0;
    }
    asked_ = true;
    const auto whole =
        std::max<std::uint64_t>(1, rate_ * static_cast<std::uint64_t>(slice_length / 1ms) / 1000);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, waiting - in_hand));
}

void rate_budget::remember(std::uint32_t pushes, time_point now) noexcept {
    window_pushes_ += pushes;
    if (now - window_begin_ >= window) {
        const double seconds = std::chrono::duration<double>(now - window_begin_).count();
        usual_ = std::min(static_cast<double>(rate_), static_cast<double>(window_pushes_) / seconds);
        window_begin_ = now;
        window_pushes_ = 0;
    }
}

void rate_budget::granted(const quota_slice& slice, time_point now) {
    asked_ = false;
    remember(slice.pushes, now);
    if (slice.pushes != 0) {
        slices_.push_back({slice, 0});
    }
}

void rate_budget::failed(time_point now) {
    asked_ = false;
    drop_stale(now);
    const double seconds = std::chrono::duration<double>(slice_length).count();
    const auto pushes = static_cast<std::uint32_t>(usual_ * seconds);
    if (pushes == 0 || slices_.size() >= most_slices) {
        return;
    }
    const time_point from = slices_.empty() ? now : std::max(now, slices_.back().given.until);
    slices_.push_back({{pushes, from, from + slice_length}, 0});
}

}  // namespace tocsin
