#include "providers/fcm/apple_trouble.hpp"

#include <functional>
#include <utility>

namespace tocsin::fcm {

bool apple_trouble::refused(std::string_view token, std::string sentence, time_point now) {
    const std::size_t hash = std::hash<std::string_view>{}(token);
    place_of(hash).store(hash, std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_);
    const bool news = !lasts_.load(std::memory_order_relaxed) || sentence_ != sentence;
    sentence_ = std::move(sentence);
    refused_at_ = now;
    lasts_.store(true, std::memory_order_relaxed);
    if (news || now - told_at_ >= between_lines) {
        told_at_ = now;
        return true;
    }
    return false;
}

std::optional<std::string> apple_trouble::sentence(time_point now) const {
    const std::scoped_lock lock(mutex_);
    if (!lasts_.load(std::memory_order_relaxed) || now - refused_at_ >= memory) {
        return std::nullopt;
    }
    return sentence_;
}

bool apple_trouble::was_refused(std::string_view token) noexcept {
    const std::size_t hash = std::hash<std::string_view>{}(token);
    return place_of(hash).load(std::memory_order_relaxed) == hash;
}

bool apple_trouble::end() noexcept {
    const std::scoped_lock lock(mutex_);
    for (auto& each : refused_) {
        each.store(0, std::memory_order_relaxed);
    }
    return lasts_.exchange(false, std::memory_order_relaxed);
}

}  // namespace tocsin::fcm
