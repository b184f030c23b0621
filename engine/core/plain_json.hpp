#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace tocsin {

/// The document in one line, with numbers as people write them: 0.36 and 0.000031, where Boost.JSON
/// writes 3.6E-1 and 3.1E-5.
[[nodiscard]] std::string plain_json(const boost::json::value& document);

/// The same with the members of every object ordered by the bytes of their names: one text for one document,
/// whoever writes it, as what a hash is made of must be. `jq -cjS .` writes it too.
[[nodiscard]] std::string canonical_json(const boost::json::value& document);

/// `value` with four decimals.
[[nodiscard]] double shortened_share(double value) noexcept;

/// `value` with seven digits, however small it is: three phones of a city are not nobody.
[[nodiscard]] double rounded_share(double value) noexcept;

}  // namespace tocsin
