#pragma once

#include <string_view>

namespace tocsin {

/// data/communes.csv as it was when this was built: insee,name,population,department,epci.
[[nodiscard]] std::string_view bundled_communes() noexcept;

/// data/epci.csv: epci,name,type,communes,population.
[[nodiscard]] std::string_view bundled_epci() noexcept;

}  // namespace tocsin
