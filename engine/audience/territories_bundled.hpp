#pragma once

#include <string_view>

namespace tocsin {

/// data/communes.csv as it was when this was built: insee,name,population,department,epci.
[[nodiscard]] std::string_view bundled_communes() noexcept;

/// data/epci.csv: epci,name,type,communes,population.
[[nodiscard]] std::string_view bundled_epci() noexcept;

/// data/former-communes.csv: code,commune,name. Codes that are no commune's any more, or never were one's own
/// (arrondissements), and the commune of today that each is a part of.
[[nodiscard]] std::string_view bundled_former_communes() noexcept;

}  // namespace tocsin
