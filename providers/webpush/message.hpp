#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/common/locale_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::webpush {

/// An event as Web Push takes it, before it is encrypted: that is done for each device.
class rendered_message final : public message {
public:
    rendered_message(
        std::vector<std::string> texts, locale_table locales, std::string topic, std::string_view urgency,
        wall_time expires_at)
        : texts_(std::move(texts)),
          locales_(std::move(locales)),
          topic_(std::move(topic)),
          urgency_(urgency),
          expires_at_(expires_at) {
        for (const std::string& text : texts_) {
            largest_ = std::max(largest_, text.size());
        }
    }

    [[nodiscard]] std::uint16_t variant_for(std::string_view locale) const noexcept override {
        return locales_.find(locale);
    }
    [[nodiscard]] std::size_t largest_payload() const noexcept override { return largest_; }

    [[nodiscard]] std::string_view text(std::uint16_t variant) const noexcept {
        return variant < texts_.size() ? texts_[variant] : texts_.front();
    }
    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
    [[nodiscard]] std::string_view urgency() const noexcept { return urgency_; }
    /// What is left for a push that is sent at `now`.
    [[nodiscard]] std::chrono::seconds ttl(wall_time now) const noexcept {
        return std::max(
            std::chrono::floor<std::chrono::seconds>(expires_at_ - now), std::chrono::seconds::zero());
    }

private:
    std::vector<std::string> texts_;  ///< Never empty.
    locale_table locales_;
    std::string topic_;
    std::string_view urgency_;  ///< A literal.
    wall_time expires_at_;
    std::size_t largest_ = 0;
};

}  // namespace tocsin::webpush
