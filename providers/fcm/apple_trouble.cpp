#include "providers/fcm/apple_trouble.hpp"

#include <algorithm>
#include <functional>

namespace tocsin::fcm {
namespace {

using namespace std::chrono_literals;

// Each try counts against the project's quota, which Android devices need, too.
constexpr duration shortest_pause = 5min;
constexpr duration between_probes = 30s;
constexpr duration longest_pause = 1h;
constexpr int part_of_the_trouble = 8;

}  // namespace

bool apple_trouble::refused(std::string_view token, time_point written_at, time_point now) {
    const std::scoped_lock lock(mutex_);
    if (written_at < works_since_) {
        return false;  // It was on its way when the key was mended.
    }
    const std::size_t hash = std::hash<std::string_view>{}(token);
    place_of(hash).store(hash, std::memory_order_relaxed);
    const bool news = !lasts_.exchange(true, std::memory_order_relaxed);
    if (news) {
        since_ = now;
    }
    refused_at_ = now;
    if (news || now - told_at_ >= between_lines) {
        told_at_ = now;
        return true;
    }
    return false;
}

bool apple_trouble::lasts(time_point now) {
    const std::scoped_lock lock(mutex_);
    // Each device that is refused is back after a pause: while none comes, another engine may have them.
    if (lasts_.load(std::memory_order_relaxed) && now - refused_at_ >= pause_of(now) * 5 / 2) {
        lasts_.store(false, std::memory_order_relaxed);
    }
    return lasts_.load(std::memory_order_relaxed);
}

duration apple_trouble::pause(time_point now) {
    const std::scoped_lock lock(mutex_);
    if (now >= next_probe_) {
        next_probe_ = now + between_probes;
        return between_probes;
    }
    return pause_of(now);
}

duration apple_trouble::pause_of(time_point now) const noexcept {
    const bool known = lasts_.load(std::memory_order_relaxed);
    return known ? std::clamp((now - since_) / part_of_the_trouble, shortest_pause, longest_pause)
                 : shortest_pause;
}

bool apple_trouble::was_refused(std::string_view token) noexcept {
    const std::size_t hash = std::hash<std::string_view>{}(token);
    return place_of(hash).load(std::memory_order_relaxed) == hash;
}

bool apple_trouble::end(time_point written_at) noexcept {
    const std::scoped_lock lock(mutex_);
    for (auto& each : refused_) {
        each.store(0, std::memory_order_relaxed);
    }
    works_since_ = std::max(works_since_, written_at);
    return lasts_.exchange(false, std::memory_order_relaxed);
}

}  // namespace tocsin::fcm
