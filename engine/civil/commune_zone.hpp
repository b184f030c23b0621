#pragma once

#include "engine/event/territory.hpp"

#include <span>
#include <string_view>

namespace tocsin {

/// The name in the IANA time zone database of the zone that a commune lives in, by its INSEE code. What no
/// row of the table names is metropolitan: Europe/Paris.
///
/// Sources: the code officiel géographique for the codes; décret n° 2017-292 on the legal time, and zone.tab
/// of the database, for their zones.
[[nodiscard]] std::string_view zone_of(commune_id commune) noexcept;

/// Where a territory without a commune is taken to be: a device that is named by its token and that nobody
/// has registered.
inline constexpr std::string_view default_zone = "Europe/Paris";

/// Every zone that zone_of() may name, each once.
[[nodiscard]] std::span<const std::string_view> commune_zones() noexcept;

}  // namespace tocsin
