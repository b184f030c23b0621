#pragma once

#include "engine/core/clock.hpp"
#include "engine/live/event_pace.hpp"
#include "tools/tocsin/console.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace tocsin::cli {

/// How far something has come, with its rate and the time left: one line on a terminal, drawn over and over.
class pace_line {
public:
    void show(std::uint64_t done, std::uint64_t all, std::string_view words) {
        const auto now = clock::now();
        if (now - looked_at_ >= between_looks) {
            looked_at_ = now;
            pace_.look(now, done, done);
        }
        const double share = static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(1, all));
        std::string text =
            fmt::format("{} {:3.0f} %  {}", progress_line::bar(share, bar_width), share * 100, words);
        if (const double rate = pace_.accepted_per_second(); rate > 0) {
            text += fmt::format("  {}/s", grouped(static_cast<std::uint64_t>(rate)));
        }
        if (const auto left = pace_.seconds_left(all); left && done < all) {
            text += fmt::format("  {} left", spoken_ms(*left * 1'000));
        }
        line_.show(text);
    }

private:
    static constexpr auto between_looks = std::chrono::milliseconds(250);
    static constexpr std::size_t bar_width = 24;
    progress_line line_;
    event_pace pace_;
    time_point looked_at_{};
};

}  // namespace tocsin::cli
