#include "tools/proof/french.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace tocsin::french {
namespace {

using namespace std::chrono;

/// The last Sunday of a month, 01:00 UTC: when the clocks of the Union change.
sys_time<milliseconds> change_in(year in, month of) noexcept {
    return sys_days(in / of / Sunday[last]) + hours(1);
}

std::string date(year_month_day on) {
    constexpr std::array months{"janvier", "février", "mars",      "avril",   "mai",      "juin",
                                "juillet", "août",    "septembre", "octobre", "novembre", "décembre"};
    const auto number = static_cast<unsigned>(on.day());
    return fmt::format(
        "{}{}{}{}{}{}", number, number == 1 ? "er" : "", wide,
        months.at(static_cast<unsigned>(on.month()) - 1), wide, static_cast<int>(on.year()));
}

}  // namespace

std::string number(std::uint64_t value) {
    const std::string digits = std::to_string(value);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % 3 == 0) {
            out += narrow;
        }
        out += digits[i];
    }
    return out;
}

std::string decimal(double value, int decimals) {
    std::string out = fmt::format("{:.{}f}", value, decimals);
    std::ranges::replace(out, '.', ',');
    return out;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) {
        return "";
    }
    const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    const int decimals =
        share == 0 ? 1 : std::clamp(1 - static_cast<int>(std::floor(std::log10(share))), 1, 4);
    return decimal(share, decimals).append(narrow).append("%");
}

std::string span(std::uint64_t ms) {
    if (ms < 1'000) {
        return fmt::format("{}{}ms", ms, narrow);
    }
    if (ms < 60'000) {
        return fmt::format("{}{}s", decimal(static_cast<double>(ms) / 1'000, 1), narrow);
    }
    const std::uint64_t s = ms / 1'000;
    if (s < 3'600) {
        return fmt::format("{0}{2}min{2}{1:02}{2}s", s / 60, s % 60, narrow);
    }
    return fmt::format("{0}{2}h{2}{1:02}{2}min", number(s / 3'600), s % 3'600 / 60, narrow);
}

std::string place(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '\'') {
            out += "’";
        } else {
            out += c;
        }
    }
    for (const std::string_view article : {"Le ", "La ", "Les "}) {
        if (out.starts_with(article)) {
            out.replace(article.size() - 1, 1, wide);
        }
    }
    return out;
}

std::string in_commune(std::string_view name) {
    if (name.starts_with("Le ")) {
        return "au" + std::string(wide) + place(name.substr(3));
    }
    if (name.starts_with("Les ")) {
        return "aux" + std::string(wide) + place(name.substr(4));
    }
    return "à" + std::string(wide) + place(name);
}

hours paris_offset(wall_time when) noexcept {
    const year in = year_month_day(floor<days>(when)).year();
    const bool summer = when >= change_in(in, March) && when < change_in(in, October);
    return hours(summer ? 2 : 1);
}

std::string day(wall_time when) {
    return date(year_month_day(floor<days>(when + paris_offset(when))));
}

std::string moment(wall_time when) {
    constexpr std::array weekdays{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"};
    const wall_time local = when + paris_offset(when);
    const auto midnight = floor<days>(local);
    const hh_mm_ss clock_time(floor<seconds>(local - midnight));
    return fmt::format(
        "{0} {1} à {2}{5}h{5}{3:02}{5}min{5}{4:02}{5}s", weekdays.at(weekday(midnight).c_encoding()),
        date(year_month_day(midnight)), clock_time.hours().count(), clock_time.minutes().count(),
        clock_time.seconds().count(), narrow);
}

}  // namespace tocsin::french
