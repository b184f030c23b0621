#include "providers/fcm/host_relief.hpp"

#include <algorithm>

namespace tocsin::fcm {

using std::chrono::milliseconds;

bool host_relief::may_send(time_point now) noexcept {
    if (!in_trouble()) [[likely]] {
        return true;
    }
    const std::scoped_lock lock(mutex_);
    if (now < std::max(resume_at_, next_probe_)) {
        return false;
    }
    next_probe_ = now + how_.between_probes;
    return true;
}

time_point host_relief::next_try() const noexcept {
    const std::scoped_lock lock(mutex_);
    return std::max(resume_at_, next_probe_);
}

bool host_relief::overloaded(time_point now, std::optional<milliseconds> told) noexcept {
    const std::scoped_lock lock(mutex_);
    if (in_trouble_.exchange(true)) {
        return false;
    }
    failures_ = 0;
    next_probe_ = {};
    pause(now, told);
    return true;
}

bool host_relief::turned_away(
    time_point written_at, time_point now, std::optional<milliseconds> told) noexcept {
    if (!in_trouble()) {
        return false;
    }
    const std::scoped_lock lock(mutex_);
    // What was in flight when the trouble began says nothing that is not known; nor do the rest of
    // the probes, once one of them has been turned away.
    if (written_at < resume_at_) {
        return false;
    }
    pause(now, told);
    return true;
}

bool host_relief::works(time_point written_at) noexcept {
    if (!in_trouble()) [[likely]] {
        return false;
    }
    const std::scoped_lock lock(mutex_);
    return written_at >= resume_at_ && in_trouble_.exchange(false);
}

void host_relief::pause(time_point now, std::optional<milliseconds> told) noexcept {
    const milliseconds doubled =
        std::min(how_.longest_pause, how_.first_pause * (1U << std::min(failures_++, 8U)));
    const milliseconds least = std::max(doubled, told.value_or(milliseconds(0)));
    // Up to a fifth more, so that many engines do not come back together.
    resume_at_ = now + least +
                 milliseconds(std::uniform_int_distribution<std::int64_t>(0, least.count() / 5)(random_));
}

}  // namespace tocsin::fcm
