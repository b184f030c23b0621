#include "engine/plan/deferral.hpp"

#include "engine/civil/commune_zone.hpp"
#include "engine/core/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace tocsin {
namespace {

namespace json = boost::json;

// The last second that RFC 3339 can write.
constexpr std::int64_t latest = 253'402'300'799'000;

std::optional<deferral> read_one(const json::value& given) {
    const json::object* const object = given.if_object();
    const json::value* const until = object == nullptr ? nullptr : object->if_contains("until");
    const json::value* const count = object == nullptr ? nullptr : object->if_contains("territories");
    const json::value* const zones = object == nullptr ? nullptr : object->if_contains("zones");
    if (until == nullptr || !until->is_int64() || count == nullptr || !count->is_int64() ||
        until->get_int64() < 0 || until->get_int64() > latest || count->get_int64() < 0 || zones == nullptr ||
        !zones->is_array()) {
        return std::nullopt;
    }
    deferral out;
    out.until = wall_time(std::chrono::milliseconds(until->get_int64()));
    out.territories = static_cast<std::size_t>(count->get_int64());
    for (const json::value& zone : zones->get_array()) {
        if (zone.is_string()) {
            out.zones.emplace_back(zone.get_string());
        }
    }
    return out;
}

}  // namespace

json::array deferrals_array(const std::vector<deferral>& which) {
    json::array out;
    for (const deferral& one : which) {
        out.push_back(json::object{
            {"until", one.until.time_since_epoch().count()},
            {"territories", one.territories},
            {"zones", json::array(one.zones.begin(), one.zones.end())}});
    }
    return out;
}

std::string write_deferrals(const std::vector<deferral>& which) {
    return json::serialize(deferrals_array(which));
}

std::vector<deferral> read_deferrals(std::string_view text) {
    std::vector<deferral> out;
    error_code problem;
    const json::value parsed = json::parse(text, problem);
    if (problem || !parsed.is_array()) {
        return out;
    }
    for (const json::value& each : parsed.get_array()) {
        if (auto one = read_one(each)) {
            out.push_back(std::move(*one));
        }
    }
    return out;
}

wall_time deferral_book::moment_for(const territory& where) {
    if (!holds_) {
        return wall_time{};
    }
    // Nobody's commune is 0: a device that was named and never registered.
    const std::string_view zone = where.commune == commune_id(0) ? default_zone : zone_of(where.commune);
    const auto [known, fresh] = ends_.try_emplace(zone);
    if (fresh) {
        known->second = hours_.end(zone, now_);
    }
    if (!known->second) {
        return wall_time{};
    }
    const wall_time moment = std::min(*known->second, event_.expires_at);
    held& here = held_[moment];
    here.territories.insert(where);
    here.zones.insert(zone);
    return moment;
}

std::chrono::milliseconds deferral_book::spread_from(wall_time moment) const noexcept {
    if (moment == wall_time{}) {
        return event_.is_spread() ? std::chrono::milliseconds(event_.spread) : std::chrono::milliseconds(0);
    }
    const std::chrono::milliseconds wanted = event_.is_spread() ? event_.spread : hours_.spread();
    // All of it while the event lives, and with room for retries.
    return std::min(wanted, std::max((event_.expires_at - moment) / 2, std::chrono::milliseconds(0)));
}

std::vector<deferral> deferral_book::deferrals() const {
    std::vector<deferral> out;
    for (const auto& [moment, here] : held_) {
        out.push_back(
            {moment, here.territories.size(),
             std::vector<std::string>(here.zones.begin(), here.zones.end())});
    }
    return out;
}

}  // namespace tocsin
