#include "engine/core/rfc3339.hpp"

#include <fmt/format.h>

namespace tocsin {
namespace {

/// Takes exactly `count` digits off the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) noexcept {
    if (text.size() < count) {
        return std::nullopt;
    }
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return std::nullopt;
        }
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) noexcept {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// What stands behind a point, if there is one; finer than a millisecond is cut off.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) noexcept {
    std::chrono::milliseconds out{0};
    if (!take(text, ".")) {
        return out;
    }
    int scale = 100;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        out += std::chrono::milliseconds((text.front() - '0') * scale);
        scale /= 10;
        any = true;
        text.remove_prefix(1);
    }
    return any ? std::optional(out) : std::nullopt;
}

/// "Z", or how far the clock is ahead of UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) noexcept {
    if (take(text, "Zz")) {
        return std::chrono::minutes(0);
    }
    if (text.empty() || (text.front() != '+' && text.front() != '-')) {
        return std::nullopt;
    }
    const int sign = text.front() == '+' ? 1 : -1;
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (!hours || !take(text, ":")) {
        return std::nullopt;
    }
    const auto minutes = take_digits(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

}  // namespace

std::optional<wall_time> parse_rfc3339(std::string_view text) noexcept {
    using namespace std::chrono;
    const auto y = take_digits(text, 4);
    if (!y || !take(text, "-")) {
        return std::nullopt;
    }
    const auto mo = take_digits(text, 2);
    if (!mo || !take(text, "-")) {
        return std::nullopt;
    }
    const auto d = take_digits(text, 2);
    if (!d || !take(text, "Tt ")) {
        return std::nullopt;
    }
    const auto h = take_digits(text, 2);
    if (!h || !take(text, ":")) {
        return std::nullopt;
    }
    const auto mi = take_digits(text, 2);
    if (!mi || !take(text, ":")) {
        return std::nullopt;
    }
    const auto s = take_digits(text, 2);
    if (!s) {
        return std::nullopt;
    }
    const auto fraction = take_fraction(text);
    const auto offset = take_offset(text);
    if (!fraction || !offset) {
        return std::nullopt;
    }
    const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
    if (!text.empty() || !date.ok() || *h > 23 || *mi > 59 || *s > 60) {
        return std::nullopt;
    }
    return wall_time(
        sys_days(date).time_since_epoch() + hours(*h) + minutes(*mi) + seconds(*s) + *fraction - *offset);
}

std::string format_rfc3339(wall_time when) {
    using namespace std::chrono;
    const auto day_start = floor<days>(when);
    const year_month_day date(day_start);
    const hh_mm_ss time(when - day_start);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
        time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace tocsin
