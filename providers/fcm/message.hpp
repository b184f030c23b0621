#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/common/locale_table.hpp"
#include "providers/fcm/ttl_text.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::fcm {

/// An event as FCM takes it: what stands before and after the device's token in the request's body.
class rendered_message final : public message {
public:
    /// What follows the token, its closing quote included. If the event has a say in android.ttl there is
    /// nothing but `start`; else `start` ends where the number of seconds begins, and `rest` follows it.
    struct ending {
        std::string start;
        std::string rest;
    };

    /// `largest` is the size that is held against FCM's limit.
    rendered_message(
        std::vector<ending> endings, locale_table locales, std::size_t largest, wall_time expires_at,
        bool overridden)
        : endings_(std::move(endings)),
          locales_(std::move(locales)),
          largest_(largest),
          expires_at_(expires_at),
          overridden_(overridden) {}

    [[nodiscard]] std::uint16_t variant_for(std::string_view locale) const noexcept override {
        return locales_.find(locale);
    }
    [[nodiscard]] std::size_t largest_payload() const noexcept override { return largest_; }
    [[nodiscard]] bool overridden() const noexcept override { return overridden_; }

    /// `{"message":{"token":"` or, for a Firebase installation id, `{"message":{"fid":"`.
    [[nodiscard]] static std::string_view beginning(bool is_fid) noexcept {
        return is_fid ? R"({"message":{"fid":")" : R"({"message":{"token":")";
    }
    /// What follows the token of a push that is sent at `now`: Google counts android.ttl from when it gets
    /// the message, so what is left of the event's time is told anew each time. The views live as long as
    /// this.
    [[nodiscard]] std::array<std::string_view, 5> after_token(
        std::uint16_t variant, wall_time now) const noexcept {
        const ending& text = variant < endings_.size() ? endings_[variant] : endings_.front();
        if (text.rest.empty()) {
            return {text.start};
        }
        const auto left = ttl_text(std::chrono::floor<std::chrono::seconds>(expires_at_ - now));
        return {text.start, left[0], left[1], left[2], text.rest};
    }

    /// FCM took this message for some device: what it refuses for another is the other's fault.
    [[nodiscard]] bool accepted() const noexcept { return accepted_.load(std::memory_order_relaxed); }
    void note_accepted() const noexcept {
        // Looked at first: the line stays shared between the threads instead of being written by all.
        if (!accepted()) {
            accepted_.store(true, std::memory_order_relaxed);
        }
    }

private:
    std::vector<ending> endings_;  ///< Never empty.
    locale_table locales_;
    std::size_t largest_;
    wall_time expires_at_;
    bool overridden_;  ///< The event itself has a say in what FCM hands to APNs.
    mutable std::atomic<bool> accepted_{false};
};

}  // namespace tocsin::fcm
