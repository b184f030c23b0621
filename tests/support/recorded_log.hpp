#pragma once

#include "engine/core/log.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::testing {

/// Remembers which events were logged.
struct recorded_log final : logger {
    [[nodiscard]] bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view event, std::span<const log_field>) noexcept override {
        events.emplace_back(event);
    }
    [[nodiscard]] auto count(std::string_view event) const { return std::ranges::count(events, event); }
    std::vector<std::string> events;
};

}  // namespace tocsin::testing
