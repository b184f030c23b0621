#pragma once

#include "engine/core/clock.hpp"
#include "engine/delivery/provider.hpp"
#include "providers/common/locale_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::apns {

/// The header fields that all pushes of an event share; as they go on the wire.
struct shared_headers {
    std::string push_type;
    std::string priority;
    std::string topic;
    std::string expiration;  ///< Seconds since 1970.
    std::string collapse_id;
};

/// An event as APNs takes it: the headers once, a body per localisation.
class rendered_message final : public message {
public:
    rendered_message(
        shared_headers headers, std::vector<std::string> bodies, locale_table locales, std::uint64_t seed,
        wall_time expires_at, bool overridden)
        : headers_(std::move(headers)),
          bodies_(std::move(bodies)),
          locales_(std::move(locales)),
          seed_(seed),
          expires_at_(expires_at),
          overridden_(overridden) {}

    [[nodiscard]] std::uint16_t variant_for(std::string_view locale) const noexcept override {
        return locales_.find(locale);
    }
    [[nodiscard]] std::size_t largest_payload() const noexcept override {
        return std::ranges::max_element(bodies_, {}, &std::string::size)->size();
    }

    [[nodiscard]] bool overridden() const noexcept override { return overridden_; }

    [[nodiscard]] const shared_headers& headers() const noexcept { return headers_; }
    [[nodiscard]] std::string_view body(std::uint16_t variant) const noexcept {
        return variant < bodies_.size() ? bodies_[variant] : bodies_.front();
    }
    /// Of push_uuid().
    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    [[nodiscard]] wall_time expires_at() const noexcept { return expires_at_; }

private:
    shared_headers headers_;
    std::vector<std::string> bodies_;  ///< Never empty.
    locale_table locales_;
    std::uint64_t seed_;
    wall_time expires_at_;
    bool overridden_;  ///< The event itself names the topic or the push type.
};

}  // namespace tocsin::apns
