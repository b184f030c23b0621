#include "engine/civil/quiet_hours.hpp"

#include "engine/civil/commune_zone.hpp"
#include "engine/core/time_of_day.hpp"

#include <algorithm>
#include <exception>

#include <date/tz.h>

namespace tocsin {
namespace {

/// Null if the system does not know the zone. The library throws for that alone; what it returns lives for
/// ever, and finding it again takes no file.
const date::time_zone* find_zone(std::string_view name) {
    try {
        return date::locate_zone(name);
    } catch (const std::exception&) {
        return nullptr;
    }
}

}  // namespace

parsed<quiet_hours> quiet_hours::make(const quiet_hours_settings& how) {
    quiet_hours out;
    const auto from = parse_time_of_day(how.from);
    const auto to = parse_time_of_day(how.to);
    if (!from || !to || *from == *to) {
        return out;
    }
    for (const std::string_view zone : commune_zones()) {
        if (find_zone(zone) == nullptr) {
            return refusal{
                "no_time_zones", "this system does not know the time zone " + std::string(zone) +
                                     "; install the package tzdata"};
        }
    }
    out.any_ = true;
    out.from_ = *from;
    out.to_ = *to;
    out.categories_ = how.categories;
    for (const std::string& name : how.priorities) {
        if (const auto urgency = parse_priority(name)) {
            out.priorities_.push_back(*urgency);
        }
    }
    out.spread_ = how.spread;
    return out;
}

bool quiet_hours::hold(const publish_event& event) const noexcept {
    const auto holds = [](const auto& list, const auto& value) {
        return list.empty() || std::ranges::find(list, value) != list.end();
    };
    return any_ && event.priority != priority::critical && !event.ignores_quiet_hours &&
           holds(categories_, event.category) && holds(priorities_, event.priority);
}

std::optional<wall_time> quiet_hours::end(std::string_view zone, wall_time now) const {
    const date::time_zone* const here = any_ ? find_zone(zone) : nullptr;
    if (here == nullptr) {
        return std::nullopt;
    }
    const auto local = here->to_local(now);
    const auto day = date::floor<date::days>(local);
    const auto time = local - day;
    const bool over_midnight = from_ > to_;
    const bool quiet = over_midnight ? time >= from_ || time < to_ : time >= from_ && time < to_;
    if (!quiet) {
        return std::nullopt;
    }
    const auto ends = (time < to_ ? day : day + date::days(1)) + std::chrono::milliseconds(to_);
    // Where it does not exist, both are the moment of the leap.
    const auto first = here->to_sys(ends, date::choose::earliest);
    return first > now ? first : here->to_sys(ends, date::choose::latest);
}

}  // namespace tocsin
