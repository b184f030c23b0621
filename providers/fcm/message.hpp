#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/common/locale_table.hpp"

#include <atomic>
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
    /// `largest` is the size that is held against FCM's limit.
    rendered_message(std::vector<std::string> endings, locale_table locales, std::size_t largest)
        : endings_(std::move(endings)), locales_(std::move(locales)), largest_(largest) {}

    [[nodiscard]] std::uint16_t variant_for(std::string_view locale) const noexcept override {
        return locales_.find(locale);
    }
    [[nodiscard]] std::size_t largest_payload() const noexcept override { return largest_; }

    /// `{"message":{"token":"` or, for a Firebase installation id, `{"message":{"fid":"`.
    [[nodiscard]] static std::string_view beginning(bool is_fid) noexcept {
        return is_fid ? R"({"message":{"fid":")" : R"({"message":{"token":")";
    }
    /// What follows the token, its closing quote included.
    [[nodiscard]] std::string_view ending(std::uint16_t variant) const noexcept {
        return variant < endings_.size() ? endings_[variant] : endings_.front();
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
    std::vector<std::string> endings_;  ///< Never empty.
    locale_table locales_;
    std::size_t largest_;
    mutable std::atomic<bool> accepted_{false};
};

}  // namespace tocsin::fcm
