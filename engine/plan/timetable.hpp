#pragma once

#include "engine/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Consecutive pages of an event that leave together: from a moment on, evenly over a while.
struct wave {
    std::uint32_t first_page = 0;
    std::uint32_t pages = 0;
    wall_time starts{};
    std::chrono::milliseconds over{0};

    friend bool operator==(const wave&, const wave&) = default;
};

/// When the pages of an event may leave. Those that it does not name may at once: most events have no wave,
/// and retries never wait for one.
class timetable {
public:
    timetable() = default;

    /// In the order of their pages.
    void add(wave which) {
        if (which.pages != 0) {
            waves_.push_back(which);
        }
    }

    /// The earliest moment of a page; the beginning of time: at once.
    [[nodiscard]] wall_time due(std::uint32_t page) const noexcept;

    /// When the wave begins that a page belongs to; empty: it belongs to none.
    [[nodiscard]] std::optional<wall_time> wave_start(std::uint32_t page) const noexcept;

    struct span {
        wall_time from;
        wall_time until;
    };
    /// Over what time the pushes of a page are spaced; empty: they are not.
    [[nodiscard]] std::optional<span> span_of(std::uint32_t page) const noexcept;

    [[nodiscard]] const std::vector<wave>& waves() const noexcept { return waves_; }
    /// "first page:pages:starts (ms):over (ms);…"
    [[nodiscard]] std::string encode() const;
    /// What encode() wrote, up to where it makes no sense.
    [[nodiscard]] static timetable decode(std::string_view text);

    friend bool operator==(const timetable&, const timetable&) = default;

private:
    /// Null: none.
    [[nodiscard]] const wave* wave_of(std::uint32_t page) const noexcept;

    std::vector<wave> waves_;
};

}  // namespace tocsin
