#include "engine/plan/timetable.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace tocsin {
namespace {

// The last second that RFC 3339 can write, and longer than any event lives: sums of these cannot overflow.
constexpr std::int64_t latest = 253'402'300'799'000;
constexpr std::int64_t longest = std::chrono::milliseconds(std::chrono::hours(24 * 31)).count();

wall_time moment_in(const wave& which, std::uint32_t page) noexcept {
    return which.starts + which.over * (page - which.first_page) / which.pages;
}

}  // namespace

const wave* timetable::wave_of(std::uint32_t page) const noexcept {
    const auto after = std::ranges::upper_bound(waves_, page, {}, &wave::first_page);
    if (after == waves_.begin()) {
        return nullptr;
    }
    const wave& found = *std::prev(after);
    return page - found.first_page < found.pages ? &found : nullptr;
}

wall_time timetable::due(std::uint32_t page) const noexcept {
    const wave* const found = wave_of(page);
    return found == nullptr ? wall_time{} : moment_in(*found, page);
}

std::optional<wall_time> timetable::wave_start(std::uint32_t page) const noexcept {
    const wave* const found = wave_of(page);
    return found == nullptr ? std::nullopt : std::optional(found->starts);
}

std::optional<timetable::span> timetable::span_of(std::uint32_t page) const noexcept {
    const wave* const found = wave_of(page);
    if (found == nullptr || found->over.count() == 0) {
        return std::nullopt;
    }
    return span{moment_in(*found, page), moment_in(*found, page + 1)};
}

std::string timetable::encode() const {
    std::string out;
    for (const wave& one : waves_) {
        out += std::to_string(one.first_page) + ":" + std::to_string(one.pages) + ":" +
               std::to_string(one.starts.time_since_epoch().count()) + ":" +
               std::to_string(one.over.count()) + ";";
    }
    return out;
}

timetable timetable::decode(std::string_view text) {
    timetable out;
    while (!text.empty()) {
        std::array<std::int64_t, 4> numbers{};
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
            const char mark = i + 1 == numbers.size() ? ';' : ':';
            if (problem != std::errc() || end == text.data() + text.size() || *end != mark) {
                return out;
            }
            text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
        }
        constexpr std::int64_t most = UINT32_MAX;
        if (numbers[0] < 0 || numbers[0] > most || numbers[1] < 1 || numbers[1] > most || numbers[2] < 0 ||
            numbers[2] > latest || numbers[3] < 0 || numbers[3] > longest) {
            return out;
        }
        out.add(
            {static_cast<std::uint32_t>(numbers[0]), static_cast<std::uint32_t>(numbers[1]),
             wall_time(std::chrono::milliseconds(numbers[2])), std::chrono::milliseconds(numbers[3])});
    }
    return out;
}

}  // namespace tocsin
