#pragma once

#include "engine/core/clock.hpp"
#include "engine/plan/shard.hpp"
#include "engine/platform/platform.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What an operator holds: one app or all, one platform or all.
struct hold_selector {
    std::string app;             ///< Empty: every app.
    std::optional<platform> on;  ///< Empty: every one.

    [[nodiscard]] bool covers(const target& which) const noexcept {
        return (app.empty() || app == which.app) && (!on || *on == which.on);
    }
    [[nodiscard]] bool covers(const hold_selector& other) const noexcept {
        return (app.empty() || app == other.app) && (!on || on == other.on);
    }
    friend bool operator==(const hold_selector&, const hold_selector&) = default;
};

/// "<app>/<platform>", with "*" for every app or all platforms.
[[nodiscard]] std::string to_string(const hold_selector& which);
[[nodiscard]] std::optional<hold_selector> parse_hold_selector(std::string_view text);

/// What operators and the providers' answers have laid down for all engines at this moment.
struct control_state {
    std::vector<hold_selector> holds;
    std::map<target, std::uint64_t> rates;  ///< Instead of the configured ones, until the next reload.
    std::map<std::string, wall_time, std::less<>> quotas;  ///< Used up until then, by provider::quota().
    std::set<std::string, std::less<>> cancelling;         ///< Events.

    [[nodiscard]] bool holds_back(const target& which) const noexcept;
    friend bool operator==(const control_state&, const control_state&) = default;
};

/// Reads one field of the control hash into `into`; what cannot be read is left out.
void read_control_field(control_state& into, std::string_view name, std::string_view value);

/// A device that has been unregistered.
struct removed_device {
    target which;
    std::string token;  ///< As the store has it.
};

// The fields' names.
[[nodiscard]] std::string hold_field(const hold_selector& which);
[[nodiscard]] std::string rate_field(const target& which);
[[nodiscard]] std::string quota_field(std::string_view quota);

}  // namespace tocsin
