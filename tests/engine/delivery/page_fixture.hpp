#pragma once

#include "engine/audience/roster_codec.hpp"
#include "engine/delivery/page.hpp"
#include "tests/support/manual_time.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace tocsin::testing {

class plain_message final : public message {
public:
    [[nodiscard]] std::uint16_t variant_for(std::string_view locale) const noexcept override {
        return locale == "en" ? 1 : 0;
    }
    [[nodiscard]] std::size_t largest_payload() const noexcept override { return 1; }
};

/// One whose event names a topic of its own.
class overridden_message final : public message {
public:
    [[nodiscard]] std::uint16_t variant_for(std::string_view) const noexcept override { return 0; }
    [[nodiscard]] std::size_t largest_payload() const noexcept override { return 1; }
    [[nodiscard]] bool overridden() const noexcept override { return true; }
};

inline std::shared_ptr<active_event> make_event(
    const manual_time& time, priority urgency = priority::normal, duration lives = std::chrono::hours(1)) {
    auto out = std::make_shared<active_event>();
    out->id = "crue";
    out->content.priority = urgency;
    out->accepted_at = time.wall_now();
    out->expires = time.now() + lives;
    out->reception.try_emplace(target{"mairies", platform::fcm});
    return out;
}

/// A page of `count` named devices, "device-0" and so on.
inline std::unique_ptr<page> make_page(
    const std::shared_ptr<active_event>& event, std::size_t count, const message& content,
    std::uint32_t registered_at = 1'000, time_point read_at = time_point{} + std::chrono::hours(1)) {
    auto shard = std::make_shared<active_shard>();
    shard->event = event;
    shard->which = {"mairies", platform::fcm};
    shard->entry = "1-0";
    shard->pages = 1;
    device which;
    which.registered_at = registered_at;
    for (std::size_t i = 0; i < count; ++i) {
        shard->work.devices.push_back(
            {0, "device-" + std::to_string(i), encode_roster_entry(which), 0, false, false});
    }
    auto out = std::make_unique<page>(shard, 0, read_at);
    out->fill_listed(&content);
    return out;
}

inline std::int64_t increment(const page_settlement& from, const std::string& name) {
    for (const auto& [field, amount] : from.increments) {
        if (field == name) {
            return amount;
        }
    }
    return 0;
}

}  // namespace tocsin::testing
