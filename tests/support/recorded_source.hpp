#pragma once

#include "engine/delivery/provider.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// A push_source that hands out what a test puts in, and remembers each verdict.
class recorded_source final : public push_source {
public:
    struct settled {
        push* item;
        reaction action;
        std::uint16_t status;
        std::string reason;
        std::optional<std::chrono::milliseconds> retry_after;
        std::optional<wall_time> dead_since;
        std::string provider_id;
        bool about_topic = false;
    };

    [[nodiscard]] push* take(time_point) noexcept override {
        if (waiting.empty()) {
            return nullptr;
        }
        push* const out = waiting.front();
        waiting.pop_front();
        return out;
    }
    [[nodiscard]] bool wanted(const push& item, time_point) const noexcept override {
        return &item != unwanted;
    }
    [[nodiscard]] bool urgent() const noexcept override { return is_urgent; }
    void settle(push& item, const verdict& what, time_point) noexcept override {
        verdicts.push_back(
            {&item, what.action, what.status, std::string(what.reason), what.retry_after, what.dead_since,
             std::string(what.provider_id), what.about_topic});
    }

    void refuse_credential(std::string_view reason, time_point) noexcept override {
        refused.emplace_back(reason);
    }

    std::deque<push*> waiting;
    std::vector<settled> verdicts;
    std::vector<std::string> refused;
    bool is_urgent = false;
    const push* unwanted = nullptr;
};

}  // namespace tocsin::testing
