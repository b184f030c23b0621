#include "providers/common/credential_health.hpp"

#include <utility>

namespace tocsin {

bool credential_health::report(std::string problem) {
    const std::scoped_lock lock(mutex_);
    if (troubled_.load(std::memory_order_relaxed) && problem_ == problem) {
        return false;
    }
    problem_ = std::move(problem);
    troubled_.store(true, std::memory_order_relaxed);
    return true;
}

void credential_health::forget() noexcept {
    const std::scoped_lock lock(mutex_);
    troubled_.store(false, std::memory_order_relaxed);
    problem_.clear();
}

std::optional<std::string> credential_health::problem() const {
    const std::scoped_lock lock(mutex_);
    if (!troubled_.load(std::memory_order_relaxed)) {
        return std::nullopt;
    }
    return problem_;
}

}  // namespace tocsin
